//! [`Named`]: words whose results are fields of a struct. What is kept of them is a struct with the same names, so that the order in which
//! they are written means nothing to what is stored.

use super::Aggregator;
use crate::codec::{CodecError, Reader};
use crate::record::Record;
use crate::schema::{Field, Past, Schema};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

/// Names of fields.
pub trait FieldNames: Send + 'static {
    /// In the order of the parts.
    const NAMES: &'static [&'static str];
}

/// The most fields: as many as a tuple has.
const MOST: usize = 12;

/// A tuple of words with names.
pub struct Named<N, A> {
    words: A,
    names: PhantomData<N>,
}

impl<N, A> Named<N, A> {
    /// Gives names to the parts of a tuple.
    pub fn new(_: PhantomData<N>, words: A) -> Self {
        Named { words, names: PhantomData }
    }
}

/// Its parts, which the gates in front of an edge ask for.
impl<N, A> Deref for Named<N, A> {
    type Target = A;
    fn deref(&self) -> &A {
        &self.words
    }
}

impl<N: FieldNames, T, A: Aggregator<T>> Aggregator<T> for Named<N, A> {
    type Acc = Parts<N, A::Acc>;
    type Out = A::Out;
    const HEAP: usize = A::HEAP;
    #[inline(always)]
    fn add(&self, acc: &mut Self::Acc, row: &T) {
        self.words.add(&mut acc.of, row)
    }
    #[inline(always)]
    fn merge(&self, acc: &mut Self::Acc, other: Self::Acc) {
        self.words.merge(&mut acc.of, other.of)
    }
    #[inline(always)]
    fn finish(&self, acc: &Self::Acc) -> A::Out {
        self.words.finish(&acc.of)
    }
}

/// Partial results, stored by their names.
pub struct Parts<N, A> {
    of: A,
    names: PhantomData<N>,
}

impl<N, A: Default> Default for Parts<N, A> {
    #[inline(always)]
    fn default() -> Self {
        Parts { of: A::default(), names: PhantomData }
    }
}
impl<N, A: Clone> Clone for Parts<N, A> {
    fn clone(&self) -> Self {
        Parts { of: self.of.clone(), names: PhantomData }
    }
}
impl<N, A: fmt::Debug> fmt::Debug for Parts<N, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.of.fmt(f)
    }
}

impl<N: FieldNames, A: Record> Parts<N, A> {
    const FIELDS: [Field; MOST] = {
        let mut fields = [Field { name: "", schema: &Schema::Unit, was: &[] }; MOST];
        if let Schema::Tuple(parts) = A::SCHEMA {
            let mut at = 0;
            while at < parts.len() && at < N::NAMES.len() {
                fields[at] = Field { name: N::NAMES[at], schema: parts[at], was: &[] };
                at += 1;
            }
        }
        fields
    };
}

impl<N: FieldNames, A: Record> Record for Parts<N, A> {
    const SCHEMA: &'static Schema = &Schema::Evolved(
        &Schema::Struct { name: "Fields", fields: Self::FIELDS.split_at(N::NAMES.len()).0 },
        Past::OURS,
    );
    fn encode(&self, out: &mut Vec<u8>) {
        self.of.encode(out);
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Parts { of: A::decode(from)?, names: PhantomData })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::{Count, Sum};

    struct Two;
    impl FieldNames for Two {
        const NAMES: &'static [&'static str] = &["rows", "sum"];
    }

    #[test]
    fn what_is_kept_has_the_names() {
        let how = Named::new(PhantomData::<Two>, (Count, Sum));
        let mut acc = Parts::default();
        Aggregator::<((), u32)>::add(&how, &mut acc, &((), 5));
        assert_eq!(Aggregator::<((), u32)>::finish(&how, &acc), (1, 5));
        assert_eq!(Parts::<Two, (u64, u64)>::SCHEMA.to_string(), "Fields { rows: u64, sum: u64 }");
    }
}
