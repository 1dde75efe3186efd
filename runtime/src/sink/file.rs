//! [`FileWriter`]: rows as one file that all workers write in hidden parts, or as files that are added to a folder.
//!
//! How rows become bytes is the business of a [`Form`]; how parts become a file is in `parts`, how files come into a folder in `folder`.

use super::folder::{FolderTarget, Piece, PieceFile, Pieces, Publisher, Written};
use super::parts::{Joiner, Part, Target};
use super::{Accepts, Committer, Prepared, Sink, SinkContext, Writer};
use crate::clock::{Clock, MachineClock};
use crate::error::Fault;
use crate::schema::Message;
use crate::source::is_folder;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How rows become bytes.
pub trait Form: 'static {
    /// What names of files in a folder end with.
    const EXTENSION: &'static str;
    /// Puts rows into a file, through a buffer.
    type Rows<W: Write>;
    /// Begins a file.
    fn begin<W: Write>(&self, to: W) -> Self::Rows<W>;
    /// The file, to which all is written.
    ///
    /// # Errors
    /// If the rest cannot be written.
    fn flush<W: Write>(rows: &mut Self::Rows<W>) -> io::Result<()>;
    /// The file.
    fn file<W: Write>(rows: &Self::Rows<W>) -> &W;
}

/// A form that can hold rows of type `X`.
pub trait Holds<X>: Form {
    /// Why it cannot, if the bounds do not say it.
    const PROBLEM: Option<Message>;
    /// What stands at the start of a file of such rows.
    ///
    /// # Errors
    /// If it is a row that cannot be written.
    fn header(&self, row: &X) -> Result<Vec<u8>, Unwritten>;
    /// Writes a row.
    ///
    /// # Errors
    /// If it cannot be written.
    fn write<W: Write>(rows: &mut Self::Rows<W>, row: X) -> Result<(), Unwritten>;
}

/// Why a row is not written.
pub enum Unwritten {
    /// The file cannot be written.
    Io(io::Error),
    /// The form cannot hold it.
    Row(Fault),
}

impl Unwritten {
    #[cold]
    fn fault(self, io: impl FnOnce(io::Error) -> Fault) -> Fault {
        match self {
            Unwritten::Io(e) => io(e),
            Unwritten::Row(fault) => fault,
        }
    }
}

/// When a folder gets a new file; by default with each epoch that has rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roll {
    /// When it is so old.
    pub(crate) every: Option<Duration>,
    /// When it has so many bytes, about.
    pub(crate) at: Option<u64>,
}

impl Roll {
    /// When it is so old, or has so many bytes, whatever comes first.
    pub fn new(every: Option<Duration>, at: Option<u64>) -> Roll {
        Roll { every, at }
    }
}

/// A sink whose folders can have files of more than an epoch: what `roll` is for.
pub trait Rolls: Sink {
    /// With that said.
    fn rolling(self, roll: Roll) -> Self;
}

/// Writes files on one worker.
pub struct FileWriter<F: Form> {
    form: F,
    roll: Option<Rolling>,
    /// Files of this epoch that are as large as they may be.
    finished: Vec<Piece>,
    /// What each file begins with, once a row has told it.
    header: Option<Vec<u8>>,
    to: To<F>,
}

enum To<F: Form> {
    /// No file was asked for.
    Nothing,
    /// No row has come yet.
    Unopened(Target, SinkContext),
    Open(Box<F::Rows<Part>>),
    /// Into a folder, and no row has come since the last file.
    Between(Pieces),
    /// A file of a folder.
    Within(Pieces, Box<F::Rows<PieceFile>>),
}

/// Files that may span epochs.
struct Rolling {
    roll: Roll,
    clock: Arc<dyn Clock>,
    /// When the open file was begun, and how much of it has been prepared.
    begun: Duration,
    prepared: u64,
}

impl Rolling {
    fn is_full(&self, bytes: u64) -> bool {
        self.roll.at.is_some_and(|at| bytes >= at)
    }

    fn is_old(&self) -> bool {
        self.roll.every.is_some_and(|every| self.clock.now() - self.begun >= every)
    }
}

impl<F: Form> FileWriter<F> {
    /// Writes to what a path says: nothing, one file, or a folder.
    pub(super) fn new(form: F, path: Option<&Path>, roll: Option<Roll>, context: &SinkContext) -> Result<Self, Fault> {
        if let (Some(_), Some(path)) = (roll, path.filter(|path| !is_folder(path))) {
            return Err(Fault::new("`roll` is for a folder, and this is one file")
                .in_file(path)
                .lasting()
                .help("write a `/` behind the path, or remove `roll`"));
        }
        let to = match path {
            None => To::Nothing,
            Some(path) if is_folder(path) => {
                To::Between(Pieces::new(FolderTarget::new(path, context, F::EXTENSION)?, context))
            }
            Some(path) => To::Unopened(Target::new(path, context)?, context.clone()),
        };
        let roll = roll.map(|roll| Rolling { roll, clock: MachineClock::start(), begun: Duration::ZERO, prepared: 0 });
        Ok(FileWriter { form, roll, finished: Vec::new(), header: None, to })
    }

    /// Opens what the next row goes to.
    #[cold]
    fn start<X>(&mut self, row: &X) -> Result<(), Fault>
    where
        F: Holds<X>,
    {
        let header = match self.header.take() {
            Some(header) => header,
            None => self.form.header(row).map_err(|e| e.fault(unwritten))?,
        };
        self.to = match std::mem::replace(&mut self.to, To::Nothing) {
            // It goes in front of all parts, once.
            To::Unopened(target, context) => To::Open(Box::new(self.form.begin(Part::create(&target, &context)?))),
            To::Between(mut pieces) => {
                let mut file = pieces.create()?;
                file.write_all(&header).map_err(|e| file.fault(e))?;
                if let Some(rolling) = &mut self.roll {
                    (rolling.begun, rolling.prepared) = (rolling.clock.now(), 0);
                }
                To::Within(pieces, Box::new(self.form.begin(file)))
            }
            open => open,
        };
        self.header = Some(header);
        Ok(())
    }
}

