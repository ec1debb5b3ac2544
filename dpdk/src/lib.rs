//! Safe wrapper.
