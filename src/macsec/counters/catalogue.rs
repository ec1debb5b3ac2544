//! How a block of counters describes itself: a table of name, MIB object, help and accessor.

use super::super::Counter;

/// What a counter is kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The SecY as a whole.
    Secy,
    /// One secure channel.
    Sc,
    /// One association number of a channel, over all SAs that used it.
    Sa,
}

/// One counter of the block `B`.
#[derive(Debug)]
pub struct CounterEntry<B> {
    /// The field's name, the standard's in snake case: `in_pkts_ok`.
    pub name: &'static str,
    /// The object of IEEE8021-SECY-MIB; `None` where the counter is ours alone.
    pub mib: Option<&'static str>,
    /// What it is kept for.
    pub level: Level,
    /// One sentence for people.
    pub help: &'static str,
    /// The counter itself.
    pub counter: fn(&B) -> &Counter,
}

impl<B> CounterEntry<B> {
    /// What was counted so far.
    pub fn read(&self, block: &B) -> u64 {
        (self.counter)(block).value()
    }
}

/// Declares a block of counters and its table in one place.
macro_rules! counter_block {
    (
        $(#[$meta:meta])*
        $block:ident {
            $( $field:ident: $level:ident, $mib:expr, $help:literal; )*
        }
        $( with { $( $(#[$extra_meta:meta])* $extra:ident: $type:ty; )* } )?
    ) => {
        $(#[$meta])*
        #[derive(Debug, Default)]
        #[repr(align(128))]
        pub struct $block {
            $( #[doc = $help] pub $field: $crate::macsec::Counter, )*
            $( $( $(#[$extra_meta])* pub $extra: $type, )* )?
        }

        impl $block {
            /// Every counter of this block.
            pub const CATALOGUE: &[$crate::macsec::CounterEntry<Self>] = &[
                $( $crate::macsec::CounterEntry {
                    name: stringify!($field),
                    mib: $mib,
                    level: $crate::macsec::Level::$level,
                    help: $help,
                    counter: |block| &block.$field,
                }, )*
            ];
        }
    };
}

pub(super) use counter_block;
