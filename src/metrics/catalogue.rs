//! The whole catalogue: every table, in the order in which it is shown.

use alloc::vec::Vec;

use super::{Family, gateway, helper, lane, link, mka, port, secy, worker};

/// Every metric that there is.
pub fn catalogue() -> Vec<Family> {
    let fixed = [
        gateway::TABLE,
        worker::TABLE,
        helper::TABLE,
        link::TABLE,
        lane::TABLE,
        port::TABLE,
    ];
    fixed
        .into_iter()
        .flatten()
        .cloned()
        .chain(secy::families())
        .chain(mka::families())
        .collect()
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;
    use crate::metrics::Kind;

    #[test]
    fn each_name_stands_once_and_says_its_kind() {
        let mut names = BTreeSet::new();
        for family in catalogue() {
            assert!(
                names.insert(family.name.clone()),
                "{} stands twice",
                family.name
            );
            assert_eq!(
                family.name.ends_with("_total"),
                family.kind == Kind::Counter,
                "{}",
                family.name
            );
            let known = family.name.starts_with("macsec_") || family.name.starts_with("macsecgw_");
            assert!(known, "{} has a foreign prefix", family.name);
            assert!(
                family.help.ends_with('.'),
                "{}: {}",
                family.name,
                family.help
            );
        }
    }

    #[test]
    fn no_label_is_a_key_identifier() {
        for family in catalogue() {
            for label in family.source.labels() {
                assert!(
                    !matches!(label, "ki" | "key" | "key_identifier"),
                    "{}",
                    family.name
                );
            }
        }
    }
}
