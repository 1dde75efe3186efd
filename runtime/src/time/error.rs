//! What is said when text is no time, or a time does not fit.

use std::fmt;

/// Text that could not be read as a [`Timestamp`](super::Timestamp) or a [`TimeSpan`](super::TimeSpan).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseTimeError {
    text: String,
    at: usize,
    expected: &'static str,
    like: &'static str,
}

impl ParseTimeError {
    /// At byte `at` of `text` stands something else than `expected`; `like` is an example of the whole.
    #[cold]
    pub(super) fn new(text: &[u8], at: usize, expected: &'static str, like: &'static str) -> Self {
        // Long text is a mistake of another kind, and would hide the rest of the message.
        let shown = text.get(..40).map_or_else(
            || String::from_utf8_lossy(text).into_owned(),
            |start| format!("{}..", String::from_utf8_lossy(start)),
        );
        ParseTimeError { text: shown, at, expected, like }
    }

    /// What was expected, and not found: `a month from 01 to 12`.
    pub fn expected(&self) -> &'static str {
        self.expected
    }

    /// Where: bytes from the start of the text.
    pub fn at(&self) -> usize {
        self.at
    }
}

impl fmt::Display for ParseTimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ParseTimeError { text, at, expected, like } = self;
        write!(f, "`{text}`: expected {expected} at character {}; write it like `{like}`", at + 1)
    }
}

impl std::error::Error for ParseTimeError {}

/// A distance that a [`TimeSpan`](super::TimeSpan) (292,000 years) or a `Duration` (nothing negative) cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRangeError;

impl fmt::Display for TimeRangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "this span of time does not fit: a `Duration` is not negative, and a `TimeSpan` ends at 292,000 years",
        )
    }
}

impl std::error::Error for TimeRangeError {}
