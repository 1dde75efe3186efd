//! [`FileWriter`]: rows as one file that all workers write in hidden parts, or as files that are added to a folder.
//!
//! How rows become bytes is the business of a [`Form`]; how parts become a file is in `parts`, how files come into a folder in `folder`.

use super::folder::{FolderTarget, PieceFile, Pieces, Publisher};
use super::parts::{Joiner, Part, Target};
use super::{Accepts, Committer, Prepared, SinkContext, Writer};
use crate::error::Fault;
use crate::schema::Message;
use crate::source::is_folder;
use std::io::{self, Write};
use std::path::Path;

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

/// Writes files on one worker.
pub struct FileWriter<F: Form> {
    form: F,
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
    /// Into a folder, and no row has come in this epoch.
    Between(Pieces),
    /// The file of this epoch.
    Within(Pieces, Box<F::Rows<PieceFile>>),
}

impl<F: Form> FileWriter<F> {
    /// Writes to what a path says: nothing, one file, or a folder.
    pub(super) fn new(form: F, path: Option<&Path>, context: &SinkContext) -> Result<Self, Fault> {
        let to = match path {
            None => To::Nothing,
            Some(path) if is_folder(path) => {
                To::Between(Pieces::new(FolderTarget::new(path, context.attempt, F::EXTENSION)?, context))
            }
            Some(path) => To::Unopened(Target::new(path, context.attempt)?, context.clone()),
        };
        Ok(FileWriter { form, header: None, to })
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
                To::Within(pieces, Box::new(self.form.begin(file)))
            }
            open => open,
        };
        self.header = Some(header);
        Ok(())
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
            To::Within(pieces, mut rows) => {
                let flushed = F::flush(&mut rows).map_err(|e| F::file(&rows).fault(e));
                let prepared = flushed.and_then(|()| F::file(&rows).prepare());
                self.to = To::Between(pieces);
                prepared.map(Some)
            }
            unopened => {
                self.to = unopened;
                Ok(None)
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
            To::Within(_, rows) => F::write(rows, row).map_err(|e| e.fault(|e| F::file(rows).fault(e))),
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
    pub(super) fn new(
        path: Option<&Path>,
        extension: &'static str,
        context: &SinkContext,
        from: Option<&[u8]>,
    ) -> Result<Box<dyn Committer>, Fault> {
        let (attempt, resumable) = (context.attempt, context.resumable);
        Ok(Box::new(match path {
            None => FileCommitter::Nothing,
            Some(path) if is_folder(path) => {
                FileCommitter::Folder(Publisher::new(FolderTarget::new(path, attempt, extension)?, resumable, from)?)
            }
            Some(path) => FileCommitter::File(Joiner::new(Target::new(path, attempt)?, resumable, from)?),
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
            // All is published already.
            FileCommitter::Nothing | FileCommitter::Folder(_) => Ok(()),
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
