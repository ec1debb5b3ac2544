//! The known word that a misspelt one was probably meant to be.

/// The nearest of `known` to `word`, unless even that is too far to be a slip of the fingers.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word = word.to_ascii_lowercase().replace('-', "_");
    // A longer word is no slip, and the table below grows with it.
    if word.len() > 64 {
        return None;
    }
    known
        .iter()
        .map(|&candidate| (distance(&word, &candidate.replace('-', "_")), candidate))
        .filter(|&(distance, candidate)| distance <= 1 + candidate.len().min(word.len()) / 3)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours from `from` to `to`.
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (i, &a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &b) in to.iter().enumerate() {
            let mut best = (last[j] + usize::from(a != b))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && a == to[j - 1] && from[i - 1] == b {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = ["tx_sak_file", "rx_sak_file", "mtu", "cipher_suite"];
        assert_eq!(nearest("tx_sak_fiel", &known), Some("tx_sak_file"));
        assert_eq!(nearest("cipher-suite", &known), Some("cipher_suite"));
        assert_eq!(nearest("MUT", &known), Some("mtu"));
        assert_eq!(nearest("quality_of_service", &known), None);
    }

    #[test]
    fn distances_are_the_known_ones() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("ab", "ba"), 1);
    }
}
