//! Sources: an enumerator that finds splits, and readers on the workers that read them.
//!
//! The enumerator runs once per attempt, on the coordinator, and talks by messages. Where splits end (files), each worker has
//! one reader, and asks for the next split when it has read its own. Where they do not ([`Source::endless`]: partitions of a topic),
//! all are open at once: each gets a reader of its own, on the worker that has the fewest, and those of a worker take turns.
//! A reader has one split open at a time. Neither knows of watermarks, frames or other workers; what a reader lends is
//! valid for the length of one call.
//!
//! # Event time
//!
//! Each split has a watermark of its own. What a worker promises is the least over those it has open or waiting, and nothing as
//! long as a split that is there has not been handed out: it may hold rows as old as any.
//!
//! [`Found::Later`] ends this: all that is known is handed out, and what is found from then on is *new*. A new split begins at
//! the watermark that the source has reached; rows in it that are older are judged by that, and may be late. So a source that ends, and
//! whose late rows are to depend on its input alone, says `Later` at no time at which splits are there that it has not given.
//! A worker without a split follows those who read; if nobody has anything to read, event time is where the latest split has been.
//!
//! A split of an endless source from which nothing has come for `idle_after` (a source's option in the block) is left aside,
//! too, until rows come, which are judged by what was reached meanwhile.

mod bad;
mod body;
pub mod csv;
mod files;
mod generate;
mod input;
mod iter;
pub mod json;
mod lines;
mod live;
mod queued;
mod rated;
mod reader;
mod rows;
mod splits;
mod stream;
mod target;
mod text;
mod watch;

pub(crate) use files::is_folder;
pub(crate) use splits::number;

pub use bad::{BadRecord, Bytes};
pub use csv::{Csv, CsvReader, csv};
pub use files::FileTarget;
pub use generate::{Generate, GenerateReader, generate};
pub use iter::{Iter, IterReader, iter};
pub use json::{Json, JsonReader, json};
pub use lines::{Lines, LinesReader, lines};
pub use live::{Live, stdin, tcp};
pub use queued::ChannelReader;
pub use rated::{PerSecond, Rated};
pub use rows::{Lend, Rows, RowsReader, rows};
pub use target::{Kind, Target};

pub use crate::guarantee::Guarantee;

use crate::error::{Fault, Place};

/// The type of the rows of one source, which may borrow from its buffer. `stream!` writes one for each `source`.
pub trait RowType: 'static {
    /// A row that lives as long as one call.
    type Row<'a>;
}

/// A part of an input that one worker reads from front to back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Its number; in an ordered source also its place in the order.
    pub id: u64,
    /// What the reader needs to find it, in the source's own form.
    pub detail: Vec<u8>,
    /// Bytes to read, if known; for progress.
    pub bytes: Option<u64>,
}

/// What an enumerator has to say when a worker asks for a split.
#[derive(Debug)]
pub enum Found {
    /// The next split.
    Split(Split),
    /// None just now; ask again. All that is there has been given: what comes later is new, and begins at the watermark that the
    /// source has reached by then.
    Later,
    /// There will be no more.
    Finished,
}

/// Finds the splits of a source. It runs on the coordinator.
pub trait Enumerator: Send {
    /// The next split, in the order of the source if it has one.
    ///
    /// # Errors
    /// If the input is not there or cannot be cut.
    fn next(&mut self) -> Result<Found, Fault>;
    /// Bytes of all the input, if known; for progress.
    fn total_bytes(&self) -> Option<u64> {
        None
    }
    /// What has been found so far, in the source's own form: [`Source::enumerator`] goes on from there after a restart.
    fn state(&self) -> Vec<u8>;
}

