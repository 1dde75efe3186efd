//! Rows without a key on their way to another worker, and the gates of what they need.

use super::gates::{No, Nothing, Yes};
use crate::engine::EdgePort;
use crate::frame::Time;
use crate::frame::writer::{Combine, Cx};
use crate::record::Record;

/// Hands a row and a number to a user's closure.
#[inline(always)]
pub fn call_with<A, R>(a: A, n: usize, f: impl FnOnce(A, usize) -> R) -> R {
    f(a, n)
}

/// What a `partition_by` closure gives.
#[diagnostic::on_unimplemented(
    message = "the number of a worker is an unsigned integer, and this is a `{Self}`",
    label = "not the number of a worker",
    note = "the workers are numbered from 0: `partition_by(|r, n| r.shard as usize % n)`"
)]
pub trait IsWorker {
    /// As a number; one that is too large is taken modulo the number of workers.
    fn number(self) -> usize;
}
macro_rules! numbers { ($($t:ty),*) => { $(impl IsWorker for $t {
    #[inline(always)]
    fn number(self) -> usize { self as usize }
})* } }
numbers!(u8, u16, u32, u64, usize);

/// What `broadcast` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` goes to every worker and is not `Clone`",
    label = "copied for each worker",
    note = "derive `Clone` for `{Self}`"
)]
pub trait Copied<Mark>: Sized {
    /// Itself, with how it is copied.
    type Checked;
    /// Gives it.
    fn checked(self) -> Self::Checked;
}
#[diagnostic::do_not_recommend]
impl<T: Clone> Copied<Yes> for T {
    type Checked = Copies<T>;
    #[inline(always)]
    fn checked(self) -> Copies<T> {
        Copies { row: self, copy: T::clone }
    }
}
#[diagnostic::do_not_recommend]
impl<T: Nothing> Copied<No> for T {
    type Checked = T;
    fn checked(self) -> T {
        self
    }
}

/// A row that can be copied, which the type itself need not say again.
pub struct Copies<T> {
    row: T,
    copy: fn(&T) -> T,
}
/// That it is.
pub trait CopiesOf<V> {
    /// Gives a copy for each of so many, and itself for the first.
    fn each(self, count: usize, to: impl FnMut(usize, V));
}
impl<V> CopiesOf<V> for Copies<V> {
    #[inline(always)]
    fn each(self, count: usize, mut to: impl FnMut(usize, V)) {
        (1..count).for_each(|n| to(n, (self.copy)(&self.row)));
        to(0, self.row);
    }
}

/// Writes a row for every worker.
#[inline(always)]
pub fn to_all<V: Record, T: Time, C: Combine<(), V>, X: CopiesOf<V>>(
    out: &mut EdgePort<(), V, T, C>,
    row: X,
    time: i64,
    cx: &Cx,
) {
    row.each(out.workers(), |worker, row| out.to(worker, row, time, cx));
}
