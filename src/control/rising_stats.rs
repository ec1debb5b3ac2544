//! A port's counters that never go down, though some drivers begin again at each start.

use crate::bus::PortStats;

/// What a driver counted over all its starts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RisingStats {
    pub(super) total: PortStats,
    last: PortStats,
}

impl RisingStats {
    /// Takes a reading.
    pub(super) fn read(&mut self, now: PortStats) {
        let (total, last) = (&mut self.total, &self.last);
        for (total, last, now) in [
            (&mut total.rx_packets, last.rx_packets, now.rx_packets),
            (&mut total.tx_packets, last.tx_packets, now.tx_packets),
            (&mut total.rx_octets, last.rx_octets, now.rx_octets),
            (&mut total.tx_octets, last.tx_octets, now.tx_octets),
            (&mut total.rx_missed, last.rx_missed, now.rx_missed),
            (&mut total.rx_errors, last.rx_errors, now.rx_errors),
            (&mut total.tx_errors, last.tx_errors, now.tx_errors),
            (&mut total.rx_no_mbuf, last.rx_no_mbuf, now.rx_no_mbuf),
        ] {
            // A lower reading means that the driver began again at 0.
            *total += now.checked_sub(last).unwrap_or(now);
        }
        self.last = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_begins_again_does_not_take_the_total_down() {
        let mut stats = RisingStats::default();
        for (reading, total) in [(5, 5), (9, 9), (2, 11), (2, 11), (3, 12), (0, 12), (1, 13)] {
            stats.read(PortStats {
                rx_packets: reading,
                ..PortStats::default()
            });
            assert_eq!(stats.total.rx_packets, total);
        }
    }
}
