//! [`FileSplits`]: the enumerator of files. It cuts a plain file into stretches of whole records, and leaves a packed one
//! in one piece; so it does with all files of a folder that is watched, since they may change.
//!
//! A cut is exact: the enumerator walks ahead of the assignment, one split at a time, so that reading starts at once.
//! What a record is it leaves to a [`Cut`]. It knows nothing of columns and types.

use super::files::{FileFound, Where};
use super::input::Input;
use super::watch::Watch;
use super::{Enumerator, Found, Split};
use crate::codec::{CodecError, Reader as Bytes};
use crate::error::Fault;
use crate::mapped::Map;
use crate::record::Record;
use crate::time::TimeSpan;
use std::collections::VecDeque;
use std::sync::Arc;

/// What of a file a split covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) file: FileFound,
    /// A part of a plain file; `None` for all of a file that is read from front to back.
    pub(super) range: Option<Range>,
}

/// Bytes of a plain file, from the start of a record to the end of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Piece {
    /// As a split's detail.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.file.encode(&mut out);
        self.range.map(|range| (range.start, range.end)).encode(&mut out);
        out
    }

    pub(super) fn decode(detail: &[u8]) -> Result<Piece, Fault> {
        let read = || {
            let mut from = Bytes::new(detail);
            let file = FileFound::decode(&mut from)?;
            let range: Option<(u64, u64)> = Record::decode(&mut from)?;
            from.end()?;
            Ok(Piece { file, range: range.map(|(start, end)| Range { start, end }) })
        };
        read().map_err(|e: CodecError| {
            Fault::new(format!("{} bytes that are no split of a file", detail.len())).because(e).lasting()
        })
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

/// The splits of files.
pub(super) struct FileSplits<C> {
    place: Where,
    cut: C,
    split_bytes: Option<usize>,
    /// What comes later is found by it.
    watch: Option<Watch>,
    /// Files of which not all has been given, in order.
    files: VecDeque<FileFound>,
    /// The first of them, if it is a plain one and has been opened.
    open: Option<Arc<Map>>,
    /// Up to which byte the first of them has been given.
    at: u64,
    /// The number of the next split.
    next: u64,
    /// Bytes of all files that were there at the start.
    total: u64,
}

impl<C: Cut> FileSplits<C> {
    /// Cuts plain files about every `bytes`; by default so that there are many splits, and none is longer than 4 MiB. With `watch` new files
    /// are looked for so often.
    pub(super) fn new(
        place: Where,
        watch: Option<TimeSpan>,
        split_bytes: Option<usize>,
        cut: C,
    ) -> Result<Self, Fault> {
        let mut splits = FileSplits {
            place,
            cut,
            split_bytes,
            watch: None,
            files: VecDeque::new(),
            open: None,
            at: 0,
            next: 0,
            total: 0,
        };
        match watch {
            Some(every) => {
                let mut watch = Watch::new(&splits.place, every)?;
                splits.files.extend(watch.look(&splits.place)?);
                splits.watch = Some(watch);
            }
            None => {
                if let Where::One(path) = &splits.place {
                    // What is wrong with it is told at once.
                    Input::open(path, false)?;
                }
                let found = splits.place.list()?;
                if let (Where::Pattern(pattern), []) = (&splits.place, &found[..]) {
                    return Err(Fault::new("no file matches the pattern").in_file(pattern).help(
                        "`*` stands for any part of a name, `**` for any folders; to wait for files that come later write `.watch(1s)`",
                    ));
                }
                // Only of files that may change while they are read it matters when that was.
                splits.files.extend(found.into_iter().map(|file| FileFound { modified: 0, ..file }));
            }
        }
        splits.total = splits.files.iter().map(|file| file.bytes).sum();
        Ok(splits)
    }

    /// Goes on from a state: what was given of which files.
    pub(super) fn from(mut self, state: Option<&[u8]>) -> Result<Self, Fault> {
        let Some(state) = state else { return Ok(self) };
        let state = State::decode(state)
            .map_err(|e| Fault::new("the state of the files that were read is none").because(e).lasting())?;
        match (&mut self.watch, state.seen) {
            (Some(watch), Some(seen)) => watch.has_seen(seen),
            (None, None) => {}
            (watch, _) => {
                let before = if watch.is_some() { "without" } else { "with" };
                return Err(Fault::new(format!("the job has read these files {before} `.watch(..)` so far"))
                    .in_file(self.place.path())
                    .lasting()
                    .help("leave it so, or begin anew with `--fresh`"));
            }
        }
        for then in &state.files {
            let now = then.path.metadata().map(|about| FileFound::of(&then.path, &about));
            match now {
                Ok(now) if then.is_still(&now) => {}
                Ok(now) => return Err(then.changed(now.bytes)),
                Err(e) => {
                    let help = "put it back until the job has read it, or begin anew with `--fresh`";
                    return Err(Fault::new("a file that is to be read is not there any more")
                        .in_file(&then.path)
                        .because(e)
                        .help(help));
                }
            }
        }
        (self.files, self.at, self.next) = (state.files.into(), state.at, state.next);
        Ok(self)
    }

    fn split(&mut self, file: FileFound, range: Option<Range>) -> Split {
        let bytes = range.map_or(file.bytes, |range| range.end - range.start);
        let id = self.next;
        self.next += 1;
        Split { id, detail: Piece { file, range }.encode(), bytes: Some(bytes) }
    }

    /// The next split of the first file; `None` if there is none left in it.
    fn piece(&mut self, file: &FileFound) -> Result<Option<Split>, Fault> {
        if self.at >= file.bytes {
            return Ok(None);
        }
        if self.watch.is_none() && self.open.is_none() {
            self.open = match Input::open(&file.path, false)? {
                Input::Plain(map) => {
                    if (map.bytes().len() as u64) < file.bytes {
                        return Err(file.changed(map.bytes().len() as u64));
                    }
                    Some(map)
                }
                Input::Stream(_) => None,
            };
        }
        let Some(map) = &self.open else {
            self.at = file.bytes;
            return Ok(Some(self.split(file.clone(), None)));
        };
        map.check()?;
        // What was added since is not read.
        let all = usize::try_from(file.bytes).unwrap_or(usize::MAX);
        let data = map.bytes().get(..all).unwrap_or_default();
        let bytes = self.split_bytes.unwrap_or((data.len() / 16).clamp(16 << 10, 4 << 20)).max(1);
        let start = usize::try_from(self.at).unwrap_or(usize::MAX);
        let end = match start.saturating_add(bytes) {
            target if target < data.len() => self.cut.cut(data, start, target),
            _ => data.len(),
        };
        self.at = end as u64;
        Ok(Some(self.split(file.clone(), Some(Range { start: start as u64, end: end as u64 }))))
    }
}

impl<C: Cut> Enumerator for FileSplits<C> {
    fn next(&mut self) -> Result<Found, Fault> {
        loop {
            if let Some(file) = self.files.front().cloned() {
                if let Some(split) = self.piece(&file)? {
                    return Ok(Found::Split(split));
                }
                self.files.pop_front();
                (self.open, self.at) = (None, 0);
                continue;
            }
            let Some(watch) = &mut self.watch else { return Ok(Found::Finished) };
            if !watch.is_due() {
                return Ok(Found::Later);
            }
            let found = watch.look(&self.place)?;
            if found.is_empty() {
                return Ok(Found::Later);
            }
            self.files.extend(found);
        }
    }

    fn state(&self) -> Vec<u8> {
        let files = self.files.iter().cloned().collect();
        State { files, at: self.at, next: self.next, seen: self.watch.as_ref().map(Watch::seen) }.encode()
    }

    fn total_bytes(&self) -> Option<u64> {
        Some(self.total)
    }
}

/// What has been given.
#[derive(Debug, PartialEq, Eq)]
struct State {
    files: Vec<FileFound>,
    at: u64,
    next: u64,
    /// Files that were found by watching and are still there.
    seen: Option<Vec<FileFound>>,
}

impl State {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let list = |files: &[FileFound], out: &mut Vec<u8>| {
            (files.len() as u64).encode(out);
            files.iter().for_each(|file| file.encode(out));
        };
        (self.at, self.next, self.seen.is_some()).encode(&mut out);
        list(&self.files, &mut out);
        list(self.seen.as_deref().unwrap_or_default(), &mut out);
        out
    }

    fn decode(state: &[u8]) -> Result<State, CodecError> {
        let mut from = Bytes::new(state);
        let (at, next, watched) = Record::decode(&mut from)?;
        let list = |from: &mut Bytes<'_>| {
            let count: u64 = Record::decode(from)?;
            (0..count).map(|_| FileFound::decode(from)).collect::<Result<Vec<_>, _>>()
        };
        let (files, seen) = (list(&mut from)?, list(&mut from)?);
        from.end()?;
        Ok(State { files, at, next, seen: Some(seen).filter(|_| watched) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> FileFound {
        FileFound { path: path.into(), bytes: 7, modified: u64::MAX }
    }

    #[test]
    fn a_piece_reads_back() {
        for range in [None, Some(Range { start: 0, end: 7 }), Some(Range { start: 1 << 40, end: u64::MAX })] {
            let piece = Piece { file: file("in/a.csv"), range };
            assert_eq!(Piece::decode(&piece.encode()).unwrap(), piece);
            for cut in 0..piece.encode().len() {
                assert!(Piece::decode(&piece.encode()[..cut]).is_err(), "{cut}");
            }
        }
    }

    #[test]
    fn a_state_reads_back() {
        for seen in [None, Some(vec![]), Some(vec![file("a"), file("b")])] {
            let state = State { files: vec![file("b")], at: 5, next: 9, seen };
            assert_eq!(State::decode(&state.encode()).unwrap(), state);
            assert!(State::decode(&[&state.encode()[..], &[0]].concat()).is_err());
        }
        assert!(State::decode(&[]).is_err());
    }

    #[test]
    fn lines_are_cut_behind_their_end() {
        let data = b"ab\ncd\n\nlast";
        let cuts: Vec<usize> = (0..=data.len()).map(|target| AtLines.cut(data, 0, target)).collect();
        assert_eq!(cuts, [0, 3, 3, 3, 6, 6, 6, 7, 11, 11, 11, 11]);
    }
}
