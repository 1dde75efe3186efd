//! [`Body`]: the bytes of the split that a reader has open, mapped or unpacked, as one window that moves forward.
//!
//! A reader takes whole records off the front of the window and asks for more where one is not complete. It knows
//! nothing of records but that `\n` ends a line, for the line numbers of messages.

use super::input::Input;
use super::live::{Got, Pieces};
use super::splits::{Piece, Range};
use super::stream::Stream;
use crate::error::Fault;
use crate::mapped::Map;
use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

/// What a stream's buffer holds at first; it grows if a single record does not fit.
const BUFFER: usize = 256 << 10;

/// What may stand in front of a text that is UTF-8; it is no part of the text.
pub(super) const BOM: &[u8] = "\u{feff}".as_bytes();

/// What a reader has open.
pub struct Body {
    bytes: Bytes,
    counted: Cell<Counted>,
}

enum Bytes {
    /// A stretch of a mapped file.
    Mapped { map: Arc<Map>, start: usize, at: usize, end: usize },
    /// A whole file. `before` are the bytes in front of the buffer.
    Stream { from: From, buffer: Vec<u8>, at: usize, filled: usize, ended: bool, before: usize },
}

/// What a buffer is filled from.
enum From {
    File(Box<Stream>),
    Live(Box<Pieces>),
}

/// How many lines end in front of a place. Line numbers are asked for rarely and going forward: each is counted
/// from the one before, so that a file full of bad records is still counted only once.
#[derive(Clone, Copy, Default)]
struct Counted {
    at: usize,
    lines: u64,
}

impl Body {
    /// What a split names of its file. `before` is what the reader had open of the same file before, if anything: the file
    /// stays mapped, and what is counted is kept.
    pub(super) fn open(piece: &Piece, before: Option<Body>) -> Result<Body, Fault> {
        let path = &piece.file.path;
        let counted = before.as_ref().map(|before| before.counted.get()).unwrap_or_default();
        let input = match before.map(|before| before.bytes) {
            Some(Bytes::Mapped { map, .. }) if piece.range.is_some() => Input::Plain(map),
            _ => Input::open(path, piece.range.is_none())?,
        };
        match (input, piece.range) {
            (Input::Plain(map), Some(Range { start, end })) => {
                map.check()?;
                let len = map.bytes().len();
                match (usize::try_from(start), usize::try_from(end)) {
                    (Ok(start), Ok(end)) if start <= end && end <= len && len as u64 >= piece.file.bytes => {
                        let bytes = Bytes::Mapped { map, start, at: start, end };
                        Ok(Body { bytes, counted: Cell::new(counted) })
                    }
                    _ => Err(piece.file.changed(len as u64)),
                }
            }
            (Input::Stream(from), None) => {
                from.check(&piece.file)?;
                let buffer = vec![0; BUFFER];
                let from = From::File(from);
                let bytes = Bytes::Stream { from, buffer, at: 0, filled: 0, ended: false, before: 0 };
                Ok(Body { bytes, counted: Cell::default() })
            }
            // What is packed now was not when it was found, or the other way round.
            _ => Err(piece.file.changed(piece.file.bytes)),
        }
    }

    /// Text that comes while it is read.
    pub(super) fn live(pieces: Pieces) -> Body {
        let (from, buffer) = (From::Live(Box::new(pieces)), vec![0; BUFFER]);
        let bytes = Bytes::Stream { from, buffer, at: 0, filled: 0, ended: false, before: 0 };
        Body { bytes, counted: Cell::default() }
    }

    /// The whole file that a mapped split is part of.
    pub(super) fn whole_file(&self) -> Option<Body> {
        let Bytes::Mapped { map, .. } = &self.bytes else { return None };
        let bytes = Bytes::Mapped { map: Arc::clone(map), start: 0, at: 0, end: map.bytes().len() };
        Some(Body { bytes, counted: Cell::default() })
    }

