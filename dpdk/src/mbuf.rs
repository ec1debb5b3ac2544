//! An owned packet buffer.
//!
//! A field of the header is read at an offset that clang worked out from the DPDK headers in use
//! (`dpdk_shim_mbuf_layout`), so the frame path makes no call per field and Rust never assumes a layout.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use dpdk_sys::rte_mbuf;

/// A frame in DPDK's memory: a buffer of one or more segments with one owner.
///
/// Not `Clone`. Dropping it gives all segments back to their pools. The data accessors work on the first
/// segment; a frame in several ([`Mbuf::is_contiguous`] says no) is for the caller to refuse.
#[repr(transparent)]
pub struct Mbuf(NonNull<rte_mbuf>);

// SAFETY: an mbuf belongs to one owner, and pools take it back from any thread.
unsafe impl Send for Mbuf {}

/// Reads field `$offset` of type `$type`.
macro_rules! field {
    ($mbuf:expr, $offset:ident, $type:ty) => {{
        let at = $mbuf.at::<$type>(dpdk_sys::$offset as usize);
        // SAFETY: `at` is the address of an initialised field of this type (shim.c asserts the widths) in a
        // header that `$mbuf` owns.
        unsafe { at.read() }
    }};
}

impl Mbuf {
    /// Takes over an mbuf.
    ///
    /// # Safety
    /// `mbuf` is a valid direct mbuf with one reference, and nothing else uses it from here on.
    #[inline]
    pub(crate) unsafe fn from_raw(mbuf: NonNull<rte_mbuf>) -> Self {
        Self(mbuf)
    }

    /// Gives the mbuf up to C.
    #[inline]
    fn into_raw(self) -> *mut rte_mbuf {
        ManuallyDrop::new(self).0.as_ptr()
    }

    #[inline]
    pub(crate) fn as_ptr(&self) -> *mut rte_mbuf {
        self.0.as_ptr()
    }

    /// The address of the header's field at `offset`.
    #[inline]
    fn at<T>(&self, offset: usize) -> *mut T {
        // SAFETY: the offset is of a field inside of struct rte_mbuf, so the address stays inside of it.
        unsafe { self.0.as_ptr().cast::<u8>().add(offset) }.cast()
    }

    #[inline]
    fn data_off(&self) -> u16 {
        field!(self, DPDK_SHIM_MBUF_DATA_OFF, u16)
    }

    #[inline]
    fn data_len(&self) -> u16 {
        field!(self, DPDK_SHIM_MBUF_DATA_LEN, u16)
    }

    #[inline]
    fn buf_len(&self) -> u16 {
        field!(self, DPDK_SHIM_MBUF_BUF_LEN, u16)
    }

    #[inline]
    fn set_data_off(&mut self, value: u16) {
        // SAFETY: a field of this type in a header that `self` owns; callers keep offset + length <= buf_len.
        unsafe {
            self.at::<u16>(dpdk_sys::DPDK_SHIM_MBUF_DATA_OFF as usize)
                .write(value)
        };
    }

    #[inline]
    fn set_data_len(&mut self, value: u16) {
        // SAFETY: as above.
        unsafe {
            self.at::<u16>(dpdk_sys::DPDK_SHIM_MBUF_DATA_LEN as usize)
                .write(value)
        };
    }

    #[inline]
    fn set_pkt_len(&mut self, value: u32) {
        // SAFETY: a field of this type in a header that `self` owns.
        unsafe {
            self.at::<u32>(dpdk_sys::DPDK_SHIM_MBUF_PKT_LEN as usize)
                .write(value)
        };
    }

    /// The first octet of the first segment's data.
    #[inline]
    fn start(&self) -> *mut u8 {
        let buffer = field!(self, DPDK_SHIM_MBUF_BUF_ADDR, *mut u8);
        // SAFETY: DPDK and this module keep data_off within the buffer.
        unsafe { buffer.add(usize::from(self.data_off())) }
    }

