//! Requests from outside: [`Desk`] takes them from the threads that talk to whoever asks, and hands them to the
//! attempt that runs; [`Requests`] are those that an attempt has open.
//!
//! The coordinator decides what becomes of a request and tells its thread with an [`Answer`]. The thread does what takes
//! long, the writing of a savepoint, so that the coordinator never waits for it.

use super::control::ToCoordinator;
use super::coordinator::{No, Wish};
use crate::checkpoint::entry::Attempt;
use crate::checkpoint::manifest::Manifest;
use crate::checkpoint::savepoint::{self, Savepoint};
use crate::checkpoint::store::{self, Store};
use crate::config::{Config, Control};
use crate::error::{Error, Fault};
use crate::report::{Event, EventLog, Level};
use crate::socket::{self, Listener, Reply, Request, What};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What an attempt tells the thread of a request.
pub enum Answer {
    /// What it waited for is kept: a checkpoint to be written elsewhere.
    Given(Box<Given>),
    /// It cannot be.
    No(No),
    /// The run has ended as the request wanted.
    Ended,
}

/// A checkpoint that a request has been given.
pub struct Given {
    /// The request.
    pub request: u64,
    /// The number of its entry in the log of the run.
    pub number: u64,
    /// It.
    pub manifest: Manifest,
    /// As long as it is held, nothing of it is removed.
    pub lent: Arc<()>,
}

/// The requests that an attempt has not answered to the end.
#[derive(Default)]
pub struct Requests {
    open: BTreeMap<u64, (Wish, Sender<Answer>)>,
    last: u64,
}

impl Requests {
    /// Adds one; gives its number.
    pub fn add(&mut self, wish: Wish, answers: Sender<Answer>) -> u64 {
        self.last += 1;
        self.open.insert(self.last, (wish, answers));
        self.last
    }

    /// Tells one something. Whoever has gone does not hear it.
    pub fn tell(&mut self, request: u64, answer: Answer) {
        let stays = matches!(&answer, Answer::Given(_));
        if let Some((wish, answers)) = self.open.get(&request) {
            let _ = answers.send(answer);
            if !(stays && *wish == Wish::StopWithSavepoint) {
                self.open.remove(&request);
            }
        }
    }

    /// The run has ended well: tells those that wanted it. The others see that they get no answer any more.
    pub fn ended(&mut self) {
        for (wish, answers) in std::mem::take(&mut self.open).into_values() {
            if wish != Wish::Savepoint {
                let _ = answers.send(Answer::Ended);
            }
        }
    }
}

/// Where requests come in, over all attempts of a run. Clones share it.
#[derive(Clone, Default)]
pub struct Desk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// The attempt that runs.
    to: Option<Sender<ToCoordinator>>,
    /// What has come between two attempts.
    waiting: Vec<ToCoordinator>,
    over: bool,
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An attempt begins.
    pub fn open(&self, to: &Sender<ToCoordinator>) {
        let mut state = self.state();
        for message in std::mem::take(&mut state.waiting) {
            let _ = to.send(message);
        }
        state.to = Some(to.clone());
    }

    /// It has ended. What it has not answered it never will.
    pub fn close(&self) {
        self.state().to = None;
    }

    /// The run has ended.
    pub fn end(&self) {
        let mut state = self.state();
        (state.to, state.over) = (None, true);
        state.waiting.clear();
    }

    fn ask(&self, wish: Wish) -> Receiver<Answer> {
        let (answers, from) = channel();
        let message = ToCoordinator::Asked { wish, answers };
        let mut state = self.state();
        match &state.to {
            // If it has gone just now, the answer has too.
            Some(to) => drop(to.send(message)),
            None if state.over => {}
            None => state.waiting.push(message),
        }
        from
    }

    fn written(&self, request: u64, well: bool) {
        if let Some(to) = &self.state().to {
            let _ = to.send(ToCoordinator::Written { request, well });
        }
    }
}

/// What a savepoint is made of, besides the checkpoint.
pub struct Savepoints {
    /// Where the checkpoints of the run are, as the user has said it.
    pub place: String,
    /// The store there.
    pub store: Arc<dyn Store>,
    /// What its log says of the run.
    pub entry: Attempt,
    /// Where temporary files may go.
    pub scratch: PathBuf,
    /// Savepoints are written one after the other: two may be meant for one place.
    pub one: Mutex<()>,
}

/// What answers requests.
pub struct Answering {
    /// The job's name.
    pub job: &'static str,
    /// Where requests go.
    pub desk: Desk,
    /// If the run keeps checkpoints.
    pub savepoints: Option<Savepoints>,
}

impl Answering {
    /// Listens where the settings say, if they say so.
    ///
    /// # Errors
    /// If it cannot be done at a place that was named. Where nobody asked for it, that is only said.
    pub fn listen(self, config: &Config, log: &EventLog) -> Result<Option<Listener>, Error> {
        let beside = || store::directory_of(&self.savepoints.as_ref()?.place);
        let (path, alone) = match &config.control {
            Control::Off => return Ok(None),
            Control::At(path) => (path.clone(), true),
            Control::Beside => match beside() {
                // Whoever listened there has lost the checkpoints to this run.
                Some(directory) => (socket::beside(&directory), false),
                None => return Ok(None),
            },
        };
        match socket::listen(&path, alone, Arc::new(move |request| self.answer(request))) {
            Ok(listener) => Ok(Some(listener)),
            Err(fault) if alone => Err(Error::Setup(fault)),
            Err(fault) => {
                let text = format!("this run cannot be told anything while it runs: {fault}");
                log.tell(Event::new(Level::Warning, "not_listening").fault(&fault).text(text));
                Ok(None)
            }
        }
    }

