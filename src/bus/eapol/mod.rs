//! EAPOL between the secure port and control: copies in fixed slots each way, and the filter in between.

mod filter;
mod frame;
mod out;
mod slots;

pub use filter::{EapolClass, EapolFilter};
pub use frame::{EAPOL_SLOT_LEN, EapolFrame};
pub use out::EapolOut;
pub use slots::EapolSlots;
