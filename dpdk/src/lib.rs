//! Safe wrapper.

pub mod netdev;
pub mod vdev;