    /// Octets of the frame, over all segments.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        field!(self, DPDK_SHIM_MBUF_PKT_LEN, u32) as usize
    }

    /// Whether the frame has no octets.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many segments the frame is in.
    #[must_use]
    #[inline]
    pub fn segments(&self) -> u16 {
        field!(self, DPDK_SHIM_MBUF_NB_SEGS, u16)
    }

    /// Whether the whole frame is in the first segment, where the accessors below see it.
    #[must_use]
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        self.segments() == 1
    }

    /// The octets of the first segment.
    #[must_use]
    #[inline]
    pub fn data(&self) -> &[u8] {
        let (start, len) = (self.start(), usize::from(self.data_len()));
        // SAFETY: DPDK and this module keep offset + length within the buffer, which is mapped (so
        // initialised) memory that only this owner touches.
        unsafe { std::slice::from_raw_parts(start, len) }
    }

    /// The octets of the first segment, to change.
    #[must_use]
    #[inline]
    pub fn data_mut(&mut self) -> &mut [u8] {
        let (start, len) = (self.start(), usize::from(self.data_len()));
        // SAFETY: as above, and the borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(start, len) }
    }

    /// The octets of the first segment and the free octets behind them, which hold anything.
    #[must_use]
    #[inline]
    pub fn data_and_tailroom_mut(&mut self) -> &mut [u8] {
        let room = usize::from(self.buf_len()).saturating_sub(usize::from(self.data_off()));
        let (start, len) = (self.start(), room.max(usize::from(self.data_len())));
        // SAFETY: the room ends where the buffer does (where the header says that data reaches further, this
        // is `data_mut`). All of the buffer is mapped memory, and it is this owner's alone: the mbuf is
        // direct and has one reference. The borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(start, len) }
    }

    /// Free octets before the data of the first segment.
    #[must_use]
    #[inline]
    pub fn headroom(&self) -> usize {
        usize::from(self.data_off())
    }

    /// Free octets behind the data of the first segment.
    #[must_use]
    #[inline]
    pub fn tailroom(&self) -> usize {
        let used = usize::from(self.data_off()) + usize::from(self.data_len());
        usize::from(self.buf_len()).saturating_sub(used)
    }

    /// Adds `n` octets before the data and gives them, with arbitrary contents. `None`, and no change, if
    /// the headroom is smaller.
    #[inline]
    pub fn prepend(&mut self, n: usize) -> Option<&mut [u8]> {
        let n = u16::try_from(n).ok()?;
        let offset = self.data_off().checked_sub(n)?;
        let data_len = self.data_len().checked_add(n)?;
        let pkt_len = u32::try_from(self.len()).ok()?.checked_add(u32::from(n))?;
        self.set_data_off(offset);
        self.set_data_len(data_len);
        self.set_pkt_len(pkt_len);
        self.data_mut().get_mut(..usize::from(n))
    }

    /// Adds `n` octets behind the data and gives them, with arbitrary contents. `None`, and no change, if
    /// the tailroom is smaller or the frame is in several segments.
    #[inline]
    pub fn append(&mut self, n: usize) -> Option<&mut [u8]> {
        if !self.is_contiguous() || n > self.tailroom() {
            return None;
        }
        let before = self.data_len();
        let data_len = before.checked_add(u16::try_from(n).ok()?)?;
        self.set_data_len(data_len);
        self.set_pkt_len(u32::from(data_len));
        self.data_mut().get_mut(usize::from(before)..)
    }

    /// Takes `n` octets off the front. False, and no change, if the first segment has fewer.
    #[must_use]
    #[inline]
    pub fn adj(&mut self, n: usize) -> bool {
        let Some((n, left)) = self.less(n) else {
            return false;
        };
        self.set_data_off(self.data_off().saturating_add(n));
        self.set_data_len(left);
        let pkt_len = field!(self, DPDK_SHIM_MBUF_PKT_LEN, u32);
        self.set_pkt_len(pkt_len.saturating_sub(u32::from(n)));
        true
    }

    /// Takes `n` octets off the end. False, and no change, if there are fewer or the frame is in several
    /// segments.
    #[must_use]
    #[inline]
    pub fn trim(&mut self, n: usize) -> bool {
        if !self.is_contiguous() {
            return false;
        }
        let Some((_, left)) = self.less(n) else {
            return false;
        };
        self.set_data_len(left);
        self.set_pkt_len(u32::from(left));
        true
    }

    /// Adds `front` octets before the data and `back` behind it, with arbitrary contents, and gives the
    /// data that there is then. `None`, and no change, if the room at one end is smaller or the frame is in
    /// several segments.
    #[inline]
    pub fn grow(&mut self, front: usize, back: usize) -> Option<&mut [u8]> {
        let (offset, len) = self.grown(front, back)?;
        self.place(offset, len)
    }

    /// As [`Mbuf::grow`], and gives the free octets behind the data, which hold anything, with it.
    ///
    /// # Errors
    /// The mbuf itself, unchanged, where `grow` gives `None`.
    #[inline]
    pub fn grow_in_room(&mut self, front: usize, back: usize) -> Result<&mut [u8], &mut Self> {
        let Some((offset, len)) = self.grown(front, back) else {
            return Err(self);
        };
        let Some(room) = self.set_place(offset, len) else {
            return Err(self);
        };
        // SAFETY: `room` is what the buffer has from `offset` on.
        Ok(unsafe { self.octets_at(offset, room) })
    }

    /// Where the data would begin and how long it would be with `front` octets more before it and `back`
    /// behind. `None`: no buffer has that.
    #[inline]
    fn grown(&self, front: usize, back: usize) -> Option<(usize, usize)> {
        let offset = usize::from(self.data_off()).checked_sub(front)?;
        let len = usize::from(self.data_len()).checked_add(front)?;
        Some((offset, len.checked_add(back)?))
    }

    /// Takes `front` octets off the front, makes the rest `len` octets long, whether that cuts it or adds
    /// octets with arbitrary contents, and gives it. `None`, and no change, if there are fewer octets, the
    /// room is smaller or the frame is in several segments.
    #[inline]
    pub fn recut(&mut self, front: usize, len: usize) -> Option<&mut [u8]> {
        if front > usize::from(self.data_len()) {
            return None;
        }
        self.place(usize::from(self.data_off()).checked_add(front)?, len)
    }

    /// Makes `len` octets from `offset` of the buffer the frame. `None`, and no change, if they are not in
    /// it or the frame is in several segments.
    #[inline]
    fn place(&mut self, offset: usize, len: usize) -> Option<&mut [u8]> {
        self.set_place(offset, len)?;
        // SAFETY: so many octets from `offset` on are within the buffer, as was checked.
        Some(unsafe { self.octets_at(offset, len) })
    }

    /// `len` octets of the buffer from `offset` on.
    ///
    /// # Safety
    /// The buffer has so many there.
    #[inline]
    unsafe fn octets_at(&mut self, offset: usize, len: usize) -> &mut [u8] {
        let buffer = field!(self, DPDK_SHIM_MBUF_BUF_ADDR, *mut u8);
        // SAFETY: `offset` is within the buffer, by the caller.
        let start = unsafe { buffer.add(offset) };
        // SAFETY: so are `len` octets from there. All of it is mapped memory and this owner's alone: the mbuf is
        // direct and has one reference. The borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(start, len) }
    }

    /// Makes `len` octets from `offset` of the buffer the frame, and says how many octets the buffer has from
    /// `offset` on, no fewer than `len`. `None`, and no change, if they are not in it or the frame is in
    /// several segments.
    #[inline]
    fn set_place(&mut self, offset: usize, len: usize) -> Option<usize> {
        let buf_len = usize::from(self.buf_len());
        if offset.checked_add(len)? > buf_len || !self.is_contiguous() {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "neither is more than their sum, which is not more than a u16"
        )]
        let (data_off, data_len) = (offset as u16, len as u16);
        self.set_data_off(data_off);
        self.set_data_len(data_len);
        self.set_pkt_len(u32::from(data_len));
        Some(buf_len - offset)
    }

    /// Brings the front of the data, and the headroom right before it, into the cache.
    #[inline]
    pub fn prefetch(&self) {
        let start = self.start();
        prefetch(start);
        prefetch(start.wrapping_sub(1));
    }

    /// `n` as the header counts, and what the first segment has left without it.
    #[inline]
    fn less(&self, n: usize) -> Option<(u16, u16)> {
        let n = u16::try_from(n).ok()?;
        Some((n, self.data_len().checked_sub(n)?))
    }

    /// The port that the frame came in by; `u16::MAX` for a fresh mbuf.
    #[must_use]
    #[inline]
    pub fn port(&self) -> u16 {
        field!(self, DPDK_SHIM_MBUF_PORT, u16)
    }

    /// The flags of the header (`RTE_MBUF_F_*`).
    #[must_use]
    #[inline]
    pub fn ol_flags(&self) -> u64 {
        field!(self, DPDK_SHIM_MBUF_OL_FLAGS, u64)
    }

    /// The VLAN tag control information that the driver took out of the frame, if it did.
    ///
    /// Ports are configured not to. Some drivers do all the same, and `net_af_packet` among them reports a
    /// tag that the kernel stripped: a wire must put it back or count the frame as dropped.
    #[must_use]
    #[inline]
    pub fn vlan_stripped(&self) -> Option<u16> {
        let stripped = self.ol_flags() & u64::from(dpdk_sys::DPDK_SHIM_RX_VLAN_STRIPPED) != 0;
        stripped.then(|| field!(self, DPDK_SHIM_MBUF_VLAN_TCI, u16))
    }

    /// Hangs `tail` behind this frame, as further segments.
    ///
    /// # Errors
    /// `tail` itself, when the frame would have too many segments.
    pub fn chain(&mut self, tail: Self) -> Result<(), Self> {
        // SAFETY: both are valid and owned here; on success DPDK links `tail` into `self`.
        if unsafe { dpdk_sys::dpdk_shim_mbuf_chain(self.as_ptr(), tail.as_ptr()) } != 0 {
            return Err(tail);
        }
        // Owned by the chain from here on.
        let _: *mut rte_mbuf = tail.into_raw();
        Ok(())
    }
}

