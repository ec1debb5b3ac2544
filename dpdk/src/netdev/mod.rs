//! The Linux interface behind a kernel-backed vdev: is it fit for a gateway, and its link state.

/// Whether the kernel would take this as an interface's name: 1 to 15 octets, none of them `/`, `:`
/// or a space, and not `.` or `..`.
#[must_use]
pub fn is_interface_name(name: &str) -> bool {
    let sound = |b: u8| b != b'/' && b != b':' && !b.is_ascii_whitespace() && b != 0 && b != 0x0b;
    (1..=15).contains(&name.len()) && name != "." && name != ".." && name.bytes().all(sound)
}
