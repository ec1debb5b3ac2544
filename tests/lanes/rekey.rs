//! Static keys that change under traffic.

use super::{Lanes, key};

impl Lanes {
    /// One change, as an operator does it: the new keys are said to be fresh, both receivers get theirs, and
    /// when they have, the transmitters change over. A frame that is under way meets its old key.
    pub(crate) fn change_keys(&mut self, number: u32) {
        let an = u8::try_from(number % 4).unwrap_or(0);
        let old = self.config.links.clone();
        for (at, link) in self.config.links.iter_mut().enumerate() {
            let keys = link.keys.as_mut().expect("static keys");
            let ways = if at == 0 { [0, 1] } else { [1, 0] };
            (keys.tx_an, keys.rx_an) = (an, an);
            [keys.tx_key, keys.rx_key] = ways.map(|way| key(number, way));
        }
        self.state_fresh(0);
        self.state_fresh(1);
        let new = self.config.links.clone();
        for (link, old) in self.config.links.iter_mut().zip(old) {
            if let (Some(keys), Some(old)) = (&mut link.keys, old.keys) {
                (keys.tx_an, keys.tx_key) = (old.tx_an, old.tx_key);
            }
        }
        // One worker runs all lanes and obeys in order: its receivers have the new keys before it gets to
        // the second reload's commands.
        self.reload();
        self.config.links = new;
        self.reload();
    }
}
