//! A job that is edited.

use pelton::prelude::*;

/// A flight.
#[derive(Clone, Debug, Record)]
pub struct Flight {
    /// Who flies.
    pub carrier: String,
    /// From where.
    pub origin: String,
    /// In minutes.
    pub delay: i64,
    /// When.
    pub at: Timestamp,
}

/// What counts.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The least delay that does.
    pub least_delay: i64,
}

stream! {
    /// Flights that are late.
    pub job Board<Memory> {
        /// The flights.
        param input: Vec<Flight>;
        /// The least delay.
        param least: i64 = 5;
        source flights: Flight = rows(input), event_time |f| f.at, late_by 1h;
        let delayed = flights.filter(|d| d.delay > least);
        let pairs: (String, i64) = delayed.map(|p| (p.origin.clone(), p.delay));
        let hourly: (String, (u64, i64)) = delayed.key_by(|k| k.carrier).window(tumbling 1h).aggregate((count(), sum(|s| s.delay))).map(|w| (w.key, w.value));
        let jumps: i64 = flights.key_by(|k| k.origin).process {
            in_order;
            state last: Value<Flight>, ttl 24h;
            on event(now, cx) {
                if let Some(before) = last.get() {
                    cx.emit(now.delay - before.delay);
                }
                last.set(now);
            }
        };
        let worst: Flight = worse(flights, Limits { least_delay: 60 });
        sink first(pairs) = collect();
        sink second(hourly) = collect();
        sink third(jumps) = collect();
        sink fourth(worst) = collect();
        drop hourly.late;
        drop jumps.late;
    }

    /// Flights that are worse than others.
    pub flow worse(all: Stream<Flight>, limits: Limits) -> Flight {
        let some = all.filter(|r| r.delay > limits.least_delay);
        return some;
    }
}
