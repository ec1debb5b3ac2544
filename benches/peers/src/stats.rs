//! Two figures of many rounds.

/// The value that a part `at` of the sorted samples lies below; NaN of none.
fn quantile(samples: &mut [f64], at: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len().saturating_sub(1) as f64;
    samples
        .get((last * at) as usize)
        .copied()
        .unwrap_or(f64::NAN)
}

/// The 5th percentile: what it costs when nothing disturbs.
pub(crate) fn low(samples: &mut [f64]) -> f64 {
    quantile(samples, 0.05)
}

/// The median: of ratios within a round, where what disturbs disturbs both.
pub(crate) fn median(samples: &mut [f64]) -> f64 {
    quantile(samples, 0.5)
}
