//! [`Faulty`]: a store in which things go wrong where a test wants it. It counts the operations that are asked of it; a plan says
//! what happens at which.
//!
//! A crash is told apart from a fault: after a crash each operation fails until [`revive`](Faulty::revive), as if the process were
//! gone, and what was acknowledged without being synced is lost. So a test can run something with a crash at each operation, one by one, and
//! look at what another process would find.

use super::store::{Listed, Put, Store};
use crate::error::Fault;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What goes wrong at one operation.
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
    /// It waits for [`wake`](Faulty::wake), then it is done.
    FreezeBefore,
    /// It is done, and returns after [`wake`](Faulty::wake).
    FreezeAfter,
}

/// An operation of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// The one of this number, counted from 1 over the life of the store.
    Number(u64),
    /// The one of this number, from 1, among those whose [trace](Faulty::trace) begins so. Where several threads ask, this says more than
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

/// A store over another one, in which things go wrong.
pub struct Faulty {
    inner: Arc<dyn Store>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    operations: u64,
    read: u64,
    plans: Vec<Plan>,
    /// The operation that something was done to last.
    struck: Option<u64>,
    /// The operation at which the process crashes.
    crash_at: Option<u64>,
    dead: bool,
    trace: Vec<String>,
    /// What a crash puts back, by name; the latest last.
    unsynced: Vec<(String, Option<Vec<u8>>)>,
    frozen: u64,
    /// How many of the frozen may go on.
    woken: u64,
}

impl State {
    /// What goes wrong at the next operation, and whether the process crashes there.
    fn next(&mut self, operation: String) -> (Option<Mischief>, bool) {
        self.operations += 1;
        let n = self.operations;
        if self.crash_at == Some(n) {
            self.trace.push(operation);
            return (Some(Mischief::FailBefore), true);
        }
        let here = self.plans.iter_mut().position(|plan| match &mut plan.at {
            At::Number(number) => *number == n,
            At::Nth(begin, left) => {
                *left -= u64::from(*left > 0 && operation.starts_with(&*begin));
                *left == 0
            }
        });
        self.trace.push(operation);
        let Some(Plan { mischief, crash, .. }) = here.map(|at| self.plans.swap_remove(at)) else {
            return (None, false);
        };
        self.struck = Some(n);
        self.crash_at = crash.map(|later| n.saturating_add(later)).filter(|at| *at > n).or(self.crash_at);
        (Some(mischief), crash == Some(0))
    }
}

