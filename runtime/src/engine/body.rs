//! The loop of a source's chain over rows that lie side by side.
//!
//! Two things make it as fast as one written by hand. It owns what the body counts and writes into while it runs, so that
//! sums stay in registers: behind a reference they would be stored at each row. And behind a filter of plain values no
//! branch depends on the data: rows are written side by side into a small buffer, each over the one before it
//! if that one did not pass, and the rest of the chain runs over those that did, in a loop that vectorizes.
//!
//! `unsafe` is used for that buffer: its first `count` places are written before they are read, each is read once, and
//! values that need no drop may be forgotten. Measured on W1: 5 times the branching loop.
#![allow(unsafe_code)]

use super::port::Live;
use crate::frame::writer::Cx;
use crate::source::{BadRecord, RowType};
use std::mem::MaybeUninit;

/// What a source's chain does with its rows.
pub trait Body<R: RowType, N, L>: 'static {
    /// One row.
    fn row(&mut self, row: R::Row<'_>, cx: &mut Cx, counters: &mut N, live: &mut L);
    /// Many rows.
    fn rows<'a, I: Iterator<Item = R::Row<'a>>>(&mut self, rows: I, cx: &mut Cx, counters: &mut N, live: L) -> L;
    /// A record that is no row, of a source that diverts them.
    fn bad(&mut self, _: BadRecord, _: &mut Cx, _: &mut N, _: &mut L) {}
}

/// A chain, and what happens to records that are no rows.
pub struct Diverting<B, E>(pub B, pub E);

impl<R, N, L, B, E> Body<R, N, L> for Diverting<B, E>
where
    R: RowType,
    B: Body<R, N, L>,
    E: FnMut(BadRecord, &mut Cx, &mut N, &mut L) + 'static,
{
    #[inline(always)]
    fn row(&mut self, row: R::Row<'_>, cx: &mut Cx, counters: &mut N, live: &mut L) {
        self.0.row(row, cx, counters, live);
    }
    #[inline(always)]
    fn rows<'a, I: Iterator<Item = R::Row<'a>>>(&mut self, rows: I, cx: &mut Cx, counters: &mut N, live: L) -> L {
        self.0.rows(rows, cx, counters, live)
    }
    #[cold]
    fn bad(&mut self, record: BadRecord, cx: &mut Cx, counters: &mut N, live: &mut L) {
        (self.1)(record, cx, counters, live);
    }
}

/// Says where a loop was when it ends, also by a panic.
struct Here<'x> {
    told: &'x mut Cx,
    cx: Cx,
}

impl<'x> Here<'x> {
    fn new(told: &'x mut Cx) -> Self {
        Here { cx: *told, told }
    }
}

impl Drop for Here<'_> {
    fn drop(&mut self) {
        *self.told = self.cx;
    }
}

/// The whole chain, row by row.
pub struct Each<F>(pub F);

impl<R, N, L, F> Body<R, N, L> for Each<F>
where
    R: RowType,
    N: Copy,
    F: for<'b> FnMut(R::Row<'b>, &mut Cx, &mut N, &mut L) + 'static,
{
    #[inline(always)]
    fn row(&mut self, row: R::Row<'_>, cx: &mut Cx, counters: &mut N, live: &mut L) {
        (self.0)(row, cx, counters, live)
    }

    #[inline(never)]
    fn rows<'a, I: Iterator<Item = R::Row<'a>>>(&mut self, rows: I, cx: &mut Cx, counters: &mut N, live: L) -> L {
        let mut here = Here::new(cx);
        let (mut counted, mut live) = (*counters, live);
        for row in rows {
            here.cx.row += 1;
            (self.0)(row, &mut here.cx, &mut counted, &mut live);
        }
        // Which operator ran last is of use only to a panic; to keep it would keep the loop from being vectorized.
        here.cx.operator = 0;
        *counters = counted;
        live
    }
}

/// A chain that is cut behind its first filter: one of its own (`HERE`), or the first of the flow that it leads straight into.
///
/// In front of a sink the loop stays one, since there it may vectorize as it is.
pub struct Filtered<const HERE: bool, P, F>(pub P, pub F);

/// Rows that are filtered at once: they stay in the nearest cache.
const AT_ONCE: usize = 512;

impl<const HERE: bool, R, N, L, X, P, F> Body<R, N, L> for Filtered<HERE, P, F>
where
    R: RowType,
    N: Copy,
    L: Live,
    P: for<'b> FnMut(R::Row<'b>, &mut Cx, &mut N, &mut L) -> (bool, X) + 'static,
    F: FnMut(X, &mut Cx, &mut N, &mut L) + 'static,
{
    #[inline(always)]
    fn row(&mut self, row: R::Row<'_>, cx: &mut Cx, counters: &mut N, live: &mut L) {
        let (keep, row) = (self.0)(row, cx, counters, live);
        if keep {
            (self.1)(row, cx, counters, live);
        }
    }

    #[inline(never)]
    fn rows<'a, I: Iterator<Item = R::Row<'a>>>(&mut self, mut rows: I, cx: &mut Cx, counters: &mut N, live: L) -> L {
        let Filtered(front, rest) = self;
        let mut here = Here::new(cx);
        let (mut counted, mut live) = (*counters, live);
        let cut = (HERE || L::filters()) && !L::sinks();
        if !cut || std::mem::needs_drop::<X>() || size_of::<X>() > 64 {
            for row in rows {
                here.cx.row += 1;
                let (keep, row) = front(row, &mut here.cx, &mut counted, &mut live);
                if keep {
                    rest(row, &mut here.cx, &mut counted, &mut live);
                }
            }
        } else {
            let mut passed = [const { MaybeUninit::<X>::uninit() }; AT_ONCE];
            // Where each of them stood: for the message of a panic behind the filter.
            let mut places = [0u16; AT_ONCE];
            loop {
                let begun = here.cx.row;
                let (mut seen, mut count) = (0, 0);
                rows.by_ref().take(AT_ONCE).for_each(|row| {
                    here.cx.row += 1;
                    let (keep, row) = front(row, &mut here.cx, &mut counted, &mut live);
                    // SAFETY: `count` has grown at most once for each row before this one, of which there are fewer
                    // than `AT_ONCE`.
                    unsafe { passed.get_unchecked_mut(count) }.write(row);
                    seen += 1;
                    // SAFETY: as above.
                    *unsafe { places.get_unchecked_mut(count) } = seen as u16;
                    count += usize::from(keep);
                });
                for (row, place) in passed[..count].iter().zip(&places) {
                    here.cx.row = begun + u64::from(*place);
                    here.cx.ahead = (seen - usize::from(*place)) as u32;
                    // SAFETY: the first `count` places were written above, and each is read once.
                    let row = unsafe { row.assume_init_read() };
                    rest(row, &mut here.cx, &mut counted, &mut live);
                }
                here.cx.row = begun + seen as u64;
                here.cx.ahead = 0;
                if seen < AT_ONCE {
                    break;
                }
            }
        }
        here.cx.operator = 0;
        *counters = counted;
        live
    }
}
