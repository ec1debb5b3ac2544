//! What the kernel says about a PCI device: whether it is there, and which driver has it.
