//! [`FileSplits`]: the enumerator of a file. It cuts a plain file into stretches of whole records, and leaves a packed one
//! in one piece.
//!
//! A cut is exact: the enumerator walks ahead of the assignment, one split at a time, so that reading starts at once.
//! What a record is it leaves to a [`Cut`]. It knows nothing of columns and types.

use super::input::Input;
use super::{Enumerator, Found, Split};
use crate::error::Fault;
use crate::mapped::Map;
use std::path::Path;
use std::sync::Arc;

/// What of a file a split covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Bytes of a plain file, from the start of a record to the end of one.
    Range { start: u64, end: u64 },
    /// All of a packed file.
    Whole,
}

impl Piece {
    /// As a split's detail: nothing for the whole, else start and end, little-endian.
    pub(super) fn encode(self) -> Vec<u8> {
        match self {
            Piece::Whole => Vec::new(),
            Piece::Range { start, end } => [start.to_le_bytes(), end.to_le_bytes()].concat(),
        }
    }

    pub(super) fn decode(detail: &[u8]) -> Result<Piece, Fault> {
        match detail.as_chunks::<8>() {
            ([], []) => Ok(Piece::Whole),
            ([start, end], []) => Ok(Piece::Range { start: u64::from_le_bytes(*start), end: u64::from_le_bytes(*end) }),
            _ => Err(Fault::new(format!("{} bytes that are no split of a file", detail.len())).lasting()),
        }
    }
}

/// Finds where a plain file can be cut.
pub(super) trait Cut: Send + 'static {
    /// The first record boundary that is at `target` or behind it. `from` is a boundary.
    fn cut(&self, data: &[u8], from: usize, target: usize) -> usize;
}

/// Behind each `\n`.
pub(super) struct AtLines;

impl Cut for AtLines {
    fn cut(&self, data: &[u8], _from: usize, target: usize) -> usize {
        let Some(last) = target.checked_sub(1) else { return 0 };
        let rest = data.get(last..).unwrap_or_default();
        memchr::memchr(b'\n', rest).map_or(data.len(), |found| last + found + 1)
    }
}

/// A number as a position or a state: 8 bytes, little-endian.
pub(crate) fn number(bytes: &[u8]) -> Result<u64, Fault> {
    let wrong = |_| Fault::new(format!("{} bytes that are no place in a split", bytes.len())).lasting();
    bytes.try_into().map(u64::from_le_bytes).map_err(wrong)
}

/// The splits of one file.
pub(super) struct FileSplits<C> {
    what: What,
    next: u64,
    cut: C,
}

enum What {
    Plain { map: Arc<Map>, at: usize, bytes: usize },
    Packed { bytes: u64, given: bool },
}

impl<C: Cut> FileSplits<C> {
    /// Cuts a plain file about every `bytes`; by default so that there are many, and none is longer than 4 MiB.
    pub(super) fn new(input: &Input, bytes: Option<usize>, cut: C) -> Self {
        let what = match input {
            Input::Packed(packed) => What::Packed { bytes: packed.len(), given: false },
            Input::Plain(map) => {
                let bytes = bytes.unwrap_or((map.bytes().len() / 16).clamp(16 << 10, 4 << 20)).max(1);
                What::Plain { map: Arc::clone(map), at: 0, bytes }
            }
        };
        FileSplits { what, next: 0, cut }
    }

    /// Goes on from a state: the length of the file, the place up to which it has been cut, and the number of splits.
    pub(super) fn from(mut self, state: Option<&[u8]>, path: &Path) -> Result<Self, Fault> {
        let Some(state) = state else { return Ok(self) };
        let ([len, cut, next], []) = state.as_chunks::<8>() else {
            return Err(Fault::new(format!("{} bytes that are no state of a file's splits", state.len())).lasting());
        };
        let [len, cut, next] = [len, cut, next].map(|bytes| u64::from_le_bytes(*bytes));
        if self.total_bytes() != Some(len) {
            let what =
                format!("the file has {} bytes now and had {len} at the checkpoint", self.total_bytes().unwrap_or(0));
            return Err(Fault::new(what)
                .in_file(path)
                .lasting()
                .help("give the job the file that it has read so far, or begin anew with `--fresh`"));
        }
        match &mut self.what {
            What::Plain { at, .. } => *at = usize::try_from(cut).unwrap_or(usize::MAX),
            What::Packed { given, .. } => *given = cut > 0,
        }
        self.next = next;
        Ok(self)
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }
}

impl<C: Cut> Enumerator for FileSplits<C> {
    fn next(&mut self) -> Result<Found, Fault> {
        let (piece, bytes) = match &mut self.what {
            What::Packed { given: true, .. } => return Ok(Found::Finished),
            What::Packed { bytes, given } => {
                *given = true;
                (Piece::Whole, *bytes)
            }
            What::Plain { map, at, .. } if *at >= map.bytes().len() => return Ok(Found::Finished),
            What::Plain { map, at, bytes } => {
                map.check()?;
                let (data, start) = (map.bytes(), *at);
                *at = match start.saturating_add(*bytes) {
                    target if target < data.len() => self.cut.cut(data, start, target),
                    _ => data.len(),
                };
                (Piece::Range { start: start as u64, end: *at as u64 }, (*at - start) as u64)
            }
        };
        Ok(Found::Split(Split { id: self.number(), detail: piece.encode(), bytes: Some(bytes) }))
    }

    fn state(&self) -> Vec<u8> {
        let cut = match &self.what {
            What::Plain { at, .. } => *at as u64,
            What::Packed { given, .. } => u64::from(*given),
        };
        [self.total_bytes().unwrap_or(0), cut, self.next].map(u64::to_le_bytes).concat()
    }

    fn total_bytes(&self) -> Option<u64> {
        Some(match &self.what {
            What::Plain { map, .. } => map.bytes().len() as u64,
            What::Packed { bytes, .. } => *bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_reads_back() {
        for piece in [Piece::Whole, Piece::Range { start: 0, end: 7 }, Piece::Range { start: 1 << 40, end: u64::MAX }] {
            assert_eq!(Piece::decode(&piece.encode()).unwrap(), piece);
        }
        for len in [1, 8, 15, 17, 24] {
            assert!(Piece::decode(&vec![0; len]).is_err(), "{len}");
        }
    }

    #[test]
    fn lines_are_cut_behind_their_end() {
        let data = b"ab\ncd\n\nlast";
        let cuts: Vec<usize> = (0..=data.len()).map(|target| AtLines.cut(data, 0, target)).collect();
        assert_eq!(cuts, [0, 3, 3, 3, 6, 6, 6, 7, 11, 11, 11, 11]);
    }
}
