//! Hugepages of the machine.
