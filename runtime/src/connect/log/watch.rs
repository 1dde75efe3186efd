//! [`Watch`]: being told when there may be more to read, by this process or another.
//!
//! A write of this process tells at once. Those of others are found by looking, as long as somebody watches.

use super::store::{Log, Shared};
use crate::source::Waker;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// How often to look for what other processes have written.
const LOOK: Duration = Duration::from_millis(10);

#[derive(Default)]
pub(super) struct Watchers {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
    /// A thread looks.
    looking: bool,
}

impl Watchers {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No waker runs under the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wake(&self) {
        let wakers: Vec<Waker> = self.lock().wakers.values().cloned().collect();
        wakers.iter().for_each(|waker| waker());
    }
}

/// Somebody is told of changes until this is dropped.
pub struct Watch {
    log: Log,
    number: u64,
}

impl Log {
    /// Has `waker` called whenever there may be more to read than before: within about 10 ms if another process has
    /// written, at once otherwise. It may be called for nothing.
    pub fn watch(&self, waker: Waker) -> Watch {
        let mut inner = self.shared.watchers.lock();
        let number = inner.next;
        inner.next += 1;
        inner.wakers.insert(number, waker);
        if !inner.looking {
            let shared = Arc::downgrade(&self.shared);
            let started = std::thread::Builder::new().name("pelton-log".to_owned()).spawn(move || look(&shared));
            // Without the thread only what this process writes is told.
            inner.looking = started.is_ok();
        }
        drop(inner);
        Watch { log: self.clone(), number }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.log.shared.watchers.lock().wakers.remove(&self.number);
    }
}

fn look(shared: &Weak<Shared>) {
    let mut last = None;
    loop {
        std::thread::sleep(LOOK);
        let Some(shared) = shared.upgrade() else { return };
        {
            let mut inner = shared.watchers.lock();
            if inner.wakers.is_empty() {
                inner.looking = false;
                return;
            }
        }
        // Whoever reads next is told what is wrong, if it lasts.
        let now = shared.changes().ok();
        if now != last {
            last = now;
            shared.watchers.wake();
        }
    }
}
