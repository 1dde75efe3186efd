//! [`Plot`]: what is to go wrong at which operation, of a store or of a disk.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What goes wrong at one operation. On a disk what is put are the bytes that a step writes, or those that one makes durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mischief {
    /// It does nothing and fails.
    FailBefore,
    /// It is done, and fails nevertheless: the answer got lost.
    FailAfter,
    /// Half of what was to be put is there under its name, and it fails. What is no put is not done.
    Short,
    /// It is done and acknowledged, and undone by the next crash. What is no put is done.
    Forget,
    /// It is done and acknowledged, and half of what was put is lost in the next crash. What is no put is done.
    ForgetHalf,
    /// It is done, so long later.
    Delay(Duration),
    /// It waits for [`wake`](Plot::wake), then it is done.
    FreezeBefore,
    /// It is done, and returns after [`wake`](Plot::wake).
    FreezeAfter,
}

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// The one of this number, counted from 1 over the life of the store.
    Number(u64),
    /// The one of this number, from 1, among those whose [trace](Plot::trace) begins so. Where several threads ask, this says more than
    /// a number: `put_new log/` is one of the log, whatever is put beside it.
    Nth(String, u64),
}

impl From<u64> for At {
    fn from(number: u64) -> At {
        At::Number(number)
    }
}

/// What is to happen where.
struct Plan {
    at: At,
    mischief: Mischief,
    /// The process crashes so many operations later; 0 at this one.
    crash: Option<u64>,
}

/// The plans for something that counts its operations, and what became of them.
#[derive(Default)]
pub struct Plot {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    operations: u64,
    plans: Vec<Plan>,
    /// The operation that something was done to last.
    struck: Option<u64>,
    /// The operation at which the process crashes.
    crash_at: Option<u64>,
    dead: bool,
    trace: Vec<String>,
    frozen: u64,
    /// How many of the frozen may go on.
    woken: u64,
}

/// What happens at an operation.
pub(super) struct Next {
    pub(super) number: u64,
    pub(super) mischief: Option<Mischief>,
    /// Whether the process crashes there.
    pub(super) crashes: bool,
}

impl Plot {
    /// At an operation something goes wrong.
    pub fn plan(&self, at: impl Into<At>, mischief: Mischief) {
        self.state().plans.push(Plan { at: at.into(), mischief, crash: None });
    }

    /// At an operation something goes wrong and the process crashes.
    pub fn crash_at(&self, at: impl Into<At>, mischief: Mischief) {
        self.crash_behind(at, mischief, 0);
    }

    /// At an operation something goes wrong, and so many operations later the process crashes, before it is done.
    pub fn crash_behind(&self, at: impl Into<At>, mischief: Mischief, later: u64) {
        self.state().plans.push(Plan { at: at.into(), mischief, crash: Some(later) });
    }

    /// The operation that something was done to last, as in the [trace](Self::trace); `None` if nothing has gone wrong.
    pub fn struck(&self) -> Option<String> {
        let state = self.state();
        state.trace.get(usize::try_from(state.struck?.checked_sub(1)?).ok()?).cloned()
    }

    /// Another process begins: operations are done again, and nothing is planned.
    pub fn revive(&self) {
        let mut state = self.state();
        state.dead = false;
        state.crash_at = None;
        state.plans.clear();
    }

    /// How many operations were asked for.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Every operation that was asked for, as `put_new log/1`.
    pub fn trace(&self) -> Vec<String> {
        self.state().trace.clone()
    }

    /// Waits until an operation is frozen; `false` if none is after so long.
    pub fn wait_until_frozen(&self, at_most: Duration) -> bool {
        let state = self.state();
        let waited = self.changed.wait_timeout_while(state, at_most, |state| state.frozen == state.woken);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.frozen > state.woken
    }

    /// Lets all that are frozen go on.
    pub fn wake(&self) {
        let mut state = self.state();
        state.woken = state.frozen;
        drop(state);
        self.changed.notify_all();
    }

    /// Whether the process has crashed.
    pub(super) fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// The process has crashed.
    pub(super) fn kill(&self) {
        self.state().dead = true;
    }

    pub(super) fn freeze(&self) {
        let mut state = self.state();
        state.frozen += 1;
        let place = state.frozen;
        self.changed.notify_all();
        let waited = self.changed.wait_while(state, |state| state.woken < place);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts an operation; `None` if the process has crashed.
    pub(super) fn next(&self, operation: String) -> Option<Next> {
        let mut state = self.state();
        (!state.dead).then(|| state.next(operation))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self, operation: String) -> Next {
        self.operations += 1;
        let number = self.operations;
        if self.crash_at == Some(number) {
            self.trace.push(operation);
            return Next { number, mischief: Some(Mischief::FailBefore), crashes: true };
        }
        let here = self.plans.iter_mut().position(|plan| match &mut plan.at {
            At::Number(at) => *at == number,
            At::Nth(begin, left) => {
                *left -= u64::from(*left > 0 && operation.starts_with(&*begin));
                *left == 0
            }
        });
        self.trace.push(operation);
        let Some(Plan { mischief, crash, .. }) = here.map(|at| self.plans.swap_remove(at)) else {
            return Next { number, mischief: None, crashes: false };
        };
        self.struck = Some(number);
        self.crash_at = crash.map(|later| number.saturating_add(later)).filter(|at| *at > number).or(self.crash_at);
        Next { number, mischief: Some(mischief), crashes: crash == Some(0) }
    }
}