    /// Answers one request.
    pub fn answer(&self, request: Request) -> Reply {
        if request.job != self.job {
            let fault = Fault::new(format!("the job that runs here is `{}`, not `{}`", self.job, request.job));
            return fault.help("name the checkpoints or the socket of the job that you mean").into();
        }
        let done = match request.what {
            What::Savepoint(to) => self.savepoint(Wish::Savepoint, to),
            What::StopWithSavepoint(to) => self.savepoint(Wish::StopWithSavepoint, to),
            What::Drain => match self.desk.ask(Wish::Drain).recv() {
                Ok(Answer::Ended) => Ok(Reply::Drained),
                Ok(Answer::No(no)) => Err(refused(no)),
                Ok(Answer::Given(_)) | Err(_) => Err(failed()),
            },
        };
        done.unwrap_or_else(Reply::from)
    }

    fn savepoint(&self, wish: Wish, to: Option<String>) -> Result<Reply, Fault> {
        let Some(savepoints) = &self.savepoints else { return Err(refused(No::NotKept)) };
        // Whether it can be written is better known before the job is asked.
        to.as_deref().map(savepoint::open).transpose()?;
        let answers = self.desk.ask(wish);
        let given = match answers.recv() {
            Ok(Answer::Given(given)) => given,
            Ok(Answer::No(no)) => return Err(refused(no)),
            Ok(Answer::Ended) | Err(_) => return Err(failed()),
        };
        let written = savepoints.write(&given, to);
        self.desk.written(given.request, written.is_ok());
        let stops = wish == Wish::StopWithSavepoint;
        let Savepoint { place, epoch, bytes } = written.map_err(|fault| match stops {
            true => Fault { what: format!("{}; the job runs on", fault.what), ..fault },
            false => fault,
        })?;
        if stops && !matches!(answers.recv(), Ok(Answer::Ended)) {
            let fault =
                Fault::new(format!("the savepoint {place} is there, but the run has failed before it could stop"));
            return Err(fault.help("see what the job says; if it runs on, ask again"));
        }
        Ok(Reply::Savepoint { place, epoch, bytes })
    }
}

impl Savepoints {
    fn write(&self, given: &Given, to: Option<String>) -> Result<Savepoint, Fault> {
        let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
        let to = match to {
            Some(to) => to,
            None => {
                let place = savepoint::place_of(&self.place, given.number);
                // Somebody else has asked for the same epoch.
                if let Some(there) = savepoint::find(&place, &given.manifest)? {
                    return Ok(there);
                }
                place
            }
        };
        savepoint::write(&*self.store, &given.manifest, self.entry.clone(), savepoint::open(&to)?, &self.scratch)
    }
}

fn refused(no: No) -> Fault {
    match no {
        No::NotKept => Fault::new("this run keeps no checkpoints, so there can be no savepoint of it")
            .help("run the job with `--checkpoints PLACE`; `stop --drain` ends this run with the results so far"),
        No::Ending => Fault::new("the run is about to end, with all of its results").help("wait for it"),
        No::Stopping => Fault::new("somebody else has told the job to stop").help("wait until it has stopped"),
        No::Lost => Fault::new("the checkpoint for it could not be kept; the job runs on")
            .help("see why in what the job says, and ask again"),
    }
}

fn failed() -> Fault {
    Fault::new("the run has ended or failed before it could do that")
        .help("see what the job says; if it goes on from its last checkpoint, ask again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(from: &Receiver<ToCoordinator>) -> (Wish, Sender<Answer>) {
        match from.try_recv() {
            Ok(ToCoordinator::Asked { wish, answers }) => (wish, answers),
            _ => panic!("nobody has asked"),
        }
    }

    #[test]
    fn what_comes_between_two_attempts_waits_for_the_next() {
        let desk = Desk::default();
        let early = desk.ask(Wish::Drain);
        let (to, from) = channel();
        desk.open(&to);
        assert_eq!(asked(&from).0, Wish::Drain);
        desk.close();
        // The first attempt has not answered, and never will.
        assert!(early.recv().is_err());
        let later = desk.ask(Wish::Savepoint);
        assert!(from.try_recv().is_err());
        let (to, from) = channel();
        desk.open(&to);
        let (wish, answers) = asked(&from);
        let mut requests = Requests::default();
        let request = requests.add(wish, answers);
        requests.tell(request, Answer::No(No::Ending));
        assert!(matches!(later.recv(), Ok(Answer::No(No::Ending))));
        desk.close();
        let waiting = desk.ask(Wish::Savepoint);
        desk.end();
        assert!(waiting.recv().is_err() && desk.ask(Wish::Drain).recv().is_err(), "there is no run any more");
    }

    #[test]
    fn at_the_end_only_those_hear_of_it_who_wanted_it() {
        let mut requests = Requests::default();
        let (waits, drains, stops) = (channel(), channel(), channel());
        requests.add(Wish::Savepoint, waits.0);
        requests.add(Wish::Drain, drains.0);
        let stop = requests.add(Wish::StopWithSavepoint, stops.0);
        let manifest = Manifest::new("Board", 1, 3);
        let given = Given { request: stop, number: 9, manifest, lent: Arc::default() };
        requests.tell(stop, Answer::Given(Box::new(given)));
        requests.ended();
        assert!(waits.1.recv().is_err());
        assert!(matches!(drains.1.recv(), Ok(Answer::Ended)));
        assert!(matches!(stops.1.recv(), Ok(Answer::Given(given)) if given.number == 9));
        assert!(matches!(stops.1.recv(), Ok(Answer::Ended)));
    }
}
