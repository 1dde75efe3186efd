//! [`Body`]: the bytes of the split that a reader has open, mapped or unpacked, as one window that moves forward.
//!
//! A reader takes whole records off the front of the window and asks for more where one is not complete. It knows
//! nothing of records but that `\n` ends a line, for the line numbers of messages.

use super::input::Input;
use super::map::Map;
use super::packed::Packed;
use super::splits::Piece;
use crate::error::Fault;
use std::path::Path;
use std::sync::Arc;

/// What a stream's buffer holds at first; it grows if a single record does not fit.
const BUFFER: usize = 256 << 10;

/// What may stand in front of a text that is UTF-8; it is no part of the text.
pub(super) const BOM: &[u8] = "\u{feff}".as_bytes();

pub(super) enum Body {
    /// A stretch of a mapped file.
    Mapped { map: Arc<Map>, start: usize, at: usize, end: usize },
    /// A packed file.
    Stream {
        packed: Box<Packed>,
        buffer: Vec<u8>,
        at: usize,
        filled: usize,
        ended: bool,
        /// Line ends in front of the buffer.
        lines: u64,
    },
}

impl Body {
    /// The part of `input` that a split names.
    pub(super) fn open(path: &Path, input: Input, piece: Piece) -> Result<Body, Fault> {
        match (input, piece) {
            (Input::Plain(map), Piece::Range { start, end }) => {
                map.check()?;
                match (usize::try_from(start), usize::try_from(end)) {
                    (Ok(start), Ok(end)) if start <= end && end <= map.bytes().len() => {
                        Ok(Body::Mapped { map, start, at: start, end })
                    }
                    _ => Err(changed(path)),
                }
            }
            (Input::Packed(packed), Piece::Whole) => Ok(Body::stream(packed)),
            _ => Err(changed(path)),
        }
    }

    /// A packed file from its start.
    pub(super) fn stream(packed: Packed) -> Body {
        Body::Stream { packed: Box::new(packed), buffer: vec![0; BUFFER], at: 0, filled: 0, ended: false, lines: 0 }
    }

    /// What has not been consumed, as far as it is in memory.
    #[inline]
    pub(super) fn window(&self) -> &[u8] {
        match self {
            Body::Mapped { map, at, end, .. } => map.bytes().get(*at..*end).unwrap_or_default(),
            Body::Stream { buffer, at, filled, .. } => buffer.get(*at..*filled).unwrap_or_default(),
        }
    }

    /// Whether the window reaches to the end of the split.
    #[inline]
    pub(super) fn complete(&self) -> bool {
        match self {
            Body::Mapped { .. } => true,
            Body::Stream { ended, .. } => *ended,
        }
    }

    /// Whether nothing of the file lies in front of the window.
    pub(super) fn at_file_start(&self) -> bool {
        match self {
            Body::Mapped { at, .. } => *at == 0,
            Body::Stream { at, lines, filled, .. } => *at == 0 && *filled == 0 && *lines == 0,
        }
    }

    /// Takes `bytes` off the front of the window.
    #[inline]
    pub(super) fn consume(&mut self, bytes: usize) {
        match self {
            Body::Mapped { at, end, .. } => *at = (*at + bytes).min(*end),
            Body::Stream { at, filled, .. } => *at = (*at + bytes).min(*filled),
        }
    }

    /// Makes the window longer, or complete.
    pub(super) fn fill(&mut self) -> Result<(), Fault> {
        let Body::Stream { packed, buffer, at, filled, ended, lines } = self else { return Ok(()) };
        *lines += newlines(buffer.get(..*at).unwrap_or_default());
        buffer.copy_within(*at..*filled, 0);
        *filled -= *at;
        *at = 0;
        if *filled == buffer.len() {
            buffer.resize(buffer.len() * 2, 0);
        }
        // To the brim: who looks for the end of a long record looks at it only once per doubling.
        while *filled < buffer.len() && !*ended {
            let got = packed.read(buffer.get_mut(*filled..).unwrap_or_default())?;
            *filled += got;
            *ended = got == 0;
        }
        Ok(())
    }

    /// Fails if a mapped file was cut meanwhile.
    pub(super) fn check(&self) -> Result<(), Fault> {
        match self {
            Body::Mapped { map, .. } => map.check(),
            Body::Stream { .. } => Ok(()),
        }
    }

    /// The line, counted from 1 over the whole file, at an offset into the window. Counts: for messages only.
    pub(super) fn line(&self, offset: usize) -> u64 {
        let (before, in_front) = match self {
            Body::Mapped { map, at, end, .. } => (0, map.bytes().get(..(*at + offset).min(*end))),
            Body::Stream { buffer, at, filled, lines, .. } => (*lines, buffer.get(..(*at + offset).min(*filled))),
        };
        1 + before + newlines(in_front.unwrap_or_default())
    }

    /// Bytes of the split's own file that lie behind the window's front.
    pub(super) fn bytes_read(&self) -> u64 {
        match self {
            Body::Mapped { start, at, .. } => (at - start) as u64,
            Body::Stream { packed, .. } => packed.bytes_read(),
        }
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

fn changed(path: &Path) -> Fault {
    Fault::new("the file was replaced by another one while it was read")
        .in_file(path)
        .help("let the job read files that stay as they are until it has ended")
}
