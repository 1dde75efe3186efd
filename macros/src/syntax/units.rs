//! Numbers with a unit: `250us 100ms 10s 5min 1h 7d`, `1h30min`, `64KiB`. Rust reads each as one token, a number with a suffix;
//! here is what they mean, and which are refused.

use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use quote::ToTokens;

use crate::diag::{Parsed, Problem};
use crate::syntax::cursor::Cursor;

/// Units from large to small, in microseconds.
const UNITS: &[(&str, i64)] =
    &[("d", 86_400_000_000), ("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1)];

/// Units of sizes, in bytes.
const SIZES: &[(&str, u64)] = &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// A duration, the same text for the same one: `90min` is `1h30min`.
pub(crate) fn shown(micros: i64) -> String {
    let (mut left, mut text) = (micros, String::new());
    for (unit, size) in UNITS {
        if left >= *size {
            text += &format!("{}{unit}", left / size);
            left %= size;
        }
    }
    text
}

/// What a literal that has a unit says.
#[derive(Debug, PartialEq)]
pub(crate) enum Amount {
    /// Microseconds.
    Micros(i64),
    /// Bytes.
    Bytes(u64),
    /// Meant as one of these, but not one: what is wrong, and what to write.
    Refused(String, String),
}

/// `0.5h` in whole microseconds, if it is that.
fn whole(number: &str, unit: &str) -> Option<i64> {
    let size = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    let (before, behind) = number.split_once('.')?;
    let (before, parts) = (before.parse::<i64>().ok()?, behind.parse::<i64>().ok()?);
    let of = 10i64.checked_pow(u32::try_from(behind.len()).ok()?)?;
    let rest = parts.checked_mul(size).filter(|rest| rest % of == 0)? / of;
    before.checked_mul(size)?.checked_add(rest)
}

/// A number with a unit of size.
fn size(number: &str, unit: &str) -> Option<Amount> {
    let (_, factor) = SIZES.iter().find(|(name, _)| *name == unit)?;
    let bytes = number.replace('_', "").parse::<u64>().ok().and_then(|number| number.checked_mul(*factor));
    Some(match bytes {
        Some(bytes) => Amount::Bytes(bytes),
        None if number.contains('.') => Amount::Refused(
            format!("`{number}{unit}` is not a whole number of `{unit}`"),
            "write it in whole numbers of a smaller unit: `KiB`, or bytes without one".to_string(),
        ),
        None => Amount::Refused(
            format!("`{number}{unit}` is more than bytes are counted"),
            "a size is less than 16 million `TiB`".to_string(),
        ),
    })
}

/// Reads a literal. `None` if it is no number with a unit.
pub(crate) fn read(text: &str) -> Option<Amount> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) || ["0x", "0o", "0b"].iter().any(|radix| text.starts_with(radix))
    {
        return None;
    }
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
    if let Some(bytes) = size(number, unit) {
        return Some(bytes);
    }
    let mut parts: Vec<(String, &str)> = vec![];
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '_' || c == '.')).unwrap_or(rest.len());
        let letters = rest[digits..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - digits);
        let (number, unit) = (&rest[..digits], &rest[digits..digits + letters]);
        if number.is_empty() || !(unit == "m" || UNITS.iter().any(|(name, _)| *name == unit)) {
            return None;
        }
        parts.push((number.replace('_', ""), unit));
        rest = &rest[digits + letters..];
    }
    let minutes = || parts.iter().map(|(n, u)| format!("{n}{}", if *u == "m" { "min" } else { u })).collect::<String>();
    if parts.iter().any(|(_, unit)| *unit == "m") {
        return Some(Amount::Refused(format!("`{text}` could be minutes or months"), format!("write `{}`", minutes())));
    }
    if let Some((number, unit)) = parts.iter().find(|(number, _)| number.contains('.')) {
        let smaller = UNITS.iter().skip_while(|(name, _)| name != unit).nth(1).map_or("us", |(name, _)| name);
        return Some(Amount::Refused(
            format!("`{number}{unit}` is not a whole number of `{unit}`"),
            match whole(number, unit).filter(|_| parts.len() == 1) {
                Some(micros) => format!("write `{}`", shown(micros)),
                None => format!("write it in whole numbers of a smaller unit, such as `{smaller}`"),
            },
        ));
    }
    let size = |unit: &str| UNITS.iter().find(|(name, _)| *name == unit).map_or(0, |(_, micros)| *micros);
    if parts.windows(2).any(|two| size(two[0].1) <= size(two[1].1)) {
        let mut sorted = parts.clone();
        sorted.sort_by_key(|(_, unit)| std::cmp::Reverse(size(unit)));
        let sorted: String = sorted.iter().map(|(n, u)| format!("{n}{u}")).collect();
        return Some(Amount::Refused(
            format!("the units of `{text}` do not go from large to small"),
            format!("write each unit once, the largest first: `{sorted}`"),
        ));
    }
    let total = parts
        .iter()
        .try_fold(0i64, |sum, (number, unit)| sum.checked_add(number.parse::<i64>().ok()?.checked_mul(size(unit))?));
    Some(match total {
        Some(micros) => Amount::Micros(micros),
        None => Amount::Refused(
            format!("`{text}` is longer than time is counted"),
            "a duration is less than about 292,000 years".to_string(),
        ),
    })
}