impl Faulty {
    /// A store in which nothing goes wrong yet.
    pub fn new(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Faulty { inner, state: Mutex::default(), changed: Condvar::new() })
    }

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

    /// The process crashes now.
    ///
    /// # Errors
    /// If what was not synced cannot be taken back.
    pub fn crash(&self) -> Result<(), Fault> {
        let mut state = self.state();
        state.dead = true;
        self.lose(&mut state)
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

    /// How many bytes were read.
    pub fn bytes_read(&self) -> u64 {
        self.state().read
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lose(&self, state: &mut State) -> Result<(), Fault> {
        for (name, before) in std::mem::take(&mut state.unsynced).into_iter().rev() {
            match before {
                Some(bytes) => self.inner.put(&name, &bytes)?,
                None => self.inner.delete(&name)?,
            }
        }
        Ok(())
    }

    fn freeze(&self) {
        let mut state = self.state();
        state.frozen += 1;
        let place = state.frozen;
        self.changed.notify_all();
        let waited = self.changed.wait_while(state, |state| state.woken < place);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// One operation. `put` has the bytes if it is one, and `act` does it, with these bytes or some of them.
    fn operate<T>(
        &self,
        what: &str,
        name: &str,
        put: Option<&[u8]>,
        act: impl FnOnce(&[u8]) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let (n, mischief, crashes) = {
            let mut state = self.state();
            if state.dead {
                return Err(Fault::new("the process has crashed"));
            }
            let (mischief, crashes) = state.next(format!("{what} {name}"));
            (state.operations, mischief, crashes)
        };
        let bytes = put.unwrap_or_default();
        let half = bytes.split_at(bytes.len() / 2).0;
        let failed = || Fault::new(format!("operation {n} was made to fail")).in_file(name);
        let done = match mischief {
            None => act(bytes),
            Some(Mischief::FailBefore) => Err(failed()),
            Some(Mischief::FailAfter) => act(bytes).and_then(|_| Err(failed())),
            Some(Mischief::Short) if put.is_some() => act(half).and_then(|_| Err(failed())),
            Some(Mischief::Short) => Err(failed()),
            Some(Mischief::Forget | Mischief::ForgetHalf) if put.is_none() => act(bytes),
            Some(forgets @ (Mischief::Forget | Mischief::ForgetHalf)) => {
                let before = if forgets == Mischief::Forget { self.inner.get(name)? } else { Some(half.to_vec()) };
                let done = act(bytes)?;
                self.state().unsynced.push((name.to_owned(), before));
                Ok(done)
            }
            Some(Mischief::Delay(time)) => {
                std::thread::sleep(time);
                act(bytes)
            }
            Some(Mischief::FreezeBefore) => {
                self.freeze();
                act(bytes)
            }
            Some(Mischief::FreezeAfter) => {
                let done = act(bytes);
                self.freeze();
                done
            }
        };
        if crashes {
            self.crash()?;
            return Err(failed());
        }
        done
    }
}

impl Store for Faulty {
    fn place(&self) -> String {
        format!("{}, with faults", self.inner.place())
    }

    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<Put, Fault> {
        self.operate("put_new", name, Some(bytes), |bytes| self.inner.put_new(name, bytes))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        self.operate("put", name, Some(bytes), |bytes| self.inner.put(name, bytes))
    }

    fn put_file(&self, name: &str, file: &Path) -> Result<(), Fault> {
        // By way of its bytes, so that half of them can be lost.
        let bytes = std::fs::read(file).map_err(|e| Fault::new("cannot read the file").in_file(file).because(e))?;
        self.operate("put_file", name, Some(&bytes), |bytes| self.inner.put(name, bytes))
    }

    fn get_file(&self, name: &str, file: &Path) -> Result<bool, Fault> {
        self.operate("get_file", name, None, |_| self.inner.get_file(name, file))
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        let got = self.operate("get", name, None, |_| self.inner.get(name))?;
        self.state().read += got.as_ref().map_or(0, |bytes| bytes.len() as u64);
        Ok(got)
    }

    fn get_range(&self, name: &str, range: Range<u64>) -> Result<Option<Vec<u8>>, Fault> {
        let got = self.operate("get_range", name, None, |_| self.inner.get_range(name, range))?;
        self.state().read += got.as_ref().map_or(0, |bytes| bytes.len() as u64);
        Ok(got)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Fault> {
        self.operate("list", prefix, None, |_| self.inner.list(prefix))
    }

    fn delete(&self, name: &str) -> Result<(), Fault> {
        self.operate("delete", name, None, |_| self.inner.delete(name))
    }

    fn tidy(&self) -> Result<(), Fault> {
        self.operate("tidy", "", None, |_| self.inner.tidy())
    }
}

#[cfg(test)]
mod tests {
    use super::super::store::MemoryStore;
    use super::*;

    fn store() -> (Arc<MemoryStore>, Arc<Faulty>) {
        let inner = MemoryStore::new();
        (Arc::clone(&inner), Faulty::new(inner))
    }

    #[test]
    fn each_mischief_does_what_it_says() {
        for (mischief, works, there, after_crash) in [
            (Mischief::FailBefore, false, None, None),
            (Mischief::FailAfter, false, Some("four"), Some("four")),
            (Mischief::Short, false, Some("fo"), Some("fo")),
            (Mischief::Forget, true, Some("four"), None),
            (Mischief::ForgetHalf, true, Some("four"), Some("fo")),
            (Mischief::Delay(Duration::ZERO), true, Some("four"), Some("four")),
        ] {
            let (inner, store) = store();
            store.put("other", b"x").unwrap();
            store.plan(2, mischief);
            assert_eq!(store.put("a", b"four").is_ok(), works, "{mischief:?}");
            let look = || inner.get("a").unwrap().map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(look().as_deref(), there, "{mischief:?}");
            store.crash().unwrap();
            assert_eq!(look().as_deref(), after_crash, "{mischief:?}");
            assert!(store.get("other").is_err(), "nothing works after a crash");
            store.revive();
            assert_eq!(store.get("other").unwrap().as_deref(), Some(&b"x"[..]));
            assert_eq!(store.trace(), ["put other", "put a", "get other"]);
        }
    }

    #[test]
    fn what_was_overwritten_and_not_synced_comes_back() {
        let (inner, store) = store();
        store.put("a", b"old").unwrap();
        store.plan(2, Mischief::Forget);
        store.crash_at(3, Mischief::FailBefore);
        store.put("a", b"new").unwrap();
        store.list("").unwrap_err();
        assert_eq!(inner.get("a").unwrap().as_deref(), Some(&b"old"[..]));
    }

    #[test]
    fn an_operation_is_found_by_its_kind_and_a_crash_comes_so_much_later() {
        let (inner, store) = store();
        store.crash_behind(At::Nth("put ".to_owned(), 2), Mischief::Forget, 2);
        store.put("a", b"1").unwrap();
        store.list("").unwrap();
        assert_eq!(store.struck(), None);
        store.put("b", b"2").unwrap();
        assert_eq!(store.struck().as_deref(), Some("put b"));
        store.list("").unwrap();
        store.list("").unwrap_err();
        assert_eq!(inner.get("a").unwrap().as_deref(), Some(&b"1"[..]));
        assert_eq!(inner.get("b").unwrap(), None);
        assert_eq!(store.struck().as_deref(), Some("put b"), "a crash is no other mischief");
    }

    #[test]
    fn a_frozen_operation_is_done_before_or_after_it_is_woken() {
        for (mischief, there) in [(Mischief::FreezeBefore, false), (Mischief::FreezeAfter, true)] {
            let (inner, store) = store();
            store.plan(1, mischief);
            std::thread::scope(|scope| {
                let put = scope.spawn(|| store.put("a", b"1"));
                assert!(store.wait_until_frozen(Duration::from_secs(60)));
                assert_eq!(inner.get("a").unwrap().is_some(), there);
                store.wake();
                put.join().unwrap().unwrap();
            });
            assert!(inner.get("a").unwrap().is_some());
            assert!(!store.wait_until_frozen(Duration::ZERO));
        }
    }
}
