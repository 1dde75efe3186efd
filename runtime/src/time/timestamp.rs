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

    /// The name under which a timestamp asks a serde format for itself. A text format that knows it may hand over the
    /// bytes of its field as they are; otherwise it would try them as numbers first, which takes longer than reading
    /// the time.
    #[doc(hidden)]
    pub const SERDE_NAME: &'static str = "pelton::Timestamp";

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

/// `2013-01-01T10:17:00Z` and nothing else, eight bytes at a time. All other forms, and all mistakes, are for the
/// [`Scanner`].
#[inline]
fn usual(text: &[u8; 20]) -> Option<Timestamp> {
    let (eights, rest) = text.as_chunks::<8>();
    let ([date, time], Some(second)) = (eights, rest.first_chunk::<4>()) else { return None };
    let date = const { Form::new(b"0000-00-") }.read(u64::from_le_bytes(*date))?;
    let time = const { Form::new(b"00T00:00") }.read(u64::from_le_bytes(*time))?;
    let second = const { Form::new(b":00Z\0\0\0\0") }.read(u64::from(u32::from_le_bytes(*second)))?;
    let (year, month) = (date.number(0) * 100 + date.number(2), date.number(5));
    let (day, hour, minute, second) = (time.number(0), time.number(3), time.number(6), second.number(1));
    if hour > 23 || minute > 59 || second > 59 || month.wrapping_sub(1) > 11 || day == 0 {
        return None;
    }
    // Most days need no look at the month.
    if day > 28 && i64::from(day) > days_in(i64::from(year), i64::from(month)) {
        return None;
    }
    let seconds = days_of_our_years(year, month, day) * 86_400 + i64::from(hour * 3_600 + minute * 60 + second);
    Some(Timestamp(seconds * SECOND))
}

/// What eight bytes must look like: digits, and marks between them.
struct Form {
    like: u64,
    /// Added to a byte, it sets the top bit where a digit is above 9, or a mark another one.
    above: u64,
}

impl Form {
    /// A `0` stands for any digit, all else for itself.
    const fn new(like: &[u8; 8]) -> Self {
        let (mut above, mut i) = ([0x7f; 8], 0);
        while i < 8 {
            if like[i] == b'0' {
                above[i] -= 9;
            }
            i += 1;
        }
        Form { like: u64::from_le_bytes(*like), above: u64::from_le_bytes(above) }
    }

    #[inline(always)]
    fn read(self, bytes: u64) -> Option<Pairs> {
        let digits = bytes ^ self.like;
        if (digits.wrapping_add(self.above) | digits) & 0x8080_8080_8080_8080 != 0 {
            return None;
        }
        // No byte is above 9 * 10 + 9, so none runs over into the next.
        Some(Pairs(digits * 10 + (digits >> 8)))
    }
}

/// For each place of eight bytes the number of two digits that begins there; nothing of meaning next to a mark.
struct Pairs(u64);

impl Pairs {
    #[inline(always)]
    fn number(&self, at: u32) -> u32 {
        (self.0 >> (8 * at)) as u32 & 0xff
    }
}

/// Days from 1970-01-01 to a date that exists in the years 0 to 9999. As [`days_of`], with fewer and narrower
/// divisions: Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms" (2023).
#[inline]
fn days_of_our_years(year: u32, month: u32, day: u32) -> i64 {
    let early = u32::from(month <= 2);
    // Counted from March; an era is added so that nothing is below zero.
    let (year, month) = (year + 400 - early, month + 12 * early);
    let century = year / 100;
    let days = year * 1461 / 4 - century + century / 4 + (979 * month - 2919) / 32 + day;
    i64::from(days) - 865_566
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
        if from.is_human_readable() {
            from.deserialize_newtype_struct(Timestamp::SERDE_NAME, OfText)
        } else {
            from.deserialize_i64(OfText)
        }
    }
}

struct OfText;

impl<'de> Visitor<'de> for OfText {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time like `2013-01-01T10:17:00Z`, or milliseconds since 1970")
    }

    /// A format that does not know the name: what stands there decides, text or a number.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<Timestamp, D::Error> {
        from.deserialize_any(self)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_count_days_agree_on_every_day_of_our_years() {
        for days in days_of(Date { year: 0, month: 1, day: 1 })..=days_of(Date { year: 9999, month: 12, day: 31 }) {
            let date = date_of(days);
            assert_eq!(days_of_our_years(date.year as u32, date.month as u32, date.day as u32), days, "{date:?}");
        }
    }

    #[test]
    fn each_byte_of_the_usual_form_is_looked_at() {
        let good = b"2013-01-01T10:17:00Z";
        assert_eq!(usual(good), Some(Timestamp(1_357_035_420_000)));
        for at in 0..20 {
            for byte in 0..=255 {
                let mut text = *good;
                text[at] = byte;
                let slow = Scanner { text: &text, at: 0 }.timestamp().ok();
                let exact = at != 10 && at != 19 || byte == good[at];
                assert_eq!(usual(&text), slow.filter(|_| exact), "{:?}", String::from_utf8_lossy(&text));
            }
        }
    }
}