/// Units as they are called elsewhere, each a beginning of what one may have written.
const ELSEWHERE: &[(&str, &str)] =
    &[("day", "d"), ("hour", "h"), ("hr", "h"), ("min", "min"), ("sec", "s"), ("milli", "ms"), ("micro", "us")];

/// What to write in place of a literal that is no duration.
fn meant(text: &str, of: &str) -> String {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    match ELSEWHERE.iter().find(|(begins, _)| unit.starts_with(begins)) {
        Some((_, unit)) => format!("write `{of} {number}{unit}`"),
        None => format!("a duration has a unit, one of `us`, `ms`, `s`, `min`, `h`, `d`: `{of} 10min`"),
    }
}

/// A duration as the value of an option: written out, or a param.
#[derive(Clone, Debug)]
pub(crate) enum Length {
    Literal { micros: i64, token: Literal },
    Param(Ident),
}

impl Length {
    pub(crate) fn parse(from: &mut Cursor, of: &str) -> Parsed<Length> {
        let help = format!("write `{of} 10min`, or `{of} name` with a param of type `TimeSpan`");
        match from.peek() {
            Some(TokenTree::Literal(token)) => {
                let token = token.clone();
                match read(&token.to_string()) {
                    Some(Amount::Micros(micros)) => {
                        from.next();
                        Ok(Length::Literal { micros, token })
                    }
                    Some(Amount::Refused(fact, help)) => Err(Problem::new(&token, fact, help)),
                    Some(Amount::Bytes(_)) | None => {
                        Err(Problem::new(&token, format!("`{token}` is no duration"), meant(&token.to_string(), of)))
                    }
                }
            }
            Some(TokenTree::Ident(name)) => {
                let name = name.clone();
                from.next();
                Ok(Length::Param(name))
            }
            Some(TokenTree::Punct(p)) if p.as_char() == '-' => {
                Err(Problem::new(from.here(), "a duration here is not negative", help))
            }
            _ => Err(from.expected("a duration", &help)),
        }
    }

    /// As it is written.
    pub(crate) fn text(&self) -> String {
        match self {
            Length::Literal { token, .. } => token.to_string(),
            Length::Param(name) => name.to_string(),
        }
    }
}

impl ToTokens for Length {
    fn to_tokens(&self, to: &mut TokenStream) {
        match self {
            Length::Literal { token, .. } => token.to_tokens(to),
            Length::Param(name) => name.to_tokens(to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, micros) in [
            ("250us", 250),
            ("100ms", 100_000),
            ("0s", 0),
            ("1_000ms", 1_000_000),
            ("5min", 300_000_000),
            ("1h30min", 5_400_000_000),
            ("7d", 604_800_000_000),
        ] {
            assert_eq!(read(text), Some(Amount::Micros(micros)), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [("64KiB", 65_536), ("1_024KiB", 1 << 20), ("0MiB", 0), ("2GiB", 2 << 30)] {
            assert_eq!(read(text), Some(Amount::Bytes(bytes)), "{text}");
        }
    }

    #[test]
    fn other_literals_are_left_alone() {
        for text in ["10", "5u32", "1usize", "1e5", "2.5f64", "0x1d", "0b1", "1.0", "\"10s\"", "'s'", "10sec"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn refused_ones_say_what_to_write() {
        for (text, cure) in [
            ("10m", "write `10min`"),
            ("1h5m", "write `1h5min`"),
            ("1.5h", "write `1h30min`"),
            ("0.1us", "such as `us`"),
            ("1h0.5min", "such as `s`"),
            ("30min1h", "`1h30min`"),
            ("999999999999d", "292,000 years"),
            ("1.5MiB", "`KiB`"),
            ("99999999999GiB", "16 million"),
        ] {
            match read(text) {
                Some(Amount::Refused(_, help)) => assert!(help.contains(cure), "{text}: {help}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
