//! A job between topics to be killed: `scripts/chaos` runs it, at a limited rate so that there is time to kill it.
//!
//! It publishes with every checkpoint, in transactions: each row as it comes, with what its card has spent until then, and what
//! each card has spent per minute. It reads the partitions to where they end when it is first started.

#[macro_use]
mod backend;

use pelton::connect::log::log;
use pelton::prelude::*;

/// A record of the input.
#[derive(Record, Serialize, Deserialize, Clone, Debug)]
struct Payment {
    at: Timestamp,
    card: String,
    cents: i64,
}

/// A payment, and the sum of all of its card up to it.
#[derive(Record, Serialize, Clone, Debug)]
struct Running {
    card: String,
    payments: u64,
    cents: i64,
}

/// What a card has spent in a minute.
#[derive(Record, Serialize, Clone, Debug)]
struct Minute {
    card: String,
    from: Timestamp,
    cents: i64,
}

stream! {
    /// From a topic of payments to two topics of sums, read at a limited rate.
    job ChaosTopics<Memory> {
        /// The log with the topic `payments`.
        param payments: PathBuf;
        /// The log for the topics `running` and `minutes`.
        param out: PathBuf;
        /// Rows per second.
        param per_second: Option<u64>;

        source paid: Payment = log(payments).topic("payments").json().bounded(),
            event_time |p| p.at, late_by 1h, on_error fail, rate per_second;

        let sums = paid.key_by(|p| p.card).aggregate((count(), sum(|p| p.cents)), emit each, unbounded("few cards"));
        let running = sums.map(|(card, (payments, cents))| Running { card: card.to_owned(), payments, cents });
        let windows = paid.key_by(|p| p.card).window(tumbling 1min).aggregate(sum(|p| p.cents));
        let minutes = windows.map(|m| Minute { card: m.key, from: m.start, cents: m.value });

        sink running_topic(running) = log(out).topic("running").json().partitions(3).key(|r: &Running| r.card.clone());
        sink minutes_topic(minutes) = log(out).topic("minutes").json().partitions(2);
        drop windows.late;
    }
}

main_of!(ChaosTopics);
