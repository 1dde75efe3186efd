//! [`Own`]: an aggregator of the user's, in a block. Whether it aggregates the rows that come is asked once, in the body
//! that sends them; until then rustc does not know, and after a "no" it asks nothing more.

use super::Aggregator;
use crate::record::Record;
use std::marker::PhantomData;

/// An aggregator with the proof, `P`, that it may be used: [`Fits`], which only the gate gives.
pub struct Own<A, P>(A, PhantomData<P>);

/// Takes an aggregator; the proof is found where rows are sent.
pub fn own<A, P>(aggregator: A) -> Own<A, P> {
    Own(aggregator, PhantomData)
}

/// What an aggregator does, said of its proof: as long as that is not known, rustc waits instead of complaining.
pub trait ProofOf<A, T>: 'static {
    /// A partial result.
    type Acc: Record + Default;
    /// The result.
    type Out;
    /// What a partial result owns on the heap.
    const HEAP: usize;
    /// Adds a row.
    fn add(how: &A, acc: &mut Self::Acc, row: &T);
    /// Adds another partial result.
    fn merge(how: &A, acc: &mut Self::Acc, other: Self::Acc);
    /// The result so far.
    fn finish(how: &A, acc: &Self::Acc) -> Self::Out;
}

/// The proof.
pub enum Fits {}
impl<T, A: Aggregator<T>> ProofOf<A, T> for Fits {
    type Acc = A::Acc;
    type Out = A::Out;
    const HEAP: usize = A::HEAP;
    #[inline(always)]
    fn add(how: &A, acc: &mut A::Acc, row: &T) {
        how.add(acc, row)
    }
    #[inline(always)]
    fn merge(how: &A, acc: &mut A::Acc, other: A::Acc) {
        how.merge(acc, other)
    }
    #[inline(always)]
    fn finish(how: &A, acc: &A::Acc) -> A::Out {
        how.finish(acc)
    }
}

impl<T, A: 'static, P: ProofOf<A, T>> Aggregator<T> for Own<A, P> {
    type Acc = P::Acc;
    type Out = P::Out;
    const HEAP: usize = P::HEAP;
    #[inline(always)]
    fn add(&self, acc: &mut P::Acc, row: &T) {
        P::add(&self.0, acc, row)
    }
    #[inline(always)]
    fn merge(&self, acc: &mut P::Acc, other: P::Acc) {
        P::merge(&self.0, acc, other)
    }
    #[inline(always)]
    fn finish(&self, acc: &P::Acc) -> P::Out {
        P::finish(&self.0, acc)
    }
}