    /// What has not been consumed, as far as it is in memory.
    #[inline]
    pub(super) fn window(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Mapped { map, at, end, .. } => map.bytes().get(*at..*end).unwrap_or_default(),
            Bytes::Stream { buffer, at, filled, .. } => buffer.get(*at..*filled).unwrap_or_default(),
        }
    }

    /// Whether the window reaches to the end of the split.
    #[inline]
    pub(super) fn complete(&self) -> bool {
        match &self.bytes {
            Bytes::Mapped { .. } => true,
            Bytes::Stream { ended, .. } => *ended,
        }
    }

    /// How many bytes of the text lie in front of the window.
    pub(super) fn position(&self) -> usize {
        match &self.bytes {
            Bytes::Mapped { at, .. } => *at,
            Bytes::Stream { at, before, .. } => before + at,
        }
    }

    /// Takes `bytes` off the front of the window.
    #[inline]
    pub(super) fn consume(&mut self, bytes: usize) {
        match &mut self.bytes {
            Bytes::Mapped { at, end, .. } => *at = (*at + bytes).min(*end),
            Bytes::Stream { at, filled, .. } => *at = (*at + bytes).min(*filled),
        }
    }

    /// Moves the front of the window to a place in the text, which is read as far as that.
    pub(super) fn skip_to(&mut self, path: &Path, place: u64) -> Result<(), Fault> {
        let gone = || {
            Fault::new(format!("the text ends before byte {place}, up to which it had been read"))
                .in_file(path)
                .lasting()
                .help("give the job the file that it has read so far, or begin anew with `--fresh`")
        };
        let place = usize::try_from(place).map_err(|_| gone())?;
        loop {
            let Some(left) = place.checked_sub(self.position()) else { return Err(gone()) };
            let here = left.min(self.window().len());
            self.consume(here);
            if here == left {
                return Ok(());
            }
            if self.complete() {
                return Err(gone());
            }
            self.fill()?;
        }
    }

    /// Makes the window longer, or complete. `false` if there is nothing more just now.
    pub(super) fn fill(&mut self) -> Result<bool, Fault> {
        if !self.complete() {
            // While the lines that are about to be dropped are still there.
            self.line(0);
        }
        let Bytes::Stream { from, buffer, at, filled, ended, before } = &mut self.bytes else { return Ok(true) };
        buffer.copy_within(*at..*filled, 0);
        *before += *at;
        *filled -= *at;
        *at = 0;
        if *filled == buffer.len() {
            buffer.resize(buffer.len() * 2, 0);
        }
        // To the brim: who looks for the end of a long record looks at it only once per doubling.
        let had = *filled;
        while *filled < buffer.len() && !*ended {
            let into = buffer.get_mut(*filled..).unwrap_or_default();
            let got = match from {
                From::File(file) => file.read(into)?,
                From::Live(pieces) => match pieces.read(into)? {
                    Got::Bytes(got) => got,
                    Got::Nothing => return Ok(*filled > had),
                    Got::End => 0,
                },
            };
            *filled += got;
            *ended = got == 0;
        }
        Ok(true)
    }

    /// Fails if a mapped file was cut meanwhile.
    pub(super) fn check(&self) -> Result<(), Fault> {
        match &self.bytes {
            Bytes::Mapped { map, .. } => map.check(),
            Bytes::Stream { .. } => Ok(()),
        }
    }

    /// Fails if a file that was read to its end was changed meanwhile.
    pub(super) fn ended(&self) -> Result<(), Fault> {
        match &self.bytes {
            Bytes::Stream { from: From::File(file), .. } => file.ended(),
            Bytes::Mapped { .. } | Bytes::Stream { .. } => Ok(()),
        }
    }

    /// The line, counted from 1 over the whole file, at an offset into the window. For messages: it counts.
    pub(super) fn line(&self, offset: usize) -> u64 {
        let place = self.position() + offset;
        let Counted { at, lines } = self.counted.get();
        let lines =
            if at <= place { lines + self.newlines(at, place) } else { lines.saturating_sub(self.newlines(place, at)) };
        self.counted.set(Counted { at: place, lines });
        lines + 1
    }

    fn newlines(&self, from: usize, to: usize) -> u64 {
        let bytes = match &self.bytes {
            Bytes::Mapped { map, .. } => map.bytes().get(from..to),
            Bytes::Stream { buffer, before, .. } => {
                buffer.get(from.saturating_sub(*before)..to.saturating_sub(*before))
            }
        };
        memchr::memchr_iter(b'\n', bytes.unwrap_or_default()).count() as u64
    }

    /// Bytes of the split's own file that have been read.
    pub(super) fn bytes_read(&self) -> u64 {
        match &self.bytes {
            Bytes::Mapped { start, at, .. } => (at - start) as u64,
            Bytes::Stream { from: From::File(file), .. } => file.bytes_read(),
            Bytes::Stream { from: From::Live(pieces), .. } => pieces.bytes_read(),
        }
    }
}
