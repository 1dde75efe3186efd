//! The side of the job: a thread that takes connections, and one for each of them.

use super::message::{Reply, Request, receive, send};
use super::{Serve, place};
use crate::error::Fault;
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// How soon a connection is taken, and the end of the run noticed. A thread that waits in `accept` cannot be woken by
/// what the standard library has.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long somebody who has connected may take to say something, or to hear it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many may ask at the same time.
const MOST: usize = 32;

/// A job that listens. Dropped, it takes no more connections and waits until those that are there are answered.
pub struct Listener {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Listens at a path, which is replaced if a socket is there; if `alone`, only if nobody listens at it.
///
/// # Errors
/// If somebody does, if something else is there, or if it cannot be made.
pub fn listen(path: &Path, alone: bool, serve: Arc<Serve>) -> Result<Listener, Fault> {
    let (listener, placed) = place::bind(path, alone)?;
    let cannot = |e: io::Error| Fault::new("cannot listen at the control socket").in_file(path).because(e);
    listener.set_nonblocking(true).map_err(cannot)?;
    let over = Arc::new(AtomicBool::new(false));
    let seen = over.clone();
    let run = move || {
        let threads = take(&listener, &seen, &serve);
        // The name first: whoever finds it is to find somebody who listens.
        drop(placed);
        drop(listener);
        for thread in threads {
            // One that has panicked has said nothing, and whoever asked sees that.
            let _ = thread.join();
        }
    };
    let thread = Builder::new().name("pelton-control".to_owned()).spawn(run).map_err(cannot)?;
    Ok(Listener { over, thread: Some(thread) })
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Takes connections until the run is over; gives the threads that have not ended.
fn take(listener: &UnixListener, over: &AtomicBool, serve: &Arc<Serve>) -> Vec<JoinHandle<()>> {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    while !over.load(Ordering::Acquire) {
        let Ok((mut stream, _)) = listener.accept() else {
            // Nobody just now, or somebody who has gone again.
            std::thread::sleep(LOOK_AGAIN);
            continue;
        };
        threads.retain(|thread| !thread.is_finished());
        if threads.len() >= MOST {
            let fault = Fault::new(format!("{MOST} others ask this job for something already"));
            let _ = stream.set_write_timeout(Some(PATIENCE));
            let _ = send(&mut stream, &Reply::from(fault.help("ask again when they are done")));
            continue;
        }
        let serve = serve.clone();
        // If there is no thread, whoever asked sees that nobody answers.
        let answering = move || drop(answer(stream, &*serve));
        threads.extend(Builder::new().name("pelton-control".to_owned()).spawn(answering));
    }
    threads
}

/// Reads one request and answers it. Whoever has gone meanwhile does not hear it; what he asked for is done all the same.
fn answer(mut stream: UnixStream, serve: &Serve) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let reply = match receive::<Request>(&mut stream) {
        Ok(None) => return Ok(()),
        Ok(Some(request)) => serve(request),
        Err(e) => Fault::new("the request cannot be read").because(e).into(),
    };
    send(&mut stream, &reply)
}
