//! Numbers with units, written for people: `16,303`, `1.24 M`, `4.0 MiB`. One place, so that the plan, the progress
//! line and the summary speak alike. It knows nothing of what is counted.

use std::time::Duration;

/// Groups the digits by threes: `336,776`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Three digits that count, with `k`, `M`, `G` or `T` in decimal steps: `950`, `1.24 M`, `803 k`.
pub(crate) fn short(n: f64) -> String {
    scaled(n, 1000.0, &["", " k", " M", " G", " T"])
}

/// Bytes in binary steps: `512 B`, `4.00 MiB`.
pub(crate) fn bytes(n: u64) -> String {
    scaled(n as f64, 1024.0, &[" B", " KiB", " MiB", " GiB", " TiB"])
}

/// `0 s`, `35 ms`, `0.42 s`, `12.3 s`, `3 min 20 s`, `1 h 5 min`.
pub(crate) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0 if (1..100).contains(&time.as_millis()) => format!("{} ms", time.as_millis()),
        0..60 => format!("{} s", three_digits(time.as_secs_f64())),
        s @ 60..3600 => format!("{} min {} s", s / 60, s % 60),
        s => format!("{} h {} min", grouped(s / 3600), s % 3600 / 60),
    }
}

fn scaled(n: f64, step: f64, units: &[&str]) -> String {
    let mut value = if n.is_finite() { n.max(0.0) } else { 0.0 };
    let mut unit = 0;
    // 999.5 would be printed as 1000 of the unit below.
    while value >= step - 0.5 && unit + 1 < units.len() {
        value /= step;
        unit += 1;
    }
    let suffix = units.get(unit).copied().unwrap_or_default();
    if unit == 0 { format!("{value:.0}{suffix}") } else { format!("{}{suffix}", three_digits(value)) }
}

fn three_digits(value: f64) -> String {
    let decimals = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    // `4 MiB` rather than `4.00 MiB`: a round number is round.
    text.strip_suffix(".00").or_else(|| text.strip_suffix(".0")).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{bytes, grouped, seconds, short};
    use std::time::Duration;

    #[test]
    fn digits_are_grouped_by_threes() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (336_776, "336,776"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(n), text);
        }
    }

    #[test]
    fn three_digits_and_a_unit() {
        let cases = [(0.0, "0"), (999.4, "999"), (999.6, "1 k"), (1240.0, "1.24 k"), (12_400.0, "12.4 k")];
        for (n, text) in cases.into_iter().chain([(803_000.0, "803 k"), (60.3e6, "60.3 M"), (3.4e9, "3.40 G")]) {
            assert_eq!(short(n), text);
        }
        assert_eq!(short(f64::INFINITY), "0", "a rate over no time at all is no rate");
    }

    #[test]
    fn bytes_are_binary() {
        let cases = [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.50 KiB"), (4 << 20, "4 MiB")];
        for (n, text) in cases {
            assert_eq!(bytes(n), text);
        }
    }

    #[test]
    fn times_by_their_size() {
        let cases = [(0, "0 s"), (35, "35 ms"), (420, "0.42 s"), (12_300, "12.3 s"), (200_000, "3 min 20 s")];
        for (ms, text) in cases.into_iter().chain([(3_900_000, "1 h 5 min"), (12_000, "12 s")]) {
            assert_eq!(seconds(Duration::from_millis(ms)), text);
        }
    }
}
