//! Numbers for people.

use alloc::{format, string::String};
use std::time::Duration;

/// Digits in groups of three.
pub(super) fn grouped(value: u64) -> String {
    let digits = format!("{value}");
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate with three digits and a decimal prefix: `1.48 M`.
pub(super) fn scaled(per_second: f64) -> String {
    let mut value = per_second;
    for prefix in ["", " k", " M", " G", " T"] {
        if value < 999.5 || prefix == " T" {
            let decimals = if prefix.is_empty() || value >= 99.95 {
                0
            } else if value >= 9.995 {
                1
            } else {
                2
            };
            return format!("{value:.decimals$}{prefix}");
        }
        value /= 1000.0;
    }
    format!("{per_second:.0}")
}

/// A time in its two largest units.
pub(super) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    if days > 0 {
        format!("{days} d {hours} h")
    } else if hours > 0 {
        format!("{hours} h {minutes} min")
    } else if minutes > 0 {
        format!("{minutes} min {} s", seconds % 60)
    } else if seconds > 0 {
        format!("{seconds} s")
    } else {
        format!("{} ms", duration.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (value, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(value), text);
        }
        for (value, text) in [
            (0.0, "0"),
            (42.0, "42"),
            (1480.0, "1.48 k"),
            (14_880_952.0, "14.9 M"),
            (1e10, "10.0 G"),
        ] {
            assert_eq!(scaled(value), text);
        }
        for (seconds, text) in [
            (0, "0 ms"),
            (59, "59 s"),
            (3700, "1 h 1 min"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }
}