/// Says that the cache line of `at` is wanted. Any address is fine: nothing is read.
#[inline]
pub(crate) fn prefetch(at: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint that faults on no address; SSE is part of every x86-64.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

impl Drop for Mbuf {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this owner is the only one, and ends here. The pool outlives its mbufs' owners: see
        // `Pool::drop` in mempool.rs.
        unsafe { dpdk_sys::dpdk_shim_mbuf_free(self.0.as_ptr()) };
    }
}

impl fmt::Debug for Mbuf {
    /// Never the frame's contents: they may be a customer's, or plaintext.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mbuf")
            .field("len", &self.len())
            .field("segments", &self.segments())
            .field("headroom", &self.headroom())
            .field("tailroom", &self.tailroom())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header and a buffer in ordinary memory, to be read by both compilers' code.
    #[repr(C, align(64))]
    struct Fake {
        header: [u8; dpdk_sys::DPDK_SHIM_MBUF_SIZE as usize],
        buffer: [u8; 2048],
    }

    impl Fake {
        fn new() -> Box<Self> {
            Box::new(Self {
                header: [0; _],
                buffer: [0xEE; _],
            })
        }

        /// Never dropped: this memory is no mempool's.
        fn mbuf(&mut self) -> ManuallyDrop<Mbuf> {
            let buffer = self.buffer.as_mut_ptr();
            let header = NonNull::from(&mut self.header).cast::<rte_mbuf>();
            // SAFETY: large enough, aligned, all zero, and nobody else's while the borrow lasts.
            let mbuf = ManuallyDrop::new(unsafe { Mbuf::from_raw(header) });
            // SAFETY: a pointer-sized field within the header.
            unsafe {
                mbuf.at::<*mut u8>(dpdk_sys::DPDK_SHIM_MBUF_BUF_ADDR as usize)
                    .write(buffer)
            };
            mbuf
        }
    }