/// Where a reader puts what it reads.
pub trait Emit<R: RowType> {
    /// One row.
    fn row(&mut self, row: R::Row<'_>);
    /// Many rows at once: the fast way for a source that has them side by side.
    fn rows<'a, I: Iterator<Item = R::Row<'a>>>(&mut self, rows: I) {
        for row in rows {
            self.row(row);
        }
    }
    /// A record that is no row, with its bytes as they stand in the input. Says whether to go on: with `on_error fail` the fault comes
    /// back as the error.
    ///
    /// # Errors
    /// The fault itself, if the source is to stop at it.
    fn bad(&mut self, record: &[u8], fault: Fault) -> Result<(), Fault>;
}

/// What a reader has to say after it was asked for rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// There may be more at once.
    More,
    /// There is nothing more just now; the engine asks again when [`Reader::wake_with`]'s waker was called.
    Dry,
    /// The split has been read to its end.
    SplitDone,
}

/// Reads splits on one worker.
pub trait Reader<R: RowType>: 'static {
    /// Begins a split, or goes on with it from a [`position`](Reader::position).
    ///
    /// # Errors
    /// If it cannot be opened, or is not what it was when the position was taken.
    fn open(&mut self, split: Split, from: Option<&[u8]>) -> Result<(), Fault>;
    /// The place in the open split behind the last record that was emitted, in the source's own form. A reader that is
    /// opened there, in this process or another, emits the same records that this one will.
    fn position(&self) -> Vec<u8>;
    /// Emits about `budget` rows, fewer if there are fewer, and returns soon.
    ///
    /// # Errors
    /// If the input cannot be read on, or a bad record is to end the run.
    fn poll<E: Emit<R>>(&mut self, budget: usize, out: &mut E) -> Result<Polled, Fault>;
    /// The place of the record that was emitted last, for messages.
    fn place(&self) -> Place;
    /// Bytes of the open split that have been read; for progress.
    fn bytes_read(&self) -> u64 {
        0
    }
    /// Called once, before the first split: what to call when a [`Polled::Dry`] reader has rows again. Of several readers on a
    /// worker those are polled again that have called theirs.
    fn wake_with(&mut self, _waker: Waker) {}
}

/// Wakes the worker that owns a reader. It may be called from any thread and as often as one likes.
pub type Waker = std::sync::Arc<dyn Fn() + Send + Sync>;

/// A connector that can be read: what stands behind `source name: Type =`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no source of these rows",
    label = "not a source of the declared type",
    note = "csv needs `Deserialize`, `lines(..)` gives `&str`, `rows(vec)` and `iter(..)` give what they hold"
)]
pub trait Source<R: RowType>: 'static {
    /// Its reader.
    type Reader: Reader<R>;
    /// What becomes of a row that was read before a run failed. By default it is read again, as [`Reader::position`] asks for; a source that cannot
    /// give it again, such as a socket, says [`Guarantee::Nothing`].
    const GUARANTEE: Guarantee = Guarantee::ExactlyOnce;
    /// Finds the splits, those behind `from` after a restart ([`Enumerator::state`]); called once per attempt.
    ///
    /// # Errors
    /// If the input is not there, or is not what it was.
    fn enumerator(&mut self, from: Option<&[u8]>) -> Result<Box<dyn Enumerator>, Fault>;
    /// A reader; called once per worker and attempt, or, if splits are [`endless`](Source::endless), once for each split that is
    /// opened.
    ///
    /// # Errors
    /// If it cannot be made.
    fn reader(&mut self) -> Result<Self::Reader, Fault>;
    /// A short description for the plan: `csv departures-2013.csv`.
    fn describe(&self) -> String;
    /// Whether its splits do not end: partitions of a topic, sockets. They are all open at once, with a reader each, spread over
    /// the workers, and one that is dry does not keep the others waiting. By default splits end, and a worker reads one after
    /// the other. An enumerator of an endless source is asked about every 100 ms.
    fn endless(&self) -> bool {
        false
    }
    /// Records per second that all workers together take at most, if there is a limit.
    fn rate(&self) -> Option<u64> {
        None
    }
}
