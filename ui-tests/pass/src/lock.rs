//! A job whose state has changed in every way that can be restored, against the lock from before.

use river::prelude::*;
use std::collections::BTreeMap;

/// A trade: it was called a deal, its price was an `f32`, it had a note, and its size was narrower.
#[derive(Record, Clone, Debug, Default)]
#[record(crate = river)]
#[was(Deal)]
#[dropped(note)]
pub struct Trade {
    /// What it was for: it stood first.
    pub legs: Vec<Option<Leg>>,
    /// For how much.
    #[was(cost, price)]
    pub paid: f64,
    /// How many.
    pub size: u64,
    /// Which side.
    pub side: Side,
    /// By venue.
    pub fees: BTreeMap<String, [(u32, Leg); 2]>,
    /// How late: it was in seconds.
    pub delay: Delay,
    /// Bytes became numbers.
    pub seen: Vec<u16>,
    /// It is new.
    #[added]
    pub tags: Vec<String>,
    /// And so is this.
    #[added(Timestamp::from_millis(0))]
    pub at: Timestamp,
}

/// A part of a trade.
#[derive(Record, Clone, Debug, Default)]
#[record(crate = river)]
pub struct Leg {
    /// Where.
    pub venue: String,
    /// It is new.
    #[added(1)]
    pub lots: u32,
}

/// A side: one is new, one has another name and place, one is no more.
#[derive(Record, Clone, Copy, Debug, Default)]
#[record(crate = river)]
#[dropped(Neither)]
pub enum Side {
    /// Or both.
    Both,
    /// To sell: it was `Sell`.
    #[was(Sell)]
    #[dropped(why)]
    Sold {
        /// Whether nothing was there to be sold.
        short: bool,
        /// It is new.
        #[added]
        since: TimeSpan,
    },
    /// To buy.
    #[default]
    Buy,
}

/// What a delay was.
#[derive(Record, Clone, Copy, Debug)]
#[record(crate = river)]
pub struct Seconds {
    /// So many.
    pub seconds: i32,
}

/// What a delay is.
#[derive(Record, Clone, Copy, Debug, Default)]
#[record(crate = river, migrate = from_seconds)]
pub struct Delay {
    /// So many.
    pub millis: i64,
}

fn from_seconds(old: Seconds) -> Delay {
    Delay { millis: i64::from(old.seconds) * 1000 }
}

/// A key: its floor was narrower, which leaves its hash as it was, and it has one more part.
#[derive(Record, Key, Clone, Copy, Debug, PartialEq, Eq)]
#[record(crate = river)]
pub struct Desk {
    /// Up or down.
    #[was(floor)]
    pub level: u16,
    /// Which.
    pub part: Part,
}

/// Parts of a floor, in another order.
#[derive(Record, Key, Clone, Copy, Debug, PartialEq, Eq)]
#[record(crate = river)]
pub enum Part {
    /// It is new.
    North,
    /// As before.
    East,
    /// As before.
    West,
}

stream! {
    /// All of it.
    #[derive(Debug)]
    #[lock("kept.lock")]
    #[dropped(given_up, changed.windows, moves.noted, moves.quiet)]
    pub job Kept<Memory> {
        /// What comes in.
        param data: Vec<(u64, String)>;

        source all: (u64, String) = rows(data), event_time |d| Timestamp::from_millis(d.0.cast_signed()), late_by 0s, ordered_splits;

        #[was(broad, wide)]
        let wider = all.key_by(|d| d.0).fold((0u64, (0i64, 0.0f64), 0i32), |sum, d| sum.0 += d.0, emit at_end, unbounded("few keys"));
        let trades = all.key_by(|d| d.1).fold(Trade::default(), |trade, d| trade.size += d.0, emit at_end, unbounded("few keys"));
        let hours = all.key_by(|d| Desk { level: u16::try_from(d.0).unwrap_or(0), part: Part::North }).window(tumbling 60min).aggregate(count());
        let changed = all.key_by(|d| d.1).aggregate(count(), emit at_end, unbounded("few keys"));
        // One state and the timer are no more, one is wider, one is new.
        let moves: u64 = all.key_by(|d| d.0).process {
            state seen: Value<u64>, ttl 1h;
            state newest: Value<String>, ttl 1h;
            on event(d, cx) {
                seen.set(d.0);
                newest.set(d.1);
                cx.emit(d.0);
            }
        };
        let brand_new = all.key_by(|d| d.0 % 2).reduce(|a, _| a, emit at_end, unbounded("few keys"));

        let a = wider.map(|w| w.1.0);
        let b = trades.map(|t| t.1.size);
        let c = hours.map(|w| w.value);
        let d = changed.map(|n| n.1);
        let e = brand_new.map(|n| n.1.0);
        let rows: u64 = union(a, b, c, d, e, moves).map(|n| n);
        sink sums(rows) = collect();
        drop hours.late;
    }
}
