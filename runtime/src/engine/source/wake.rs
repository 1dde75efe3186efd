//! [`Wakers`]: how readers wake their worker from other threads.

use crate::source::Waker;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use timely::scheduling::SyncActivator;

/// Makes wakers of one chain.
pub struct Wakers {
    activator: Arc<Mutex<SyncActivator>>,
    thread: Waker,
}

impl Wakers {
    /// For the chain that `activator` schedules, on the thread that `thread` wakes.
    pub fn new(activator: SyncActivator, thread: Waker) -> Self {
        Wakers { activator: Arc::new(Mutex::new(activator)), thread }
    }

    /// A waker that also says so in `woken`: which of many readers it was.
    pub fn waker(&self, woken: Arc<AtomicBool>) -> Waker {
        let (activator, thread) = (self.activator.clone(), self.thread.clone());
        Arc::new(move || {
            woken.store(true, Ordering::Release);
            // It fails when the worker has gone, and then there is nobody to wake.
            let _ = activator.lock().unwrap_or_else(PoisonError::into_inner).activate();
            thread();
        })
    }
}
