//! [`TimeSpan`], and how it is written and read: `1h30min`, `250us`.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ParseTimeError, TimeRangeError};

/// The units, largest first, in microseconds.
const UNITS: [(&str, u64); 6] =
    [("d", 86_400_000_000), ("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1)];

/// A signed distance between two points in time, in microseconds.
///
/// As text it is a list of numbers with their units `d`, `h`, `min`, `s`, `ms`, `us`, largest first: `1h30min`,
/// `-250us`, `0s`; that text is also its serde form, except in formats that are not for people, where it is the number
/// of microseconds. Sums and products saturate at about 292,000 years.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TimeSpan(i64);

impl TimeSpan {
    /// No distance.
    pub const ZERO: TimeSpan = TimeSpan(0);
    /// The longest, about 292,000 years.
    pub const MAX: TimeSpan = TimeSpan(i64::MAX);

    /// `us` microseconds.
    #[inline(always)]
    pub const fn from_micros(us: i64) -> Self {
        TimeSpan(us)
    }

    /// `ms` milliseconds; saturates at about 292,000 years.
    #[inline(always)]
    pub const fn from_millis(ms: i64) -> Self {
        TimeSpan(ms.saturating_mul(1_000))
    }

    /// `s` seconds; saturates.
    pub const fn from_secs(s: i64) -> Self {
        TimeSpan(s.saturating_mul(1_000_000))
    }

    /// `min` minutes; saturates.
    pub const fn from_mins(min: i64) -> Self {
        TimeSpan(min.saturating_mul(60_000_000))
    }

    /// `h` hours; saturates.
    pub const fn from_hours(h: i64) -> Self {
        TimeSpan(h.saturating_mul(3_600_000_000))
    }

    /// `d` days of 24 hours; saturates.
    pub const fn from_days(d: i64) -> Self {
        TimeSpan(d.saturating_mul(86_400_000_000))
    }

    /// Microseconds.
    #[inline(always)]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds, rounded down.
    #[inline(always)]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whether it points backwards.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl Add for TimeSpan {
    type Output = TimeSpan;
    #[inline]
    fn add(self, other: TimeSpan) -> TimeSpan {
        TimeSpan(self.0.saturating_add(other.0))
    }
}

impl Sub for TimeSpan {
    type Output = TimeSpan;
    #[inline]
    fn sub(self, other: TimeSpan) -> TimeSpan {
        TimeSpan(self.0.saturating_sub(other.0))
    }
}

impl AddAssign for TimeSpan {
    #[inline]
    fn add_assign(&mut self, other: TimeSpan) {
        *self = *self + other;
    }
}

impl SubAssign for TimeSpan {
    #[inline]
    fn sub_assign(&mut self, other: TimeSpan) {
        *self = *self - other;
    }
}

impl Neg for TimeSpan {
    type Output = TimeSpan;
    #[inline]
    fn neg(self) -> TimeSpan {
        TimeSpan(self.0.saturating_neg())
    }
}

impl Mul<i64> for TimeSpan {
    type Output = TimeSpan;
    #[inline]
    fn mul(self, times: i64) -> TimeSpan {
        TimeSpan(self.0.saturating_mul(times))
    }
}

/// Drops what is less than a microsecond.
impl TryFrom<Duration> for TimeSpan {
    type Error = TimeRangeError;
    fn try_from(duration: Duration) -> Result<Self, TimeRangeError> {
        i64::try_from(duration.as_micros()).map(TimeSpan).map_err(|_| TimeRangeError)
    }
}

impl TryFrom<TimeSpan> for Duration {
    type Error = TimeRangeError;
    fn try_from(span: TimeSpan) -> Result<Self, TimeRangeError> {
        u64::try_from(span.0).map(Duration::from_micros).map_err(|_| TimeRangeError)
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::from(if self.0 < 0 { "-" } else { "" });
        let mut left = self.0.unsigned_abs();
        if left == 0 {
            text.push_str("0s");
        }
        for (unit, us) in UNITS {
            if left >= us {
                text.push_str(&(left / us).to_string());
                text.push_str(unit);
                left %= us;
            }
        }
        f.pad(&text)
    }
}

impl fmt::Debug for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for TimeSpan {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let expected = |at, what| ParseTimeError::new(text.as_bytes(), at, what, "1h30min");
        let mut rest = text.strip_prefix('-').unwrap_or(text);
        let negative = rest.len() < text.len();
        let mut total = 0i128;
        // Units that may still follow: each once, from large to small.
        let mut units = &UNITS[..];
        loop {
            let at = text.len() - rest.len();
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let Some((number, behind)) = rest.split_at_checked(digits).filter(|_| digits > 0) else {
                return Err(expected(at, "a whole number with a unit"));
            };
            let letters = behind.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, behind) = behind.split_at(letters);
            let at_unit = at + digits;
            let found = units.iter().enumerate().find(|(_, (name, _))| *name == unit);
            let Some((i, (_, us))) = found else {
                return Err(expected(at_unit, what_unit(unit, units.len())));
            };
            let number: u64 = number.parse().map_err(|_| expected(at, "a span of at most 292,000 years"))?;
            // Each part is below 2^64 days and there are six: no overflow in 128 bits.
            total += i128::from(number) * i128::from(*us);
            units = units.split_at(i + 1).1;
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        let total = if negative { -total } else { total };
        i64::try_from(total).map(TimeSpan).map_err(|_| expected(0, "a span of at most 292,000 years"))
    }
}

/// What to write instead of this unit.
#[cold]
fn what_unit(unit: &str, left: usize) -> &'static str {
    match unit {
        "m" => "`min` for minutes or `ms` for milliseconds",
        "" => "a unit: d, h, min, s, ms or us",
        _ if left < UNITS.len() && UNITS.iter().any(|(name, _)| *name == unit) => {
            "units from large to small, each once"
        }
        _ => "one of the units d, h, min, s, ms, us",
    }
}

impl Serialize for TimeSpan {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_str(self) } else { to.serialize_i64(self.0) }
    }
}

impl<'de> Deserialize<'de> for TimeSpan {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() { from.deserialize_str(OfText) } else { from.deserialize_i64(OfText) }
    }
}

struct OfText;

impl Visitor<'_> for OfText {
    type Value = TimeSpan;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a span of time like `1h30min`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TimeSpan, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, us: i64) -> Result<TimeSpan, E> {
        Ok(TimeSpan(us))
    }

    fn visit_u64<E: Error>(self, us: u64) -> Result<TimeSpan, E> {
        i64::try_from(us).map(TimeSpan).map_err(|_| E::custom(TimeRangeError))
    }
}