    fn write<T>(mbuf: &Mbuf, offset: u32, value: T) {
        // SAFETY: callers name a field of this type within the header.
        unsafe { mbuf.at::<T>(offset as usize).write(value) };
    }

    /// Each field has a value of its own, so that a wrong offset cannot pass.
    #[test]
    fn every_accessor_reads_what_the_c_compiler_reads() {
        let mut fake = Fake::new();
        let start = fake.buffer.as_mut_ptr();
        let mbuf = fake.mbuf();
        write(&mbuf, dpdk_sys::DPDK_SHIM_MBUF_BUF_LEN, 2048_u16);
        write(&mbuf, dpdk_sys::DPDK_SHIM_MBUF_DATA_OFF, 0x0123_u16);
        write(&mbuf, dpdk_sys::DPDK_SHIM_MBUF_DATA_LEN, 0x0345_u16);
        write(&mbuf, dpdk_sys::DPDK_SHIM_MBUF_PKT_LEN, 0x0102_0304_u32);
        write(&mbuf, dpdk_sys::DPDK_SHIM_MBUF_NB_SEGS, 0x0506_u16);
        write(&mbuf, dpdk_sys::DPDK_SHIM_MBUF_PORT, 0x0708_u16);
        write(&mbuf, dpdk_sys::DPDK_SHIM_MBUF_VLAN_TCI, 0x090A_u16);
        let stripped = u64::from(dpdk_sys::DPDK_SHIM_RX_VLAN_STRIPPED);
        write(
            &mbuf,
            dpdk_sys::DPDK_SHIM_MBUF_OL_FLAGS,
            0xF0F1_F2F3_F4F5_F600_u64 | stripped,
        );
        /// What the C compiler reads.
        macro_rules! c {
            ($accessor:ident) => {
                // SAFETY: a plain read of a header that is alive.
                unsafe { dpdk_sys::$accessor(mbuf.as_ptr()) }
            };
        }
        assert_eq!(mbuf.data().as_ptr(), c!(dpdk_shim_mbuf_data).cast());
        assert_eq!(mbuf.data().as_ptr(), start.wrapping_add(0x0123));
        assert_eq!(mbuf.data_len(), c!(dpdk_shim_mbuf_data_len));
        assert_eq!(mbuf.len(), c!(dpdk_shim_mbuf_pkt_len) as usize);
        assert_eq!(mbuf.segments(), c!(dpdk_shim_mbuf_nb_segs));
        assert_eq!(mbuf.headroom(), usize::from(c!(dpdk_shim_mbuf_headroom)));
        assert_eq!(mbuf.tailroom(), usize::from(c!(dpdk_shim_mbuf_tailroom)));
        assert_eq!(mbuf.port(), c!(dpdk_shim_mbuf_port));
        assert_eq!(mbuf.ol_flags(), c!(dpdk_shim_mbuf_ol_flags));
        assert_eq!(
            (mbuf.vlan_stripped(), c!(dpdk_shim_mbuf_vlan_tci)),
            (Some(0x090A), 0x090A)
        );
        assert_eq!(
            (mbuf.data_len(), mbuf.segments(), mbuf.port()),
            (0x0345, 0x0506, 0x0708)
        );
        assert_eq!(mbuf.tailroom(), 2048 - 0x0123 - 0x0345);
    }

