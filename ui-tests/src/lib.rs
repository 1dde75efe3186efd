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
