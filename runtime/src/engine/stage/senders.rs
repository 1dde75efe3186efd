//! How far each sender of a chain is: the operator's own watermark is the least of them.

use crate::frame::Time;
use crate::frame::{Mark, Rows};
use crate::key::Key;
use crate::record::Record;

/// The watermark of each sender of each feed; `None` until it has said something.
pub(super) struct Senders {
    watermarks: Vec<Vec<Option<i64>>>,
    /// The one sender that counts, on an edge that stays on its worker.
    only: Option<usize>,
}

impl Senders {
    /// So many on each of so many feeds, none of which has said anything.
    pub(super) fn new(feeds: usize, workers: usize, only: Option<usize>) -> Senders {
        Senders { watermarks: vec![vec![None; workers]; feeds], only }
    }

    /// The operator's own watermark: the least over all senders, once all have spoken.
    pub(super) fn least(&self) -> i64 {
        self.least_but(None)
    }

    fn least_but(&self, but: Option<(usize, usize)>) -> i64 {
        let mut least = i64::MAX;
        for (feed, watermarks) in self.watermarks.iter().enumerate() {
            for (sender, watermark) in watermarks.iter().enumerate() {
                if but != Some((feed, sender)) && self.only.is_none_or(|only| only == sender) {
                    least = least.min(watermark.unwrap_or(i64::MIN));
                }
            }
        }
        least
    }

    /// A sender has come to here. What it has said before stays said.
    pub(super) fn heard(&mut self, feed: usize, sender: usize, watermark: i64) {
        if let Some(known) = self.watermarks[feed].get_mut(sender) {
            *known = Some(known.unwrap_or(i64::MIN).max(watermark));
        }
    }

    /// Turns the sender's watermarks in the marks into this operator's: the least over all senders at that row.
    pub(super) fn settle_marks<K: Key, V: Record, T: Time>(
        &self,
        feed: usize,
        sender: usize,
        rows: &mut Rows<K, V, T>,
    ) {
        if rows.marks.is_empty() {
            return;
        }
        let others = self.least_but(Some((feed, sender)));
        for Mark { watermark, .. } in &mut rows.marks {
            *watermark = (*watermark).min(others);
        }
    }
}
