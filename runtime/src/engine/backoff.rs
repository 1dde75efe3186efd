//! [`Backoff`]: whether a run that has failed goes on from its last checkpoint by itself, and after which pause.
//!
//! What may pass by itself, a system that does not answer, say, is tried again as the settings say. What cannot is told at once: a
//! row that is none, a file that is not there, bytes that are not what they are to be. Code that fails is between the two: it may have
//! asked a system that does not answer. It is tried again until it has failed so often in the same way, with nothing won between, that
//! another attempt is only noise.

use super::guard::PANICKED;
use crate::codec::CodecError;
use crate::config::Restart;
use crate::error::{Error, Fault};
use std::collections::VecDeque;
use std::io;
use std::time::Duration;

/// The same failure so often, with no checkpoint between, ends a run that would go on for ever. With pauses from 1 s to 1 min these are
/// two minutes.
const SAME: u32 = 8;

/// The pauses between attempts.
pub struct Backoff {
    how: Restart,
    failures: VecDeque<Duration>,
    /// Failures since the last checkpoint.
    in_a_row: u32,
    all: u32,
    /// What the last one was, and how many before it in a row were the same.
    last: Option<String>,
    same: u32,
}

impl Backoff {
    /// As the settings say.
    pub fn new(how: Restart, checkpoints: bool) -> Self {
        let usual = Restart::Exponential { first: Duration::from_secs(1), longest: Duration::from_secs(60) };
        let how = match how {
            Restart::Usual if checkpoints => usual,
            Restart::Usual => Restart::Never,
            // Without a checkpoint to go on from, another attempt would give what the first one gave once more.
            _ if !checkpoints => Restart::Never,
            how => how,
        };
        Backoff { how, failures: VecDeque::new(), in_a_row: 0, all: 0, last: None, same: 0 }
    }

    /// How long to wait before the next attempt, at a failure at this time. `kept` says whether a checkpoint was kept since the last one.
    ///
    /// # Errors
    /// What the run ends with, if there is to be no next attempt.
    pub fn pause(&mut self, error: Error, now: Duration, kept: bool) -> Result<(Error, Duration), Error> {
        if !may_pass(&error) {
            return Err(error);
        }
        self.all += 1;
        self.in_a_row = if kept { 1 } else { self.in_a_row + 1 };
        let this = of_code(&error);
        self.same = if !kept && this.is_some() && this == self.last { self.same + 1 } else { 1 };
        self.last = this;
        match self.how {
            Restart::Usual | Restart::Never => Err(error),
            Restart::Fixed { pause, at_most } if self.all <= at_most => Ok((error, pause)),
            Restart::Fixed { at_most, .. } => {
                Err(given_up(error, self.all, &format!("`restart fixed` allows {at_most}")))
            }
            Restart::Exponential { .. } if self.same >= SAME => {
                let why = "each time in the same way, and no checkpoint was kept between";
                Err(given_up(error, self.same, why))
            }
            Restart::Exponential { first, longest } => {
                let factor = 1u32.checked_shl(self.in_a_row - 1).unwrap_or(u32::MAX);
                Ok((error, first.saturating_mul(factor).min(longest)))
            }
            Restart::FailureRate { at_most, per } => {
                self.failures.push_back(now);
                while self.failures.front().is_some_and(|at| now.saturating_sub(*at) > per) {
                    self.failures.pop_front();
                }
                match self.failures.len() as u32 {
                    often if often > at_most => {
                        let why = format!("within {} s; `restart failure_rate` allows {at_most}", per.as_secs_f64());
                        Err(given_up(error, often, &why))
                    }
                    _ => Ok((error, Duration::from_secs(1))),
                }
            }
        }
    }
}

/// The error with how often it has been tried. One that was told to be tried never is what it is.
fn given_up(error: Error, failures: u32, why: &str) -> Error {
    if failures < 2 {
        return error;
    }
    Error::GivenUp { after: Box::new(error), why: format!("the run has failed {failures} times, {why}") }
}

/// Whether it makes sense to try again: not after a wrong setting, an interrupt, or when another run has taken over, and not where
/// the next attempt would meet the same.
fn may_pass(error: &Error) -> bool {
    match error {
        Error::Source { fault, .. } | Error::Sink { fault, .. } | Error::Resource { fault, .. } => {
            !fault.lasting && !lasts(fault)
        }
        Error::Operator { fault, .. } | Error::Checkpoint { fault } => !fault.lasting,
        // Files that were made of a checkpoint can be made anew.
        Error::State { .. } => error.is_damage(),
        Error::Setup(_)
        | Error::Interrupted
        | Error::Stuck { .. }
        | Error::Superseded { .. }
        | Error::GivenUp { .. } => false,
        Error::Panic { .. } | Error::Wire { .. } => true,
    }
}

