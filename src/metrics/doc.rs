//! `docs/metrics.md`, made from the catalogue.

use alloc::{format, string::String};
use core::fmt::Write as _;

use super::catalogue;

const HEAD: &str = "\
# Metrics

This page is made from the catalogue in `src/metrics/`; a test keeps both equal. To write it anew:
`UPDATE_DOCS=1 cargo test --test metrics_catalogue`.

The gateway serves `/metrics` in Prometheus' text format, `/live` and `/ready` on `[metrics] listen`
(`127.0.0.1:9464` unless configured). `/ready` is 200 while the control thread's last picture is younger
than 5 seconds, else 503. An example of a scrape configuration and alert rules are in `deploy/prometheus/`.

Counters never go down while the process lives: a rekey, a retired SA, a reload or a port that is stopped
and started resets none of them. Counters are read when they are scraped; gauges are as control last saw
them, `macsecgw_snapshot_age_seconds` ago. Values above 2^53 lose their lowest digits, as everything
does in Prometheus.

Labels are bounded by the configuration: `link`, `lane` (`protect`, `validate`), `side` (`plain`, `secure`),
`sci` (own, or of a configured peer), `an` (0 to 3), `worker`, `helper`, and fixed words. No key identifier and no text
that a peer chose is a label. Per-AN counters belong to the association number, not to one key: they go on
over every SA that uses it.

";

/// The text of `docs/metrics.md`.
pub fn metrics_document() -> String {
    let mut text = String::from(HEAD);
    text.push_str("| name | kind | unit | labels | meaning | from |\n|---|---|---|---|---|---|\n");
    for family in catalogue() {
        let labels = family.source.labels().join(", ");
        let line = format!(
            "| `{}` | {} | {} | {} | {} | {} |",
            family.name,
            family.kind.name(),
            family.unit,
            labels,
            family.help,
            family.from
        );
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{line}");
    }
    text
}
