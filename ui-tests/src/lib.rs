//! Rows that the cases in `ui/` and `pass/` share, so that a case holds its mistake and little else. A case whose
//! message points into the row's definition has a row of its own.

use pelton::prelude::*;

/// A trade. It can be kept, sent and written, and cannot be copied.
#[derive(Record, Serialize, Deserialize, Debug)]
pub struct Trade {
    /// When.
    pub at: Timestamp,
    /// What is traded.
    pub symbol: String,
    /// For how much.
    pub price: f64,
    /// How many.
    pub size: u32,
}

/// A payment. It can also be cloned.
#[derive(Record, Serialize, Deserialize, Clone, Debug)]
pub struct Payment {
    /// When.
    pub at: Timestamp,
    /// Whose card.
    pub card: u64,
    /// In cents.
    pub amount: i64,
}

/// Flows of another crate than the cases.
pub mod flows {
    use crate::Payment;
    use pelton::prelude::*;

    stream! {
        /// Sums per card and hour, and payments that are too small.
        pub flow sums(payments: Stream<Payment>, least: i64) -> hourly: (u64, i64), small: Payment {
            let part = payments.split { big: |p| p.amount >= least; rest: _; };
            let windows = part.big.key_by(|p| p.card).window(tumbling 1h).aggregate(sum(|p| p.amount));
            let hourly = windows.map(|w| (w.key, w.value));
            drop windows.late;
            return hourly, small = part.rest;
        }

        /// Sums per card.
        pub flow by_card(payments: Keyed<u64, Payment>) -> (u64, i64) {
            let sums = payments.aggregate(sum(|p| p.amount), emit at_end, unbounded("one per card"));
            return sums;
        }

        /// Rows that differ from the one before.
        pub flow changed<T: Record + Clone + PartialEq>(rows: Stream<(u64, T)>) -> T {
            let out = rows.key_by(|r| r.0).process {
                state last: Value<T>, unbounded("few keys");
                on event(r, cx) {
                    if last.get() != Some(&r.1) {
                        last.set(r.1.clone());
                        cx.emit(r.1);
                    }
                }
            };
            return out;
        }
    }
}

/// Flows that use those, and do not go by event time themselves.
pub mod further {
    use crate::{Payment, flows};
    use pelton::prelude::*;

    stream! {
        /// Sums of either stream, per card and hour.
        pub flow both(some: Stream<Payment>, others: Stream<Payment>) -> (u64, i64) {
            let all = union(some, others);
            let t = flows::sums(all, 0);
            drop t.small;
            let hourly = t.hourly;
            return hourly;
        }
    }
}
