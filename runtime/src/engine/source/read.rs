//! Reading a chunk of a split: into the chain's body, with panics and bad records seen to.

use super::super::body::Body;
use super::super::guard::guarded;
use super::super::meta::OnError;
use super::super::port::Live;
use super::Counters;
use super::running::Running;
use crate::error::{Error, Fault};
use crate::frame::writer::{CHUNK_ROWS, Cx};
use crate::source::{BadRecord, Emit, Polled, Reader, RowType, Source};

/// Rows between two looks at frames where none wait.
pub(super) const LARGEST_CHUNK: usize = 8 * CHUNK_ROWS;

impl<R, S, N, L, F> Running<R, S, N, L, F>
where
    R: RowType,
    S: Source<R>,
    N: Counters,
    L: Live,
    F: Body<R, N, L>,
{
    /// Reads a chunk of the split at this place; `None` if nothing may be read just now.
    pub(super) fn poll(&mut self, at: usize) -> Result<Option<Polled>, Error> {
        // Where no row waits (rows end here, or are combined) there are no frames to look at, and large chunks cost less.
        let most = if self.live.rows_waiting() == 0 { LARGEST_CHUNK } else { CHUNK_ROWS };
        let (from, written) = (self.local.now(), self.live.written());
        let mut budget = self.pace.rows().min(most);
        if let Some(limit) = &mut self.budget {
            match limit.left(from) {
                Ok(left) => budget = budget.min(left),
                Err(at) => {
                    self.activator.activate_after(at.saturating_sub(from));
                    return Ok(None);
                }
            }
        }
        let hold = self.hold(at);
        let Running { open, cx, counters, live, body, meta, operators, skipped, .. } = self;
        let Some(split) = open.get_mut(at) else { return Ok(None) };
        let before = split.rows;
        (cx.row, cx.watermark, cx.hold) = (before, split.watermark, hold);
        let reader = &mut split.reader;
        let on_error = meta.on_error;
        let polled = {
            let mut rows =
                Rows { cx: &mut *cx, counters, live, body, on_error, skipped, rows: std::marker::PhantomData::<R> };
            // The counting of rows and the reader's own place survive an unwinding, and are all that is looked at then.
            let run = std::panic::AssertUnwindSafe(|| {
                let polled = reader.poll(budget, &mut rows);
                rows.live.touch(rows.cx);
                polled
            });
            std::panic::catch_unwind(run)
        };
        let polled = match polled {
            Ok(polled) => polled.map_err(|fault| Error::Source { name: meta.name.to_owned(), fault })?,
            Err(payload) => {
                let mut place = reader.place();
                place.record = Some(place.record.map_or(cx.row, |last| last.saturating_sub(u64::from(cx.ahead))));
                let raise = move |_: &mut Cx| std::panic::resume_unwind(payload);
                return guarded(operators, cx, raise, |_| place);
            }
        };
        let (read, watermark, now) = (self.cx.row - before, self.cx.watermark, self.local.now());
        self.open.done(at, read, watermark, polled == Polled::Dry, now);
        self.rows += read;
        if let Some(limit) = &mut self.budget {
            limit.take(read);
        }
        self.pace.done(self.live.written().saturating_sub(written), now - from);
        Ok(Some(polled))
    }
}

/// Where a reader's rows go: into the body.
struct Rows<'x, R, N, L, F> {
    cx: &'x mut Cx,
    counters: &'x mut N,
    live: &'x mut Option<L>,
    body: &'x mut F,
    on_error: OnError,
    skipped: &'x mut u64,
    rows: std::marker::PhantomData<R>,
}

impl<R, N, L, F> Emit<R> for Rows<'_, R, N, L, F>
where
    R: RowType,
    N: Copy,
    F: Body<R, N, L>,
{
    #[inline(always)]
    fn row(&mut self, row: R::Row<'_>) {
        self.cx.row += 1;
        if let Some(live) = self.live {
            self.body.row(row, self.cx, self.counters, live);
        }
        // The reader runs again, which is the first operator.
        self.cx.operator = 0;
    }
    #[inline(always)]
    fn rows<'a, I: Iterator<Item = R::Row<'a>>>(&mut self, rows: I) {
        if let Some(live) = self.live.take() {
            *self.live = Some(self.body.rows(rows, self.cx, self.counters, live));
        }
    }
    fn bad(&mut self, record: &[u8], fault: Fault) -> Result<(), Fault> {
        match self.on_error {
            // It is in the input, and will be there again.
            OnError::Fail => {
                let mut fault = fault.lasting();
                let help = "correct the record, or write `on_error skip` or `on_error divert` on the source";
                fault.help.get_or_insert_with(|| help.to_owned());
                return Err(fault);
            }
            OnError::Skip => *self.skipped += 1,
            OnError::Divert => {
                if let Some(live) = self.live {
                    self.body.bad(BadRecord::new(record, &fault), self.cx, self.counters, live);
                }
                self.cx.operator = 0;
            }
        }
        Ok(())
    }
}
