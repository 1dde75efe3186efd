//! [`FileReader`]: reads the splits of files on one worker, whatever their form.
//!
//! It opens, skips, fills and tells places; what a record is and how it becomes a row is the business of a [`Form`].

use super::body::Body;
use super::live::Live;
use super::queued::cannot_replay;
use super::splits::{Piece, number};
use super::{Emit, Polled, Reader, RowType, Split, Waker};
use crate::error::{Fault, Place};
use std::path::{Path, PathBuf};

/// Where a reader is in the window of a body.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    /// Where the record that was emitted last begins.
    pub last: usize,
    /// Where the next record begins.
    pub done: usize,
}

/// What the records of a file are, and how they become rows.
pub trait Form<R: RowType>: 'static {
    /// A split is opened: takes what stands at the start of its file off the front of the body, if it is there. `false` if that has not come yet.
    ///
    /// # Errors
    /// If the start of the file says that it has no such rows.
    fn begin(&mut self, path: &Path, body: &mut Body) -> Result<bool, Fault>;
    /// Whether nothing can be read without what stands at the start.
    fn needs_start(&self) -> bool {
        false
    }
    /// Emits whole records from the window, from the cursor on, and moves it; `left` of them at most, which it counts down. If some
    /// are left, there is no whole record in the rest of the window.
    ///
    /// # Errors
    /// If a bad record is to end the run.
    fn read<E: Emit<R>>(
        &mut self,
        path: &Path,
        body: &Body,
        cursor: &mut Cursor,
        left: &mut usize,
        out: &mut E,
    ) -> Result<(), Fault>;
}

/// Reads files on one worker.
pub struct FileReader<F> {
    form: F,
    /// What is read, if it is no file.
    live: Option<Live>,
    open: Option<Open>,
    waker: Option<Waker>,
}

struct Open {
    /// What stands at the start has been read.
    begun: bool,
    path: PathBuf,
    body: Body,
    cursor: Cursor,
}

impl<F> FileReader<F> {
    pub(super) fn new(form: F, live: Option<Live>) -> Self {
        FileReader { form, live, open: None, waker: None }
    }

    /// Opens what is no file.
    fn open_live(&mut self, live: &Live, from: u64, needs_start: bool) -> Result<Open, Fault> {
        let name = live.name();
        if from > 0 && !live.may_lose {
            return Err(cannot_replay(&name));
        }
        if from > 0 && needs_start {
            return Err(Fault::new(format!(
                "the header was read from {name} before the checkpoint, and does not come again"
            ))
            .lasting()
            .help(
                "write `.no_header()` behind `csv(..)` and leave it out of the input, or begin anew with `--fresh`",
            ));
        }
        let body = Body::live(live.open(self.waker.clone())?);
        Ok(Open { begun: false, path: name.into(), body, cursor: Cursor::default() })
    }
}

impl<R: RowType, F: Form<R>> Reader<R> for FileReader<F> {
    fn open(&mut self, split: Split, from: Option<&[u8]>) -> Result<(), Fault> {
        let from = from.map(number).transpose()?;
        if let Some(live) = self.live.clone() {
            // Whoever read it before lets it go first.
            self.open = None;
            self.open = Some(self.open_live(&live, from.unwrap_or(0), self.form.needs_start())?);
            return Ok(());
        }
        let piece = Piece::decode(&split.detail)?;
        let before = self.open.take().filter(|open| open.path == piece.file.path).map(|open| open.body);
        let mut body = Body::open(&piece, before)?;
        let start = body.position();
        self.form.begin(&piece.file.path, &mut body)?;
        // At the very start there may be something in front of the first record.
        if let Some(from) = from.filter(|from| *from != start as u64) {
            body.skip_to(&piece.file.path, from)?;
        }
        self.open = Some(Open { begun: true, path: piece.file.path, body, cursor: Cursor::default() });
        Ok(())
    }

    fn poll<E: Emit<R>>(&mut self, budget: usize, out: &mut E) -> Result<Polled, Fault> {
        let FileReader { form, open: Some(Open { begun, path, body, cursor }), .. } = self else {
            return Ok(Polled::SplitDone);
        };
        body.check()?;
        if !*begun {
            *begun = form.begin(path, body)?;
            if !*begun {
                return Ok(Polled::Dry);
            }
        }
        let mut left = budget.max(1);
        loop {
            body.consume(std::mem::take(&mut cursor.done));
            cursor.last = 0;
            form.read(path, body, cursor, &mut left, out)?;
            if left == 0 {
                return Ok(Polled::More);
            }
            if body.complete() {
                body.ended()?;
                return Ok(Polled::SplitDone);
            }
            if !body.fill()? {
                return Ok(Polled::Dry);
            }
        }
    }

    fn position(&self) -> Vec<u8> {
        let at = self.open.as_ref().map_or(0, |open| open.body.position() + open.cursor.done);
        (at as u64).to_le_bytes().to_vec()
    }

    fn place(&self) -> Place {
        let open = self.open.as_ref();
        Place {
            file: open.map(|open| open.path.clone()),
            line: open.map(|open| open.body.line(open.cursor.last)),
            ..Place::default()
        }
    }

    fn wake_with(&mut self, waker: Waker) {
        self.waker = Some(waker);
    }

    fn bytes_read(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.body.bytes_read())
    }
}
