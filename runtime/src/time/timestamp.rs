//! [`Timestamp`], and how it is written and read: `2013-01-01T10:17:00Z`.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ParseTimeError;
use super::calendar::{Date, date_of, days_in, days_of};

const DAY: i64 = 86_400_000;
const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;
const SECOND: i64 = 1_000;

/// A point in event time, in milliseconds since 1970-01-01T00:00:00Z.
///
/// As text it is `2013-01-01T10:17:00Z`, with `.123` behind the seconds if they are not whole; outside of the years
/// 0000 to 9999, which that form cannot write, it is the milliseconds, `-62167219200001ms`. Both are read back
/// exactly. Also read: another offset (`+02:00`), a space instead of the `T`, a time without seconds or without offset
/// (then it is UTC), a date alone, fractions of any length (milliseconds are kept, the rest is dropped). With serde it
/// is that text, and is read from it or from a whole number of milliseconds; in formats that are not for people it is
/// the number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Before every event: the watermark of an input that has said nothing yet.
    pub const MIN: Timestamp = Timestamp(i64::MIN);
    /// After every event: the watermark of an input that has ended.
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    /// The point `ms` milliseconds after (or, if negative, before) 1970-01-01T00:00:00Z.
    #[inline(always)]
    pub const fn from_millis(ms: i64) -> Self {
        Timestamp(ms)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[inline(always)]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Reads text; see [`Timestamp`] for its forms.
    ///
    /// # Errors
    /// If it is none of them, with the place and what was expected there.
    #[inline]
    pub fn parse(text: &[u8]) -> Result<Self, ParseTimeError> {
        match text.first_chunk::<20>() {
            Some(chunk) if text.len() == 20 => match usual(chunk) {
                Some(at) => Ok(at),
                None => Scanner { text, at: 0 }.timestamp(),
            },
            _ => Scanner { text, at: 0 }.timestamp(),
        }
    }
}

/// `2013-01-01T10:17:00Z` and nothing else: no branch until the end. All other forms, and all mistakes, are for the
/// [`Scanner`].
#[inline]
fn usual(text: &[u8; 20]) -> Option<Timestamp> {
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
    let mut wrong = 0;
    for (at, mark) in marks {
        wrong |= text[at] ^ mark;
    }
    let mut number = |at: usize| {
        let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
        wrong |= u8::from(tens > 9) | u8::from(ones > 9);
        i64::from(tens) * 10 + i64::from(ones)
    };
    let year = number(0) * 100 + number(2);
    let (month, day, hour, minute, second) = (number(5), number(8), number(11), number(14), number(17));
    if wrong != 0 || hour > 23 || minute > 59 || second > 59 || !(1..=12).contains(&month) {
        return None;
    }
    // Most days need no look at the month.
    if day == 0 || day > 28 && day > days_in(year, month) {
        return None;
    }
    let time = hour * HOUR + minute * MINUTE + second * SECOND;
    Some(Timestamp(days_of(Date { year, month, day }) * DAY + time))
}

