//! The clients of the server: a thread that reads each one's requests, and a thread that writes its answers.

use super::{Answer, Payment, WINDOW};
use pelton::channel::{Receiver, Sender, bounded};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{self, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Scope;
use std::time::Duration;

/// A line that is longer is no request.
const LONGEST: u64 = 64 * 1024;
/// A client that takes nothing for so long is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// A line of a client.
#[derive(Deserialize)]
struct Request {
    card: String,
    cents: u64,
}

/// What a client is told.
enum Reply {
    Total(Answer),
    Refused(String),
}

/// What a client is told that has sent nonsense.
#[derive(Serialize)]
struct Refused<'a> {
    error: &'a str,
}

struct Client {
    replies: Sender<Reply>,
    connection: TcpStream,
}

/// Those who are there, by number.
#[derive(Default)]
pub(crate) struct Clients(Mutex<Known>);

#[derive(Default)]
struct Known {
    next: u64,
    by_number: HashMap<u64, Client>,
}

impl Clients {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the two threads of a client.
    pub(crate) fn welcome<'scope, 'env>(
        &'env self,
        threads: &'scope Scope<'scope, 'env>,
        connection: TcpStream,
        to_job: &Sender<Payment>,
    ) -> io::Result<()> {
        let (reading, writing, to_job) = (connection.try_clone()?, connection.try_clone()?, to_job.clone());
        connection.set_write_timeout(Some(PATIENCE))?;
        // Who reads notes each request here, and waits while there is no room; who writes takes a note and then waits for its reply. So he
        // knows when all requests have theirs.
        let (asked, to_answer) = sync_channel(WINDOW);
        // There is room for all replies that may come, so whoever hands out answers never waits.
        let (replies, to_write) = bounded(WINDOW + 1);
        let mut known = self.known();
        known.next += 1;
        let number = known.next;
        known.by_number.insert(number, Client { replies: replies.clone(), connection });
        drop(known);
        threads.spawn(move || {
            // If the client breaks off, what it has sent whole is counted all the same.
            let _ = read(reading, number, &to_job, &replies, &asked);
        });
        threads.spawn(move || {
            // One that does not take its answers is given up.
            let _ = write(&writing, &to_answer, &to_write);
            let _ = writing.shutdown(Shutdown::Both);
            self.known().by_number.remove(&number);
        });
        Ok(())
    }

    /// Gives an answer to the client that it is for, if it is there still.
    pub(crate) fn tell(&self, answer: Answer) {
        let to = self.known().by_number.get(&answer.client).map(|client| client.replies.clone());
        if let Some(to) = to {
            let _ = to.send(Reply::Total(answer));
        }
    }

    /// Nothing more is read from anybody. Answers still go out.
    pub(crate) fn read_no_more(&self) {
        for client in self.known().by_number.values() {
            let _ = client.connection.shutdown(Shutdown::Read);
        }
    }

    /// There will be no more answers.
    pub(crate) fn end(&self) {
        self.known().by_number.clear();
    }
}

/// Brings the requests of a client to the job.
fn read(
    connection: TcpStream,
    client: u64,
    to_job: &Sender<Payment>,
    replies: &Sender<Reply>,
    asked: &SyncSender<()>,
) -> io::Result<()> {
    let mut lines = BufReader::new(connection);
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        // Both waits end when the other side is gone.
        if asked.send(()).is_err() {
            return Ok(());
        }
        if line.len() as u64 == LONGEST && !line.ends_with(b"\n") {
            let _ = replies.send(Reply::Refused(format!("a line has at most {LONGEST} bytes")));
            return Ok(());
        }
        let sent = match serde_json::from_slice::<Request>(&line) {
            Ok(Request { card, cents }) => to_job.send(Payment { client, card, cents }).is_ok(),
            Err(error) => replies.send(Reply::Refused(error.to_string())).is_ok(),
        };
        if !sent {
            return Ok(());
        }
    }
}

/// Writes a reply for each request, until there are no more of them.
fn write(connection: &TcpStream, to_answer: &mpsc::Receiver<()>, replies: &Receiver<Reply>) -> io::Result<()> {
    let mut lines = BufWriter::new(connection);
    let mut here = None;
    while to_answer.recv().is_ok() {
        let reply = match here.take() {
            Some(reply) => reply,
            None => match replies.recv() {
                Ok(reply) => reply,
                // The job has failed.
                Err(_) => break,
            },
        };
        match reply {
            Reply::Total(answer) => serde_json::to_writer(&mut lines, &answer)?,
            Reply::Refused(error) => serde_json::to_writer(&mut lines, &Refused { error: &error })?,
        }
        lines.write_all(b"\n")?;
        here = replies.try_recv().ok();
        if here.is_none() {
            lines.flush()?;
        }
    }
    lines.flush()
}
