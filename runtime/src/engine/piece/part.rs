//! What a piece of a chain does with a row: the whole of it in one closure, or cut behind its first filter, as in
//! [`body`](crate::engine::body).

use crate::engine::port::Live;
use crate::frame::writer::Cx;
use crate::source::RowType;

/// How a piece is written that writes to these outputs.
pub trait Shape<L>: 'static {
    /// Whether there is a filter in it, on a straight way.
    fn filters() -> bool;
}

/// What a piece does with its rows.
pub trait Part<R: RowType, N, L>: Shape<L> {
    /// What is left of a row that has passed its first filter.
    type Passed<'a>;

    /// What stands in front of the filter, and its answer; without one all of the rest is left to [`pass`](Part::pass).
    fn test<'a>(
        &mut self,
        row: R::Row<'a>,
        time: i64,
        cx: &mut Cx,
        counters: &mut N,
        live: &mut L,
    ) -> (bool, Self::Passed<'a>);

    /// What stands behind it.
    fn pass(&mut self, row: Self::Passed<'_>, time: i64, cx: &mut Cx, counters: &mut N, live: &mut L);
}

/// A part that is not cut.
pub struct Whole<F>(pub F);

impl<L, F: 'static> Shape<L> for Whole<F> {
    #[inline(always)]
    fn filters() -> bool {
        false
    }
}

impl<R, N, L, F> Part<R, N, L> for Whole<F>
where
    R: RowType,
    F: for<'a> FnMut(R::Row<'a>, i64, &mut Cx, &mut N, &mut L) + 'static,
{
    type Passed<'a> = R::Row<'a>;

    #[inline(always)]
    fn test<'a>(&mut self, row: R::Row<'a>, _: i64, _: &mut Cx, _: &mut N, _: &mut L) -> (bool, Self::Passed<'a>) {
        (true, row)
    }

    #[inline(always)]
    fn pass(&mut self, row: R::Row<'_>, time: i64, cx: &mut Cx, counters: &mut N, live: &mut L) {
        (self.0)(row, time, cx, counters, live);
    }
}

/// A part that is cut behind its filter (`HERE`), or behind that of the part that it leads straight into.
pub struct Parted<const HERE: bool, P, F>(pub P, pub F);

impl<const HERE: bool, L: Live, P: 'static, F: 'static> Shape<L> for Parted<HERE, P, F> {
    #[inline(always)]
    fn filters() -> bool {
        HERE || L::filters()
    }
}

impl<const HERE: bool, R, N, L, X, P, F> Part<R, N, L> for Parted<HERE, P, F>
where
    R: RowType,
    L: Live,
    P: for<'a> FnMut(R::Row<'a>, i64, &mut Cx, &mut N, &mut L) -> (bool, X) + 'static,
    F: FnMut(X, i64, &mut Cx, &mut N, &mut L) + 'static,
{
    type Passed<'a> = X;

    #[inline(always)]
    fn test<'a>(
        &mut self,
        row: R::Row<'a>,
        time: i64,
        cx: &mut Cx,
        counters: &mut N,
        live: &mut L,
    ) -> (bool, Self::Passed<'a>) {
        (self.0)(row, time, cx, counters, live)
    }

    #[inline(always)]
    fn pass(&mut self, row: X, time: i64, cx: &mut Cx, counters: &mut N, live: &mut L) {
        (self.1)(row, time, cx, counters, live);
    }
}
