//! What can go wrong while a job is set up and run, told so that a person knows what, where and what to do.

use std::fmt;
use std::path::PathBuf;

/// Where in an input or output something happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, if it is one.
    pub file: Option<PathBuf>,
    /// Line, counted from 1.
    pub line: Option<u64>,
    /// Column by its name in the header, or by its number counted from 1.
    pub column: Option<String>,
    /// The number of the record in its input or edge, counted from 1.
    pub record: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(file) = &self.file {
            parts.push(file.display().to_string());
        }
        if let Some(line) = self.line {
            parts.push(format!("line {line}"));
        }
        if let Some(column) = &self.column {
            parts.push(format!("column {column}"));
        }
        if let Some(record) = self.record {
            parts.push(format!("record {record}"));
        }
        f.write_str(&parts.join(", "))
    }
}

/// One thing that went wrong in a source, a sink or a codec: what, where, and what to do about it.
#[derive(Debug, Default)]
pub struct Fault {
    /// What happened, in a sentence without a full stop.
    pub what: String,
    /// Where.
    pub place: Place,
    /// What to do about it.
    pub help: Option<String>,
    /// The error below, if there is one.
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// Another attempt would meet it again, however long one waits: a run that fails with it is not restarted.
    pub lasting: bool,
    /// Bytes that were stored are not what was written: they may be whole in another checkpoint.
    pub damaged: bool,
}

impl Fault {
    /// A fault that so far only says what happened.
    pub fn new(what: impl Into<String>) -> Self {
        Fault { what: what.into(), ..Fault::default() }
    }
    /// Adds the file.
    pub fn in_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.place.file = Some(file.into());
        self
    }
    /// Adds the line, counted from 1.
    pub fn at_line(mut self, line: u64) -> Self {
        self.place.line = Some(line);
        self
    }
    /// Adds the column.
    pub fn in_column(mut self, column: impl Into<String>) -> Self {
        self.place.column = Some(column.into());
        self
    }
    /// Adds what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
    /// Says that another attempt would meet it again, however long one waits. A run that fails with it ends, whatever its
    /// `restart` says; one that fails with anything else goes on from its last checkpoint, since a system that does not answer now may
    /// answer later.
    pub fn lasting(mut self) -> Self {
        self.lasting = true;
        self
    }
    /// Says that stored bytes are not what was written. A run that meets such state reads all of the checkpoint that it went on from, and
    /// goes on from the one before if that is where the damage is and nothing is lost or told twice by it.
    pub fn damaged(mut self) -> Self {
        self.damaged = true;
        self
    }
    /// Whether that is said of it, or of an error below.
    pub(crate) fn is_damage(&self) -> bool {
        let mut below = std::error::Error::source(self);
        let mut causes = std::iter::from_fn(|| {
            let error = below?;
            below = error.source();
            Some(error)
        });
        self.damaged || causes.any(|cause| cause.downcast_ref::<Fault>().is_some_and(|fault| fault.damaged))
    }
    /// Adds the error below.
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(cause) = &self.cause {
            write!(f, ": {cause}")?;
        }
        let place = self.place.to_string();
        if !place.is_empty() {
            write!(f, "\n  at {place}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|c| c.as_ref() as _)
    }
}

/// What to do about a closure that panicked.
pub(crate) const PANICKED: &str =
    "mend the closure, or keep the row from it: `filter_map` leaves it out, `split` gives it a stream of its own";
/// That a run was interrupted.
pub(crate) const STOPPED: &str = "interrupted before the inputs had ended";
/// What to do about that.
pub(crate) const GO_ON: &str =
    "start it again: with checkpoints it goes on from the newest one, without them from the beginning";

/// Why a run ended without its result.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The job could not be started as it was asked for.
    Setup(Fault),
    /// A source could not be opened or read.
    Source {
        /// The source's name in the block.
        name: String,
        /// What happened.
        fault: Fault,
    },
    /// A sink could not be written or committed.
    Sink {
        /// The sink's name in the block.
        name: String,
        /// What happened.
        fault: Fault,
    },
    /// A resource could not be made: its expression gave an error, with `?`, or panicked.
    Resource {
        /// Its name in the block.
        name: String,
        /// The error.
        fault: Fault,
    },
    /// User code panicked.
    Panic {
        /// The operator whose closure was running.
        operator: String,
        /// `file:line:column` of the panic.
        location: String,
        /// The record that was being worked on.
        place: Place,
        /// The panic's own message.
        message: String,
    },
    /// A handler of a `process` gave an error, with `?`.
    Operator {
        /// The operator whose handler it was.
        operator: String,
        /// The error, and the record that was being worked on.
        fault: Fault,
    },
    /// Bytes between two workers could not be read: a bug, or memory that went bad.
    Wire {
        /// The edge.
        edge: String,
        /// What happened.
        fault: Fault,
    },
    /// An operator's state could not be read back.
    State {
        /// The operator's name in the block.
        operator: String,
        /// What happened.
        fault: Fault,
    },
    /// A checkpoint could not be kept or read, more often than is tolerated.
    Checkpoint {
        /// What happened.
        fault: Fault,
    },
    /// Another run of the same job has taken over, on the same checkpoints: this one has nothing to say any more.
    Superseded {
        /// What happened.
        fault: Fault,
    },
    /// A worker did not stop in time after another one had failed.
    Stuck {
        /// Its index.
        worker: usize,
        /// Why it was to stop.
        after: Box<Error>,
    },
    /// The run has failed so often that it is not tried once more.
    GivenUp {
        /// The last failure.
        after: Box<Error>,
        /// How often, and why that is enough.
        why: String,
    },
    /// The run was asked to stop (Ctrl-C) and did, before its inputs had ended.
    Interrupted,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Setup(fault) => fault.fmt(f),
            Error::Source { name, fault } => write!(f, "source `{name}`: {fault}"),
            Error::Sink { name, fault } => write!(f, "sink `{name}`: {fault}"),
            Error::Resource { name, fault } => write!(f, "resource `{name}`: {fault}"),
            Error::Panic { operator, location, place, message } => {
                write!(f, "operator `{operator}` panicked: {message}\n  at {location}")?;
                // Nothing is known of a record where results were given that come from many.
                if *place != Place::default() {
                    write!(f, "\n  while working on {place}")?;
                }
                write!(f, "\n  help: {PANICKED}")
            }
            Error::Operator { operator, fault } => write!(f, "operator `{operator}`: {fault}"),
            Error::Wire { edge, fault } => write!(f, "edge `{edge}`: {fault}"),
            Error::State { operator, fault } => write!(f, "state of operator `{operator}`: {fault}"),
            Error::Superseded { fault } => fault.fmt(f),
            Error::Checkpoint { fault } => write!(f, "checkpoint: {fault}"),
            Error::Stuck { worker, after } => {
                write!(f, "{after}\n  and worker {worker}, busy in user code, did not stop in time")
            }
            Error::GivenUp { after, why } => {
                write!(f, "{after}\n  given up: {why}\n  help: started again, it goes on from its last checkpoint")
            }
            Error::Interrupted => write!(f, "{STOPPED}\n  help: {GO_ON}"),
        }
    }
}

impl Error {
    /// Whether it comes of stored state that is not what was written.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Error::State { fault, .. } | Error::Operator { fault, .. } | Error::Checkpoint { fault } => {
                fault.is_damage()
            }
            _ => false,
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Setup(fault)
            | Error::Source { fault, .. }
            | Error::Sink { fault, .. }
            | Error::Resource { fault, .. }
            | Error::Operator { fault, .. }
            | Error::Wire { fault, .. } => Some(fault),
            _ => None,
        }
    }
}