    #[test]
    fn no_vlan_tag_was_taken_out_without_the_flag() {
        let mut fake = Fake::new();
        let mbuf = fake.mbuf();
        write(&mbuf, dpdk_sys::DPDK_SHIM_MBUF_VLAN_TCI, 7_u16);
        assert_eq!(mbuf.vlan_stripped(), None);
    }

    /// Both ends at once, against the one-end methods; and what does not fit changes nothing.
    #[test]
    fn both_ends_move_at_once() {
        let mut fake = Fake::new();
        let mut mbuf = fake.mbuf();
        write(&mbuf, dpdk_sys::DPDK_SHIM_MBUF_BUF_LEN, 2048_u16);
        write(&mbuf, dpdk_sys::DPDK_SHIM_MBUF_DATA_OFF, 128_u16);
        write(&mbuf, dpdk_sys::DPDK_SHIM_MBUF_DATA_LEN, 60_u16);
        write(&mbuf, dpdk_sys::DPDK_SHIM_MBUF_PKT_LEN, 60_u32);
        write(&mbuf, dpdk_sys::DPDK_SHIM_MBUF_NB_SEGS, 1_u16);
        let facts = |mbuf: &Mbuf| (mbuf.headroom(), mbuf.len(), mbuf.data().len());
        let start = mbuf.data().as_ptr();
        let grown = mbuf
            .grow(16, 20)
            .map(|octets| (octets.as_ptr(), octets.len()));
        assert_eq!(grown, Some((start.wrapping_sub(16), 96)));
        assert_eq!(facts(&mbuf), (112, 96, 96));
        assert!(mbuf.grow(113, 0).is_none());
        assert!(mbuf.grow(0, 2048 - 112 - 96 + 1).is_none());
        assert!(mbuf.grow(usize::MAX, 1).is_none());
        assert!(mbuf.grow(1, usize::MAX).is_none());
        assert_eq!(facts(&mbuf), (112, 96, 96));
        assert!(mbuf.grow(112, 2048 - 112 - 96).is_some());
        assert_eq!(facts(&mbuf), (0, 2048, 2048));

        let cut = mbuf
            .recut(128, 60)
            .map(|octets| (octets.as_ptr(), octets.len()));
        assert_eq!(cut, Some((start, 60)));
        assert!(mbuf.recut(61, 1).is_none());
        assert!(mbuf.recut(10, 2048 - 138 + 1).is_none());
        assert!(mbuf.recut(usize::MAX, usize::MAX).is_none());
        assert_eq!(facts(&mbuf), (128, 60, 60));
        assert_eq!(mbuf.recut(60, 64).map(|octets| octets.len()), Some(64));
        assert_eq!(facts(&mbuf), (188, 64, 64));

        let grown = mbuf
            .grow_in_room(16, 20)
            .map(|octets| (octets.as_ptr(), octets.len()));
        assert_eq!(grown.ok(), Some((start.wrapping_add(44), 2048 - 172)));
        assert_eq!(facts(&mbuf), (172, 100, 100));
        for (front, back) in [
            (173, 0),
            (0, 2048 - 272 + 1),
            (usize::MAX, 1),
            (1, usize::MAX),
        ] {
            let same = mbuf.as_ptr();
            let refused = mbuf.grow_in_room(front, back).map(|octets| octets.len());
            assert_eq!(refused.map_err(|mbuf| mbuf.as_ptr()), Err(same));
        }
        assert_eq!(facts(&mbuf), (172, 100, 100));
        write(&mbuf, dpdk_sys::DPDK_SHIM_MBUF_NB_SEGS, 2_u16);
        assert!(mbuf.grow(0, 0).is_none());
        assert!(mbuf.grow_in_room(0, 0).is_err());
        assert!(mbuf.recut(0, 1).is_none());
        mbuf.prefetch();
    }

    #[test]
    fn debug_shows_no_contents() {
        let mut fake = Fake::new();
        let mbuf = fake.mbuf();
        write(&mbuf, dpdk_sys::DPDK_SHIM_MBUF_BUF_LEN, 2048_u16);
        write(&mbuf, dpdk_sys::DPDK_SHIM_MBUF_DATA_LEN, 16_u16);
        let text = format!("{:?}", *mbuf);
        assert!(
            !text.contains("238") && !text.to_lowercase().contains("ee"),
            "{text}"
        );
    }
}