/// Whether the errors below a fault are of a kind that no time mends.
fn lasts(fault: &Fault) -> bool {
    use io::ErrorKind as Kind;
    let mut cause = std::error::Error::source(fault);
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        let lasting = matches!(
            kind,
            Some(
                Kind::NotFound
                    | Kind::PermissionDenied
                    | Kind::InvalidData
                    | Kind::InvalidInput
                    | Kind::IsADirectory
                    | Kind::NotADirectory
                    | Kind::ReadOnlyFilesystem
                    | Kind::Unsupported
            )
        );
        if lasting || error.is::<CodecError>() || error.downcast_ref::<Fault>().is_some_and(|fault| fault.lasting) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What a failure of code was, without the record: behind an exchange the same record may have another number the next time.
fn of_code(error: &Error) -> Option<String> {
    match error {
        Error::Panic { operator, location, message, .. } => Some(format!("{operator} {location} {message}")),
        // Files of an attempt have names of their own.
        Error::Operator { operator, fault } | Error::State { operator, fault } if error.is_damage() => {
            Some(format!("{operator} {}", fault.what))
        }
        Error::Checkpoint { fault } if error.is_damage() => Some(fault.what.clone()),
        Error::Operator { operator, fault } | Error::State { operator, fault } => {
            Some(format!("{operator} {} {:?}", fault.what, fault.cause.as_ref().map(|cause| cause.to_string())))
        }
        // A panic is code that fails; an error that it gave is told by a system that may answer later.
        Error::Resource { name, fault } | Error::Source { name, fault } | Error::Sink { name, fault }
            if fault.what == PANICKED =>
        {
            Some(format!("{name} {fault}"))
        }
        Error::Wire { edge, fault } => Some(format!("{edge} {fault}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::CodecErrorKind;
    use crate::error::Place;

    fn panic_at(message: &str) -> Error {
        let (operator, location, message) = (String::new(), String::new(), message.to_owned());
        Error::Panic { operator, location, place: Place::default(), message }
    }

    fn of_sink(fault: Fault) -> Error {
        Error::Sink { name: "out".into(), fault }
    }

    fn of_time(backoff: &mut Backoff, error: Error, kept: bool) -> Option<u64> {
        backoff.pause(error, Duration::ZERO, kept).ok().map(|(_, pause)| pause.as_secs())
    }

    #[test]
    fn pauses_double_and_begin_anew_after_a_checkpoint() {
        let mut backoff = Backoff::new(Restart::Usual, true);
        let mut number = 0;
        let mut pause = |kept| {
            number += 1;
            of_time(&mut backoff, panic_at(&format!("at row {number}")), kept)
        };
        assert_eq!([false; 8].map(&mut pause), [1, 2, 4, 8, 16, 32, 60, 60].map(Some));
        assert_eq!([true, false].map(&mut pause), [Some(1), Some(2)]);
        assert!(matches!(backoff.pause(Error::Interrupted, Duration::ZERO, false), Err(Error::Interrupted)));
        assert!(backoff.pause(Error::Setup(Fault::new("x")), Duration::ZERO, false).is_err());
    }

    #[test]
    fn some_strategies_give_up() {
        let second = Duration::from_secs(1);
        let mut fixed = Backoff::new(Restart::Fixed { pause: second, at_most: 2 }, true);
        let pauses = [0, 1, 2].map(|_| of_time(&mut fixed, panic_at("x"), true));
        assert_eq!(pauses, [Some(1), Some(1), None]);
        let said = fixed.pause(panic_at("x"), second, true).unwrap_err().to_string();
        assert!(said.contains("given up: the run has failed 4 times, `restart fixed` allows 2"), "{said}");
        let mut rate = Backoff::new(Restart::FailureRate { at_most: 2, per: 10 * second }, true);
        let pauses = [0, 1, 20, 21, 22].map(|at| rate.pause(panic_at("x"), at * second, false).is_ok());
        assert_eq!(pauses, [true, true, true, true, false]);
        for never in [Restart::Usual, Restart::Fixed { pause: second, at_most: 2 }] {
            let ended = Backoff::new(never, false).pause(panic_at("x"), second, false);
            assert!(matches!(ended, Err(Error::Panic { .. })), "nothing is said of attempts where there was one");
        }
    }

    #[test]
    fn the_same_failure_of_code_with_nothing_won_between_ends_the_run() {
        let fails = |backoff: &mut Backoff, times: u32, message: &str| {
            (0..times).all(|_| backoff.pause(panic_at(message), Duration::ZERO, false).is_ok())
        };
        let mut backoff = Backoff::new(Restart::Usual, true);
        assert!(fails(&mut backoff, SAME - 1, "poison"));
        let ended = backoff.pause(panic_at("poison"), Duration::ZERO, false).unwrap_err().to_string();
        let says =
            "given up: the run has failed 8 times, each time in the same way, and no checkpoint was kept between";
        assert!(ended.contains("poison") && ended.contains(says), "{ended}");
        // So is a resource that panics; one that gives an error asks a system that may answer later.
        let resource = |what: &str| Error::Resource { name: "client".into(), fault: Fault::new(what).because("no") };
        let mut backoff = Backoff::new(Restart::Usual, true);
        assert!((1..SAME).all(|_| backoff.pause(resource(PANICKED), Duration::ZERO, false).is_ok()));
        assert!(backoff.pause(resource(PANICKED), Duration::ZERO, false).is_err());
        let mut backoff = Backoff::new(Restart::Usual, true);
        assert!((0..100).all(|_| backoff.pause(resource("no answer"), Duration::ZERO, false).is_ok()));
        // So are the expressions of sources and sinks.
        let sink = |what: &str| Error::Sink { name: "out".into(), fault: Fault::new(what).because("no") };
        let mut backoff = Backoff::new(Restart::Usual, true);
        assert!((1..SAME).all(|_| backoff.pause(sink(PANICKED), Duration::ZERO, false).is_ok()));
        assert!(backoff.pause(sink(PANICKED), Duration::ZERO, false).is_err());
        let mut backoff = Backoff::new(Restart::Usual, true);
        assert!((0..100).all(|_| backoff.pause(sink("no answer"), Duration::ZERO, false).is_ok()));
        // Another failure, or a checkpoint, is a beginning.
        let mut backoff = Backoff::new(Restart::Usual, true);
        assert!(fails(&mut backoff, SAME - 1, "poison") && fails(&mut backoff, 1, "another"));
        assert!(fails(&mut backoff, SAME - 1, "poison"));
        assert_eq!(of_time(&mut backoff, panic_at("poison"), true), Some(1));
        assert!(fails(&mut backoff, SAME - 2, "poison"));
        // Who says how often is obeyed.
        let mut fixed = Backoff::new(Restart::Fixed { pause: Duration::ZERO, at_most: 30 }, true);
        assert!(fails(&mut fixed, 30, "poison") && !fails(&mut fixed, 1, "poison"));
    }

    #[test]
    fn damaged_state_is_made_anew_of_a_checkpoint_and_other_faults_of_state_end_the_run() {
        let state = |fault| Error::State { operator: "sums".into(), fault };
        let mut backoff = Backoff::new(Restart::Usual, true);
        assert!(backoff.pause(state(Fault::new("other types")), Duration::ZERO, false).is_err());
        let damaged = || state(Fault::new("cannot write").because(Fault::new("a block differs").damaged()));
        assert!((1..SAME).all(|_| backoff.pause(damaged(), Duration::ZERO, false).is_ok()));
        assert!(backoff.pause(damaged(), Duration::ZERO, false).is_err(), "a disk that damages each file");
    }

    #[test]
    fn what_no_time_mends_is_not_tried_again_and_an_outage_is_ridden_out() {
        let io = |kind: io::ErrorKind| Fault::new("cannot write").because(io::Error::from(kind));
        let mut lasting = vec![
            Fault::new("a part is not there").lasting(),
            Fault::new("no state of this sink").because(CodecError::new(CodecErrorKind::Short, 0, "two bytes")),
            Fault::new("around").because(Fault::new("a part is not there").lasting()),
            Fault::new("around").because(io(io::ErrorKind::NotFound)),
        ];
        lasting.extend([io::ErrorKind::PermissionDenied, io::ErrorKind::InvalidData].map(io));
        for fault in lasting {
            let said = fault.to_string();
            let mut backoff = Backoff::new(Restart::Fixed { pause: Duration::ZERO, at_most: 30 }, true);
            assert!(backoff.pause(of_sink(fault), Duration::ZERO, false).is_err(), "{said}");
        }
        let mut backoff = Backoff::new(Restart::Usual, true);
        for kind in [io::ErrorKind::ConnectionRefused, io::ErrorKind::TimedOut, io::ErrorKind::StorageFull] {
            // However often: whoever waits for a system is not to be woken by a job that has given up.
            assert!((0..100).all(|_| backoff.pause(of_sink(io(kind)), Duration::ZERO, false).is_ok()), "{kind}");
        }
    }
}
