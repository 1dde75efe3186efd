//! [`Live`]: text that comes while one waits for it: standard input, or what a server sends.
//!
//! A thread of its own reads it and cuts it behind line ends; a bounded channel of such pieces is between it and the worker. What a line means is not
//! known here.

use super::Waker;
use crate::channel::{Receiver, Sender, Taken, bounded};
use crate::error::Fault;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// Pieces that wait for the worker.
const WAITING: usize = 16;
/// What is read at once.
const PIECE: usize = 64 << 10;
/// How soon a thread that waits for a server notices that nobody wants to hear of it any more.
const NOTICED: Duration = Duration::from_millis(500);

/// Text that is no file, in place of a path: `json(stdin())`, `lines(tcp("localhost:7777"))`.
///
/// One worker reads it, each line as soon as it is there; when it does not keep up, whoever writes waits. It ends where the input ends. **It cannot be read again**:
/// a run that is to go on from a checkpoint is refused if it had read anything, unless [`may_lose`](Live::may_lose) is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    from: Place,
    pub(super) may_lose: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Stdin,
    Tcp(String),
}

/// Standard input, of which a program has one: another source that reads it at the same time is an error.
pub fn stdin() -> Live {
    Live { from: Place::Stdin, may_lose: false }
}

/// What a server sends over TCP, such as `localhost:7777`. If it cannot be reached, or the connection breaks, the attempt fails; where there are
/// checkpoints, the next one tries again.
pub fn tcp(address: impl Into<String>) -> Live {
    Live { from: Place::Tcp(address.into()), may_lose: false }
}

impl Live {
    /// A run that goes on from a checkpoint may lose what was read since, and begins with what comes next.
    pub fn may_lose(mut self) -> Self {
        self.may_lose = true;
        self
    }

    /// What it is called in messages and in the plan.
    pub(super) fn name(&self) -> String {
        match &self.from {
            Place::Stdin => "standard input".to_owned(),
            Place::Tcp(address) => format!("tcp {address}"),
        }
    }

    /// Begins to read.
    pub(super) fn open(&self, waker: Option<Waker>) -> Result<Pieces, Fault> {
        let (from, used) = match &self.from {
            Place::Stdin => standard_input()?,
            Place::Tcp(address) => (from_server(address.clone())?, Arc::default()),
        };
        Ok(Pieces { from, _used: used, waker, pieces: VecDeque::new(), at: 0, read: 0 })
    }
}

/// Standard input is read by one thread as long as the process lives: an attempt that ends must not take with it what the next one needs.
fn standard_input() -> Result<(Receiver<Vec<u8>>, Arc<()>), Fault> {
    static READING: Mutex<Option<Receiver<Vec<u8>>>> = Mutex::new(None);
    static USED: Mutex<Weak<()>> = Mutex::new(Weak::new());
    let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
    if used.strong_count() > 0 {
        return Err(Fault::new("standard input is read by another source already")
            .lasting()
            .help("read it once, and use the stream several times"));
    }
    let mut reading = READING.lock().unwrap_or_else(PoisonError::into_inner);
    let receiver = match &*reading {
        Some(receiver) => receiver.clone(),
        None => {
            let receiver = thread("pelton-stdin", |sender| pass(io::stdin().lock(), &sender, "standard input"))?;
            reading.insert(receiver).clone()
        }
    };
    let token = Arc::new(());
    *used = Arc::downgrade(&token);
    Ok((receiver, token))
}

fn from_server(address: String) -> Result<Receiver<Vec<u8>>, Fault> {
    thread("pelton-tcp", move |sender| {
        let name = format!("tcp {address}");
        let connected = TcpStream::connect(&address).and_then(|stream| {
            stream.set_read_timeout(Some(NOTICED))?;
            Ok(stream)
        });
        match connected {
            Ok(stream) => pass(stream, &sender, &name),
            Err(e) => sender.fail(
                Fault::new("cannot connect to the server")
                    .in_file(&name)
                    .because(e)
                    .help("start it first, and name it as `host:port`"),
            ),
        }
    })
}

fn thread(name: &str, run: impl FnOnce(Sender<Vec<u8>>) + Send + 'static) -> Result<Receiver<Vec<u8>>, Fault> {
    let (sender, receiver) = bounded(WAITING);
    let started = std::thread::Builder::new().name(name.to_owned()).spawn(move || run(sender));
    started.map_err(|e| Fault::new("cannot start a thread for the input").because(e))?;
    Ok(receiver)
}

/// Passes text on in pieces that end where a line does.
fn pass(mut from: impl Read, to: &Sender<Vec<u8>>, name: &str) {
    let (mut rest, mut buffer): (Vec<u8>, Vec<u8>) = (Vec::new(), vec![0; PIECE]);
    loop {
        match from.read(&mut buffer) {
            Ok(0) => {
                if !rest.is_empty() {
                    let _ = to.send(rest);
                }
                return;
            }
            Ok(got) => {
                let got = buffer.get(..got).unwrap_or_default();
                let (whole, begun) = got.split_at(memchr::memrchr(b'\n', got).map_or(0, |end| end + 1));
                if !whole.is_empty() {
                    rest.extend_from_slice(whole);
                    if to.send(std::mem::take(&mut rest)).is_err() {
                        return;
                    }
                }
                rest.extend_from_slice(begun);
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if !to.is_wanted() {
                    return;
                }
            }
            Err(e) => return to.fail(Fault::new("cannot read on").in_file(PathBuf::from(name)).because(e)),
        }
    }
}

/// Text that comes in pieces.
pub(super) struct Pieces {
    from: Receiver<Vec<u8>>,
    /// As long as it is there, nobody else reads the same.
    _used: Arc<()>,
    waker: Option<Waker>,
    pieces: VecDeque<Vec<u8>>,
    /// How much of the first one is read.
    at: usize,
    read: u64,
}

/// What there was to read.
pub(super) enum Got {
    Bytes(usize),
    /// Nothing just now.
    Nothing,
    End,
}

impl Pieces {
    /// Fills the front of `into`.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<Got, Fault> {
        if self.pieces.is_empty() {
            match self.from.take(&mut self.pieces, self.waker.as_ref())? {
                Taken::Some => {}
                Taken::Nothing => return Ok(Got::Nothing),
                Taken::Ended => return Ok(Got::End),
            }
        }
        let first = self.pieces.front().and_then(|first| first.get(self.at..)).unwrap_or_default();
        let now = first.len().min(into.len());
        let fits = into.get_mut(..now).zip(first.get(..now));
        if let Some((to, from)) = fits {
            to.copy_from_slice(from);
        }
        self.at += now;
        if now == first.len() {
            self.pieces.pop_front();
            self.at = 0;
        }
        self.read += now as u64;
        Ok(Got::Bytes(now))
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.read
    }
}
