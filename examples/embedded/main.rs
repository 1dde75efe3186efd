//! A job inside of a program: a server that takes payments over TCP, one JSON object on each line, and answers each with what its
//! card has paid so far.
//!
//! ```text
//! cargo run --release --example embedded                        listens at 127.0.0.1:7878, until Ctrl-C
//! cargo run --release --example embedded -- 127.0.0.1:0         at a port that is free
//! printf '{"card":"A","cents":250}\n' | nc -N 127.0.0.1 7878    {"card":"A","payments":1,"cents":250}
//! ```
//!
//! Requests go into a channel that is the source of the job, answers come out of one that is its sink. **Whatever waits, waits in a place
//! that is bounded**: while the job is busy, `send` waits, the socket is not read, and so the client waits. A client that does not
//! read its answers may have [`WINDOW`] requests under way, and holds nobody but itself.
//!
//! **At the end nothing is lost**: no more is read, what was read is answered, then the program ends.

mod client;

use client::Clients;
use pelton::channel::{Receiver, Sender, bounded};
use pelton::prelude::*;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Payments that wait for the job, and answers that wait for who hands them out.
const QUEUE: usize = 1024;
/// Requests of one client that have no answer yet.
const WINDOW: usize = 256;
/// How often answers come out. A request takes half of this, on the average, and the time of the work.
const EPOCH: Duration = Duration::from_millis(10);

/// A payment, and who asks.
#[derive(Record, Clone)]
struct Payment {
    client: u64,
    card: String,
    cents: u64,
}

/// What a card has paid, this payment included, and whom to tell.
#[derive(Record, Serialize)]
struct Answer {
    #[serde(skip)]
    client: u64,
    card: String,
    payments: u64,
    cents: u64,
}

stream! {
    /// What each card has paid so far.
    job Totals<Memory> {
        param payments: Receiver<Payment>;
        param answers: Sender<Answer>;

        source all: Payment = channel(payments);

        let totals: Answer = all.key_by(|p| p.card).process {
            state paid: Aggregating<Payment> = (count(), sum(|p| p.cents)), unbounded("one per card");

            on event(p, cx) {
                paid.add(&p);
                if let Some((payments, cents)) = paid.get() {
                    cx.emit(Answer { client: p.client, card: p.card, payments, cents });
                }
            }
        };

        sink out(totals) = channel(answers);
    }
}

/// Tells everybody that the end has come.
#[derive(Clone)]
struct Stop {
    said: Arc<AtomicBool>,
    address: SocketAddr,
}

impl Stop {
    fn say(&self) {
        self.said.store(true, Ordering::Release);
        // Wakes who waits for a client. If nobody does, it has ended already.
        let _ = TcpStream::connect(self.address);
    }
    fn is_said(&self) -> bool {
        self.said.load(Ordering::Acquire)
    }
}

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7878".to_owned());
    let listener = TcpListener::bind(&address).map_err(|e| format!("cannot listen at {address}: {e}"))?;
    let stop = Stop { said: Arc::default(), address: listener.local_addr()? };
    let at_signal = stop.clone();
    ctrlc::set_handler(move || at_signal.say())?;
    eprintln!("listening at {}", stop.address);

    let (to_job, payments) = bounded(QUEUE);
    let (answers, from_job) = bounded(QUEUE);
    let clients = Clients::default();
    let summary = thread::scope(|threads| {
        let job = threads.spawn(|| {
            let summary =
                Totals { payments, answers }.run(Config::default().epoch(EPOCH)).map(|results| results.summary);
            // Also if it has failed: nobody is to wait for it.
            stop.say();
            summary
        });
        threads.spawn(|| {
            from_job.iter().for_each(|answer| clients.tell(answer));
            clients.end();
        });
        let accepted = accept(&listener, &stop, |connection| clients.welcome(threads, connection, &to_job));
        clients.read_no_more();
        // The job's input ends when the last client's end of it has gone, too.
        drop(to_job);
        let summary = job.join().map_err(|_| "the job's thread panicked")?;
        accepted?;
        Ok::<Summary, Box<dyn std::error::Error>>(summary?)
    })?;
    eprintln!("{} payments, {} answers", summary.records_in, summary.records_out);
    Ok(())
}

/// Takes clients until the end is said.
fn accept(listener: &TcpListener, stop: &Stop, mut welcome: impl FnMut(TcpStream) -> io::Result<()>) -> io::Result<()> {
    for connection in listener.incoming() {
        if stop.is_said() {
            break;
        }
        // One that was gone before it was taken is none of the others' business.
        if let Err(error) = connection.and_then(&mut welcome) {
            eprintln!("a client was not taken: {error}");
        }
    }
    Ok(())
}
