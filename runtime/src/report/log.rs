//! [`EventLog`]: tells events on standard error, in lines for people or in lines of JSON.

use std::io::Write as _;

use super::event::Event;
use crate::clock::unix_millis;
use crate::config::{Config, LogForm};
use crate::json::Json;
use crate::time::Timestamp;

/// Where the events of a run are told.
#[derive(Clone, Debug)]
pub(crate) struct EventLog {
    form: LogForm,
    job: String,
    /// Whether what goes as it should is told too, to programs.
    all: bool,
}

impl EventLog {
    /// That of a run with these settings.
    pub(crate) fn of(config: &Config, job: &str) -> EventLog {
        EventLog { form: config.log, job: job.to_owned(), all: config.progress }
    }

    /// Whether events are lines of JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.form == LogForm::Json
    }

    /// Tells it, if somebody is to be told.
    pub(crate) fn tell(&self, event: Event) {
        if let Some(line) = self.line(event, unix_millis()) {
            // Whoever has closed standard error does not want to hear it.
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
    }

    /// What is told of it.
    pub(crate) fn line(&self, event: Event, now: i64) -> Option<String> {
        if event.text.is_none() && !self.all {
            return None;
        }
        match self.form {
            LogForm::Text => event.text.map(|text| format!("pelton: {}\n", text.replace('\n', "\npelton: "))),
            LogForm::Json => Some(json(event, &self.job, now)),
        }
    }
}

/// An event as a line of JSON.
pub(crate) fn json(event: Event, job: &str, now: i64) -> String {
    let mut members = vec![
        ("time".to_owned(), Json::text(Timestamp::from_millis(now).to_string())),
        ("level".to_owned(), Json::text(event.level.name())),
        ("event".to_owned(), Json::text(event.name)),
        ("job".to_owned(), Json::text(job)),
    ];
    members.extend(event.fields.into_iter().map(|(name, value)| (name.to_owned(), value)));
    format!("{}\n", Json::Object(members))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Fault, Place};
    use crate::report::event::Level;

    fn log(form: LogForm, all: bool) -> EventLog {
        EventLog { form, job: "Board".to_owned(), all }
    }

    fn lost() -> Event {
        let fault = Fault::new("no room").in_file("ck/1").because("ENOSPC").help("free some");
        Event::new(Level::Warning, "checkpoint_lost").number("epoch", 7).fault(&fault).text("lost\nindeed")
    }

    #[test]
    fn a_person_reads_text_and_a_program_fields() {
        assert_eq!(log(LogForm::Text, true).line(lost(), 0).unwrap(), "pelton: lost\npelton: indeed\n");
        let line = log(LogForm::Json, true).line(lost(), 1_500).unwrap();
        let expected = r#"{"time":"1970-01-01T00:00:01.500Z","level":"warning","event":"checkpoint_lost","job":"Board","epoch":7,"error":"no room: ENOSPC","file":"ck/1","help":"free some"}"#;
        assert_eq!(line, format!("{expected}\n"));
    }

    #[test]
    fn what_only_programs_are_told_is_told_if_they_want_all() {
        let kept = || Event::new(Level::Info, "checkpoint");
        assert_eq!(log(LogForm::Text, true).line(kept(), 0), None);
        assert_eq!(log(LogForm::Json, false).line(kept(), 0), None);
        assert!(log(LogForm::Json, true).line(kept(), 0).is_some());
        assert!(log(LogForm::Json, false).line(lost(), 0).is_some());
    }

    #[test]
    fn an_error_has_its_parts_by_name() {
        let fault = Fault::new("`soon` is no number").in_file("in.csv").at_line(3).in_column("delay");
        let source = Error::Source { name: "flights".to_owned(), fault };
        let line = json(Event::new(Level::Error, "failed").error(&source), "Board", 0);
        let fields = r#""source":"flights","error":"`soon` is no number","file":"in.csv","line":3,"column":"delay"}"#;
        assert!(line.trim_end().ends_with(fields), "{line}");
        let panic = Error::Panic {
            operator: "hourly.map".to_owned(),
            location: "src/main.rs:7:9".to_owned(),
            place: Place { record: Some(9), ..Place::default() },
            message: "no".to_owned(),
        };
        let given_up = Error::GivenUp { after: Box::new(panic), why: "twice".to_owned() };
        let line = json(Event::new(Level::Error, "failed").error(&given_up), "Board", 0);
        let fields = r#""operator":"hourly.map","error":"panicked: no","panicked_at":"src/main.rs:7:9","record":9,"help":"mend the"#;
        assert!(line.contains(fields) && line.trim_end().ends_with(r#","given_up":"twice"}"#), "{line}");
        let line = json(Event::new(Level::Warning, "interrupted").error(&Error::Interrupted), "Board", 0);
        let fields = r#""error":"interrupted before the inputs had ended","help":"start it again"#;
        assert!(line.contains(fields), "{line}");
    }
}