impl<F: Form> FileWriter<F> {
    /// The open file of a folder is finished.
    #[cold]
    fn finish(&mut self) -> Result<(), Fault> {
        self.to = match std::mem::replace(&mut self.to, To::Nothing) {
            To::Within(pieces, mut rows) => {
                F::flush(&mut rows).map_err(|e| F::file(&rows).fault(e))?;
                self.finished.push(F::file(&rows).prepare()?);
                To::Between(pieces)
            }
            other => other,
        };
        Ok(())
    }

    /// What there is of a folder at a barrier.
    fn written(&mut self) -> Result<Option<Prepared>, Fault> {
        let mut open = None;
        match (&mut self.to, &mut self.roll) {
            (To::Within(_, rows), Some(rolling)) if !rolling.is_old() => {
                F::flush(rows).map_err(|e| F::file(rows).fault(e))?;
                let bytes = F::file(rows).len();
                if rolling.is_full(bytes) {
                    self.finish()?;
                } else if bytes > rolling.prepared {
                    open = Some(F::file(rows).prepare()?);
                    rolling.prepared = bytes;
                }
            }
            (To::Within(..), _) => self.finish()?,
            _ => {}
        }
        let written = Written { finished: std::mem::take(&mut self.finished), open };
        Ok((written != Written::default()).then(|| written.encode()))
    }
}

/// A header that is written to memory alone.
fn unwritten(error: io::Error) -> Fault {
    Fault::new("a header could not be written").because(error)
}

impl<F: Form> Writer for FileWriter<F> {
    fn prepare(&mut self, _epoch: u64) -> Result<Option<Prepared>, Fault> {
        match std::mem::replace(&mut self.to, To::Nothing) {
            To::Open(mut rows) => {
                let flushed = F::flush(&mut rows).map_err(|e| F::file(&rows).fault(e));
                let header = self.header.as_deref().unwrap_or_default();
                let prepared = flushed.and_then(|()| F::file(&rows).prepare(header));
                self.to = To::Open(rows);
                prepared
            }
            other => {
                self.to = other;
                self.written()
            }
        }
    }
}

impl<X, F: Holds<X>> Accepts<X> for FileWriter<F> {
    const PROBLEM: Option<Message> = F::PROBLEM;

    #[inline]
    fn write(&mut self, row: X) -> Result<(), Fault> {
        if let To::Unopened(..) | To::Between(_) = &self.to {
            self.start(&row)?;
        }
        match &mut self.to {
            To::Open(rows) => F::write(rows, row).map_err(|e| e.fault(|e| F::file(rows).fault(e))),
            To::Within(_, rows) => {
                F::write(rows, row).map_err(|e| e.fault(|e| F::file(rows).fault(e)))?;
                match &self.roll {
                    Some(rolling) if rolling.is_full(F::file(rows).len()) => self.finish(),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

/// Publishes what the writers wrote.
pub(super) enum FileCommitter {
    Nothing,
    File(Joiner),
    Folder(Publisher),
}

impl FileCommitter {
    /// Of the same path as the writers.
    pub(super) fn of(
        path: Option<&Path>,
        extension: &'static str,
        context: &SinkContext,
        from: Option<&[u8]>,
    ) -> Result<Box<dyn Committer>, Fault> {
        Ok(Box::new(match path {
            None => FileCommitter::Nothing,
            Some(path) if is_folder(path) => FileCommitter::Folder(Publisher::new(
                FolderTarget::new(path, context, extension)?,
                context.resumable,
                from,
            )?),
            Some(path) => FileCommitter::File(Joiner::new(Target::new(path, context)?, context, from)?),
        }))
    }
}

impl Committer for FileCommitter {
    fn commit(&mut self, epoch: u64, prepared: Vec<(usize, Prepared)>) -> Result<(), Fault> {
        match self {
            FileCommitter::Nothing => Ok(()),
            FileCommitter::File(joiner) => joiner.commit(&prepared),
            FileCommitter::Folder(publisher) => publisher.commit(epoch, &prepared),
        }
    }

    fn state(&self) -> Vec<u8> {
        match self {
            FileCommitter::File(joiner) => joiner.state(),
            FileCommitter::Folder(publisher) => publisher.state(),
            FileCommitter::Nothing => Vec::new(),
        }
    }

    fn begin(&mut self) -> Result<(), Fault> {
        match self {
            FileCommitter::Nothing => Ok(()),
            FileCommitter::File(joiner) => joiner.begin(),
            FileCommitter::Folder(publisher) => publisher.begin(),
        }
    }

    fn finish(&mut self) -> Result<(), Fault> {
        match self {
            FileCommitter::File(joiner) => joiner.finish(),
            FileCommitter::Folder(publisher) => publisher.finish(),
            FileCommitter::Nothing => Ok(()),
        }
    }

    fn finished(&mut self) {
        match self {
            FileCommitter::Nothing => {}
            FileCommitter::File(joiner) => joiner.finished(),
            FileCommitter::Folder(publisher) => publisher.finished(),
        }
    }

    fn abort(&mut self) {
        match self {
            FileCommitter::Nothing => {}
            FileCommitter::File(joiner) => joiner.abort(),
            FileCommitter::Folder(publisher) => publisher.abort(),
        }
    }
}