/// Reads every form, one part after the other.
struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn timestamp(mut self) -> Result<Timestamp, ParseTimeError> {
        if let Some(digits) = self.text.strip_suffix(b"ms") {
            let ms = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
            return ms.map(Timestamp).ok_or_else(|| self.expected("a whole number of milliseconds"));
        }
        let year = self.digits(4, 0..=9999, "a year of four digits")?;
        self.mark(b"-", "`-` behind the year")?;
        let month = self.digits(2, 1..=12, "a month from 01 to 12")?;
        self.mark(b"-", "`-` behind the month")?;
        let last = days_in(year, month);
        let day = self.digits(2, 1..=last, day_up_to(last))?;
        let midnight = days_of(Date { year, month, day }) * DAY;
        if self.at == self.text.len() {
            return Ok(Timestamp(midnight));
        }
        self.mark(b"Tt ", "`T` or a space behind the date")?;
        let hour = self.digits(2, 0..=23, "an hour from 00 to 23")?;
        self.mark(b":", "`:` behind the hour")?;
        let minute = self.digits(2, 0..=59, "a minute from 00 to 59")?;
        let mut time = hour * HOUR + minute * MINUTE;
        if self.take(b":") {
            // A leap second is not counted: it is the one behind it.
            let last = if minute == 59 { 60 } else { 59 };
            time += self.digits(2, 0..=last, "a second from 00 to 59")? * SECOND;
            if self.take(b".,") {
                time += self.fraction()?;
            }
        }
        let offset = self.offset()?;
        if self.at < self.text.len() {
            return Err(self.expected("the end"));
        }
        Ok(Timestamp(midnight + time - offset))
    }

    fn fraction(&mut self) -> Result<i64, ParseTimeError> {
        let start = self.at;
        let (mut ms, mut unit) = (0, 100);
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            ms += i64::from(digit - b'0') * unit;
            unit /= 10;
            self.at += 1;
        }
        if self.at == start { Err(self.expected("digits of a second")) } else { Ok(ms) }
    }

    fn offset(&mut self) -> Result<i64, ParseTimeError> {
        let sign = match self.peek() {
            None => return Ok(0),
            Some(b'Z' | b'z') => {
                self.at += 1;
                return Ok(0);
            }
            Some(b'+') => 1,
            Some(b'-') => -1,
            Some(_) => return Err(self.expected("`Z` or an offset like `+02:00`")),
        };
        self.at += 1;
        let hours = self.digits(2, 0..=23, "hours of the offset from 00 to 23")?;
        if self.at == self.text.len() {
            return Ok(sign * hours * HOUR);
        }
        self.take(b":");
        let minutes = self.digits(2, 0..=59, "minutes of the offset from 00 to 59")?;
        Ok(sign * (hours * HOUR + minutes * MINUTE))
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, any_of: &[u8]) -> bool {
        let found = self.peek().is_some_and(|byte| any_of.contains(&byte));
        self.at += usize::from(found);
        found
    }

    fn mark(&mut self, any_of: &[u8], expected: &'static str) -> Result<(), ParseTimeError> {
        if self.take(any_of) { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn digits(
        &mut self,
        count: usize,
        range: std::ops::RangeInclusive<i64>,
        expected: &'static str,
    ) -> Result<i64, ParseTimeError> {
        let digits = self.text.get(self.at..self.at + count).filter(|digits| digits.iter().all(u8::is_ascii_digit));
        let value = digits.map(|digits| digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0')));
        match value.filter(|value| range.contains(value)) {
            Some(value) => {
                self.at += count;
                Ok(value)
            }
            None => Err(self.expected(expected)),
        }
    }

    fn expected(&self, expected: &'static str) -> ParseTimeError {
        ParseTimeError::new(self.text, self.at, expected, "2013-01-01T10:17:00Z")
    }
}

fn day_up_to(last: i64) -> &'static str {
    match last {
        28 => "a day from 01 to 28",
        29 => "a day from 01 to 29",
        30 => "a day from 01 to 30",
        _ => "a day from 01 to 31",
    }
}

/// The text of a timestamp in a date's range, without allocating: all of it, or the first 19 bytes and the `Z`.
struct Text {
    bytes: [u8; 24],
    length: usize,
}

impl Text {
    #[inline]
    fn of(at: Timestamp) -> Option<Text> {
        let (date, time) = (date_of(at.0.div_euclid(DAY)), at.0.rem_euclid(DAY));
        if !(0..=9999).contains(&date.year) {
            return None;
        }
        let mut bytes = *b"0000-00-00T00:00:00.000Z";
        let mut put = |at: usize, two: i64| {
            bytes[at] += (two / 10) as u8;
            bytes[at + 1] += (two % 10) as u8;
        };
        put(0, date.year / 100);
        put(2, date.year % 100);
        put(5, date.month);
        put(8, date.day);
        put(11, time / HOUR);
        put(14, time / MINUTE % 60);
        put(17, time / SECOND % 60);
        let ms = time % SECOND;
        put(21, ms % 100);
        bytes[20] += (ms / 100) as u8;
        if ms == 0 {
            bytes[19] = b'Z';
        }
        Some(Text { bytes, length: if ms == 0 { 20 } else { 24 } })
    }

    fn as_str(&self) -> &str {
        // Digits and marks: always text.
        std::str::from_utf8(self.bytes.split_at(self.length).0).unwrap_or_default()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Text::of(*self) {
            Some(text) => f.pad(text.as_str()),
            None => f.pad(&format!("{}ms", self.0)),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimeError;
    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        Timestamp::parse(text.as_bytes())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if !to.is_human_readable() {
            return to.serialize_i64(self.0);
        }
        match Text::of(*self) {
            Some(text) => to.serialize_str(text.as_str()),
            None => to.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() { from.deserialize_any(OfText) } else { from.deserialize_i64(OfText) }
    }
}

struct OfText;

impl Visitor<'_> for OfText {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time like `2013-01-01T10:17:00Z`, or milliseconds since 1970")
    }

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<Timestamp, E> {
        Timestamp::parse(text.as_bytes()).map_err(E::custom)
    }

    #[inline]
    fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<Timestamp, E> {
        Timestamp::parse(text).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, ms: i64) -> Result<Timestamp, E> {
        Ok(Timestamp(ms))
    }

    fn visit_u64<E: Error>(self, ms: u64) -> Result<Timestamp, E> {
        let out_of_range = |_| E::custom(format_args!("{ms} milliseconds are out of range"));
        i64::try_from(ms).map(Timestamp).map_err(out_of_range)
    }
}
