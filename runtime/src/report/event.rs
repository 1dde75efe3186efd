//! [`Event`]: something that happens during a run, with what is known of it by name.

use crate::error::{self, Error, Fault, Place};
use crate::json::Json;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// All is as it should be.
    Info,
    /// It goes on, and somebody should look.
    Warning,
    /// The run has ended without its result.
    Error,
}

impl Level {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// Something that happens during a run. Names of events and fields are a promise: `docs/command-line.md` lists them.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) level: Level,
    pub(crate) name: &'static str,
    pub(crate) fields: Vec<(&'static str, Json)>,
    /// How a person is told; `None` for what only programs are told.
    pub(crate) text: Option<String>,
}

impl Event {
    /// Of which nothing else is known yet.
    pub(crate) fn new(level: Level, name: &'static str) -> Event {
        Event { level, name, fields: Vec::new(), text: None }
    }
    /// How a person is told.
    pub(crate) fn text(mut self, text: impl Into<String>) -> Event {
        self.text = Some(text.into());
        self
    }
    /// Adds a field.
    pub(crate) fn with(mut self, name: &'static str, value: Json) -> Event {
        self.fields.push((name, value));
        self
    }
    /// Adds a number.
    pub(crate) fn number(self, name: &'static str, number: impl std::fmt::Display) -> Event {
        self.with(name, Json::number(number))
    }
    /// Adds a fault: `error`, its place, and `help`.
    pub(crate) fn fault(self, fault: &Fault) -> Event {
        let what = match &fault.cause {
            Some(cause) => format!("{}: {cause}", fault.what),
            None => fault.what.clone(),
        };
        let event = self.with("error", Json::text(what)).place(&fault.place);
        match &fault.help {
            Some(help) => event.with("help", Json::text(help)),
            None => event,
        }
    }
    fn place(self, place: &Place) -> Event {
        let mut event = self;
        if let Some(file) = &place.file {
            event = event.with("file", Json::text(file.display().to_string()));
        }
        if let Some(line) = place.line {
            event = event.number("line", line);
        }
        if let Some(column) = &place.column {
            event = event.with("column", Json::text(column));
        }
        if let Some(record) = place.record {
            event = event.number("record", record);
        }
        event
    }
    /// Adds why a run has failed: what, in which part of the job, where, and what to do.
    pub(crate) fn error(self, error: &Error) -> Event {
        match error {
            Error::Setup(fault) | Error::Superseded { fault } | Error::Checkpoint { fault } => self.fault(fault),
            Error::Source { name, fault } => self.with("source", Json::text(name)).fault(fault),
            Error::Sink { name, fault } => self.with("sink", Json::text(name)).fault(fault),
            Error::Resource { name, fault } => self.with("resource", Json::text(name)).fault(fault),
            Error::Operator { operator, fault } | Error::State { operator, fault } => {
                self.with("operator", Json::text(operator)).fault(fault)
            }
            Error::Wire { edge, fault } => self.with("edge", Json::text(edge)).fault(fault),
            Error::Panic { operator, location, place, message } => self
                .with("operator", Json::text(operator))
                .with("error", Json::text(format!("panicked: {message}")))
                .with("panicked_at", Json::text(location))
                .place(place)
                .with("help", Json::text(error::PANICKED)),
            Error::Stuck { worker, after } => self.error(after).number("stuck_worker", worker),
            Error::GivenUp { after, why } => self.error(after).with("given_up", Json::text(why)),
            Error::Interrupted => self.with("error", Json::text(error::STOPPED)).with("help", Json::text(error::GO_ON)),
        }
    }
}
