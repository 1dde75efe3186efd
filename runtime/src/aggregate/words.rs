//! The ready-made words that keep one value: `count`, `sum`, `min`, `max`, `mean`, `min_by`, `max_by`. Each works on the part of a row
//! that the block's closure took out, so that only that part travels.

use super::Aggregator;
use crate::codec::{CodecError, Reader};
use crate::record::Record;
use crate::schema::{Field, Schema};
use crate::time::{TimeSpan, Timestamp};
use std::cmp::Ordering;

/// `count()`: how many rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count;
impl Aggregator<()> for Count {
    type Acc = u64;
    type Out = u64;
    #[inline(always)]
    fn add(&self, acc: &mut u64, _: &()) {
        *acc += 1;
    }
    #[inline(always)]
    fn merge(&self, acc: &mut u64, other: u64) {
        *acc += other;
    }
    #[inline(always)]
    fn finish(&self, acc: &u64) -> u64 {
        *acc
    }
}

/// What can be summed: integers in 64 bits (128 for 128), floats in double precision, spans of time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be summed",
    label = "no sum of `{Self}`",
    note = "`sum` and `mean` take integers, floats and `TimeSpan`; give a missing value a number with `unwrap_or(0)`"
)]
pub trait Summable: Copy + Send + 'static {
    /// The sum's type.
    type Sum: Record + Default + Copy;
    /// Adds one value.
    fn add_to(self, sum: &mut Self::Sum);
    /// Adds another sum.
    fn merge(sum: &mut Self::Sum, other: Self::Sum);
}

#[cold]
#[inline(never)]
#[expect(clippy::panic, reason = "an overflow ends the attempt with the operator's name, as it does in user code")]
fn overflow() -> ! {
    panic!("a sum does not fit its type; sum a wider type or a float")
}

macro_rules! summable_integers {
    ($($t:ty => $sum:ty),*) => { $(
        impl Summable for $t {
            type Sum = $sum;
            #[inline(always)]
            fn add_to(self, sum: &mut $sum) {
                match sum.checked_add(<$sum>::from(self)) { Some(more) => *sum = more, None => overflow() }
            }
            #[inline(always)]
            fn merge(sum: &mut $sum, other: $sum) {
                match sum.checked_add(other) { Some(more) => *sum = more, None => overflow() }
            }
        }
    )* };
}
summable_integers!(u8 => u64, u16 => u64, u32 => u64, u64 => u64, i8 => i64, i16 => i64, i32 => i64, i64 => i64, u128 => u128, i128 => i128);

macro_rules! summable_floats {
    ($($t:ty),*) => { $(
        impl Summable for $t {
            type Sum = f64;
            #[inline(always)]
            fn add_to(self, sum: &mut f64) { *sum += f64::from(self) }
            #[inline(always)]
            fn merge(sum: &mut f64, other: f64) { *sum += other }
        }
    )* };
}
summable_floats!(f32, f64);

impl Summable for TimeSpan {
    type Sum = TimeSpan;
    #[inline(always)]
    fn add_to(self, sum: &mut TimeSpan) {
        match sum.micros().checked_add(self.micros()) {
            Some(more) => *sum = TimeSpan::from_micros(more),
            None => overflow(),
        }
    }
    #[inline(always)]
    fn merge(sum: &mut TimeSpan, other: TimeSpan) {
        other.add_to(sum)
    }
}

/// `sum(|r| r.x)`: the sum. One that does not fit its type ends the run with an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum;
impl<N: Summable> Aggregator<N> for Sum {
    type Acc = N::Sum;
    type Out = N::Sum;
    #[inline(always)]
    fn add(&self, acc: &mut N::Sum, value: &N) {
        value.add_to(acc)
    }
    #[inline(always)]
    fn merge(&self, acc: &mut N::Sum, other: N::Sum) {
        N::merge(acc, other)
    }
    #[inline(always)]
    fn finish(&self, acc: &N::Sum) -> N::Sum {
        *acc
    }
}

/// A number that has a mean.
pub trait Number: Copy + Send + 'static {
    /// As a double.
    fn double(self) -> f64;
}
macro_rules! numbers { ($($t:ty),*) => { $(impl Number for $t { #[inline(always)] fn double(self) -> f64 { self as f64 } })* } }
numbers!(u8, u16, u32, u64, i8, i16, i32, i64, f32, f64);

/// `mean(|r| r.x)`: the arithmetic mean as a double.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mean;
impl<N: Number> Aggregator<N> for Mean {
    type Acc = (f64, u64);
    type Out = f64;
    #[inline(always)]
    fn add(&self, acc: &mut (f64, u64), value: &N) {
        acc.0 += value.double();
        acc.1 += 1;
    }
    #[inline(always)]
    fn merge(&self, acc: &mut (f64, u64), other: (f64, u64)) {
        acc.0 += other.0;
        acc.1 += other.1;
    }
    #[inline(always)]
    fn finish(&self, acc: &(f64, u64)) -> f64 {
        acc.0 / acc.1 as f64
    }
}

/// What has a least and a greatest: integers, floats (by `total_cmp`), times, strings, Options and tuples of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no least and no greatest",
    label = "cannot be compared",
    note = "`min` and `max` take integers, floats, `Timestamp`, `TimeSpan`, strings, and tuples or `Option`s of them"
)]
pub trait Comparable: Record + Clone {
    /// How the greatest or the least so far is held. Its default is that of no value yet.
    type Held: Send + Default + 'static;
    /// What is stored of it: values of the type itself, since what is held does not say which it is of.
    const STORED: &'static Schema;
    /// How they compare.
    fn compare(&self, other: &Self) -> Ordering;
    /// Keeps the greater one.
    fn raise(held: &mut Self::Held, value: &Self);
    /// Keeps the less one.
    fn lower(held: &mut Self::Held, value: &Self);
    /// Merges two greatest.
    fn merge_raised(held: &mut Self::Held, other: Self::Held);
    /// Merges two least.
    fn merge_lowered(held: &mut Self::Held, other: Self::Held);
    /// The greatest; there was a value.
    fn raised(held: &Self::Held) -> Self;
    /// The least; there was a value.
    fn lowered(held: &Self::Held) -> Self;
    /// Appends the byte form of the greatest.
    fn encode_raised(held: &Self::Held, out: &mut Vec<u8>);
    /// Appends the byte form of the least.
    fn encode_lowered(held: &Self::Held, out: &mut Vec<u8>);
    /// Reads the greatest.
    ///
    /// # Errors
    /// If the bytes are not what [`encode_raised`](Comparable::encode_raised) wrote.
    fn decode_raised(from: &mut Reader<'_>) -> Result<Self::Held, CodecError>;
    /// Reads the least.
    ///
    /// # Errors
    /// If the bytes are not what [`encode_lowered`](Comparable::encode_lowered) wrote.
    fn decode_lowered(from: &mut Reader<'_>) -> Result<Self::Held, CodecError>;
}

/// Values whose order is that of unsigned integers: the greatest starts from 0, the least is kept as its complement, so
/// that both need no flag for "no value yet".
macro_rules! by_bits {
    ($($t:ty as $bits:ty: |$v:ident| $to:expr, |$b:ident| $from:expr;)*) => { $(
        impl Comparable for $t {
            type Held = $bits;
            const STORED: &'static Schema = <$t as Record>::SCHEMA;
            #[inline(always)]
            fn compare(&self, other: &Self) -> Ordering {
                let bits = |$v: $t| -> $bits { $to };
                bits(*self).cmp(&bits(*other))
            }
            #[inline(always)]
            fn raise(held: &mut $bits, value: &$t) { let $v = *value; *held = (*held).max($to); }
            #[inline(always)]
            fn lower(held: &mut $bits, value: &$t) { let $v = *value; *held = (*held).max(!$to); }
            #[inline(always)]
            fn merge_raised(held: &mut $bits, other: $bits) { *held = (*held).max(other); }
            #[inline(always)]
            fn merge_lowered(held: &mut $bits, other: $bits) { *held = (*held).max(other); }
            #[inline(always)]
            fn raised(held: &$bits) -> $t { let $b = *held; $from }
            #[inline(always)]
            fn lowered(held: &$bits) -> $t { let $b = !*held; $from }
            fn encode_raised(held: &$bits, out: &mut Vec<u8>) { Self::raised(held).encode(out) }
            fn encode_lowered(held: &$bits, out: &mut Vec<u8>) { Self::lowered(held).encode(out) }
            fn decode_raised(from: &mut Reader<'_>) -> Result<$bits, CodecError> { let $v = <$t>::decode(from)?; Ok($to) }
            fn decode_lowered(from: &mut Reader<'_>) -> Result<$bits, CodecError> { let $v = <$t>::decode(from)?; Ok(!$to) }
        }
    )* };
}
by_bits! {
    u8 as u8: |v| v, |b| b;
    u16 as u16: |v| v, |b| b;
    u32 as u32: |v| v, |b| b;
    u64 as u64: |v| v, |b| b;
    u128 as u128: |v| v, |b| b;
    usize as u64: |v| v as u64, |b| b as usize;
    i8 as u8: |v| (v as u8) ^ (1 << 7), |b| (b ^ (1 << 7)) as i8;
    i16 as u16: |v| (v as u16) ^ (1 << 15), |b| (b ^ (1 << 15)) as i16;
    i32 as u32: |v| (v as u32) ^ (1 << 31), |b| (b ^ (1 << 31)) as i32;
    i64 as u64: |v| (v as u64) ^ (1 << 63), |b| (b ^ (1 << 63)) as i64;
    i128 as u128: |v| (v as u128) ^ (1 << 127), |b| (b ^ (1 << 127)) as i128;
    isize as u64: |v| (v as i64 as u64) ^ (1 << 63), |b| (b ^ (1 << 63)) as i64 as isize;
    bool as u8: |v| u8::from(v), |b| b & 1 == 1;
    char as u32: |v| u32::from(v), |b| char::from_u32(b).unwrap_or_default();
    Timestamp as u64: |v| (v.millis() as u64) ^ (1 << 63), |b| Timestamp::from_millis((b ^ (1 << 63)) as i64);
    TimeSpan as u64: |v| (v.micros() as u64) ^ (1 << 63), |b| TimeSpan::from_micros((b ^ (1 << 63)) as i64);
    f32 as u32: |v| float_bits(i64::from(v.to_bits() as i32), 31) as u32, |b| f32::from_bits(bits_of_float(u64::from(b), 31) as u32);
    f64 as u64: |v| float_bits(v.to_bits() as i64, 63), |b| f64::from_bits(bits_of_float(b, 63));
}

/// The bits of a float, sign extended to 64, in the order of `total_cmp`.
#[inline(always)]
fn float_bits(bits: i64, sign: u32) -> u64 {
    let flip = ((bits >> 63) as u64) >> (64 - sign);
    ((bits as u64) ^ flip ^ (1 << sign)) & (u64::MAX >> (63 - sign))
}

/// The inverse of [`float_bits`].
#[inline(always)]
fn bits_of_float(ordered: u64, sign: u32) -> u64 {
    let negative = ordered >> sign == 0;
    if negative { !ordered & (u64::MAX >> (63 - sign)) } else { ordered ^ (1 << sign) }
}

macro_rules! by_value {
    ($([$($generic:tt)*] $t:ty: |$a:ident, $b:ident| $compare:expr;)*) => { $(
        impl<$($generic)*> Comparable for $t {
            type Held = Option<$t>;
            const STORED: &'static Schema = <Option<$t> as Record>::SCHEMA;
            fn compare(&self, other: &Self) -> Ordering { let ($a, $b) = (self, other); $compare }
            fn raise(held: &mut Option<$t>, value: &$t) {
                if held.as_ref().is_none_or(|best| value.compare(best) == Ordering::Greater) { *held = Some(value.clone()) }
            }
            fn lower(held: &mut Option<$t>, value: &$t) {
                if held.as_ref().is_none_or(|best| value.compare(best) == Ordering::Less) { *held = Some(value.clone()) }
            }
            fn merge_raised(held: &mut Option<$t>, other: Option<$t>) { if let Some(other) = &other { Self::raise(held, other) } }
            fn merge_lowered(held: &mut Option<$t>, other: Option<$t>) { if let Some(other) = &other { Self::lower(held, other) } }
            fn raised(held: &Option<$t>) -> $t { taken(held) }
            fn lowered(held: &Option<$t>) -> $t { taken(held) }
            fn encode_raised(held: &Option<$t>, out: &mut Vec<u8>) { held.encode(out) }
            fn encode_lowered(held: &Option<$t>, out: &mut Vec<u8>) { held.encode(out) }
            fn decode_raised(from: &mut Reader<'_>) -> Result<Option<$t>, CodecError> { Option::decode(from) }
            fn decode_lowered(from: &mut Reader<'_>) -> Result<Option<$t>, CodecError> { Option::decode(from) }
        }
    )* };
}
by_value! {
    [] (): |_a, _b| Ordering::Equal;
    [] String: |a, b| a.cmp(b);
    [T: Comparable] Option<T>: |a, b| match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) => a.compare(b),
    };
    [A: Comparable, B: Comparable] (A, B): |a, b| a.0.compare(&b.0).then_with(|| a.1.compare(&b.1));
    [A: Comparable, B: Comparable, C: Comparable] (A, B, C): |a, b| {
        a.0.compare(&b.0).then_with(|| a.1.compare(&b.1)).then_with(|| a.2.compare(&b.2))
    };
}

/// What is held.
#[expect(clippy::expect_used, reason = "an accumulator is made for the row that is added to it at once")]
pub(super) fn taken<T: Clone>(held: &Option<T>) -> T {
    held.clone().expect("there is no accumulator without a row")
}

macro_rules! extremes {
    ($(#[$doc:meta])* $name:ident, $(#[$by_doc:meta])* $by:ident, $wins:pat, $(#[$acc_doc:meta])* $acc:ident, $keep:ident, $merge:ident, $kept:ident, $encode:ident, $decode:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name;
        $(#[$acc_doc])*
        pub struct $acc<N: Comparable>(N::Held);
        impl<N: Comparable> Default for $acc<N> {
            #[inline(always)]
            fn default() -> Self {
                $acc(N::Held::default())
            }
        }
        /// Stored with its type and with which of the two it is, so that it is never read as something else.
        impl<N: Comparable> Record for $acc<N> {
            const SCHEMA: &'static Schema = &Schema::Struct {
                name: stringify!($name),
                fields: &[Field { name: "0", schema: N::STORED, was: &[] }],
            };
            #[inline]
            fn encode(&self, out: &mut Vec<u8>) {
                N::$encode(&self.0, out)
            }
            #[inline]
            fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
                N::$decode(from).map($acc)
            }
        }
        impl<N: Comparable> Aggregator<N> for $name {
            type Acc = $acc<N>;
            type Out = N;
            #[inline(always)]
            fn add(&self, acc: &mut $acc<N>, value: &N) {
                N::$keep(&mut acc.0, value)
            }
            #[inline(always)]
            fn merge(&self, acc: &mut $acc<N>, other: $acc<N>) {
                N::$merge(&mut acc.0, other.0)
            }
            #[inline(always)]
            fn finish(&self, acc: &$acc<N>) -> N {
                N::$kept(&acc.0)
            }
        }
        $(#[$by_doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $by;
        impl<N: Comparable, T: Record + Clone> Aggregator<(N, T)> for $by {
            type Acc = Option<(N, T)>;
            type Out = T;
            fn add(&self, acc: &mut Option<(N, T)>, row: &(N, T)) {
                match acc {
                    Some(best) if !matches!(row.0.compare(&best.0), $wins) => {}
                    _ => *acc = Some(row.clone()),
                }
            }
            fn merge(&self, acc: &mut Option<(N, T)>, other: Option<(N, T)>) {
                if let Some(other) = other {
                    self.add(acc, &other);
                }
            }
            fn finish(&self, acc: &Option<(N, T)>) -> T {
                taken(acc).1
            }
        }
    };
}
extremes!(
    /// `min(|r| r.x)`: the least value.
    Min,
    /// `min_by(|r| r.x)`: the row with the least value; of several, one of them.
    MinBy,
    Ordering::Less,
    /// The least so far.
    Least,
    lower,
    merge_lowered,
    lowered,
    encode_lowered,
    decode_lowered
);
extremes!(
    /// `max(|r| r.x)`: the greatest value.
    Max,
    /// `max_by(|r| r.x)`: the row with the greatest value; of several, one of them.
    MaxBy,
    Ordering::Greater,
    /// The greatest so far.
    Greatest,
    raise,
    merge_raised,
    raised,
    encode_raised,
    decode_raised
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record;

    fn extremes<N: Comparable + std::fmt::Debug + PartialEq>(ascending: &[N]) {
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(a.compare(b), i.cmp(&j), "{a:?} {b:?}");
                let (mut most, mut least) = (N::Held::default(), N::Held::default());
                [a, b].into_iter().for_each(|v| {
                    N::raise(&mut most, v);
                    N::lower(&mut least, v);
                });
                assert_eq!((&N::raised(&most), &N::lowered(&least)), (&ascending[i.max(j)], &ascending[i.min(j)]));
                let mut bytes = Vec::new();
                (Greatest::<N>(most), Least::<N>(least)).encode(&mut bytes);
                let (most, least) = record::whole::<(Greatest<N>, Least<N>)>(&bytes).unwrap();
                assert_eq!((&N::raised(&most.0), &N::lowered(&least.0)), (&ascending[i.max(j)], &ascending[i.min(j)]));
            }
        }
    }

    #[test]
    fn what_is_stored_has_its_own_type_and_says_which_of_the_two_it_is() {
        assert_eq!(Greatest::<i32>::SCHEMA.to_string(), "Max(i32)");
        assert_eq!(Least::<f64>::SCHEMA.to_string(), "Min(f64)");
        let mut bytes = Vec::new();
        let mut most = Greatest::<i32>::default();
        Max.add(&mut most, &-7);
        most.encode(&mut bytes);
        assert_eq!(record::whole::<i32>(&bytes).unwrap(), -7);
    }

    #[test]
    fn the_greatest_and_the_least_are_kept_without_a_flag() {
        extremes(&[i8::MIN, -1, 0, 1, i8::MAX]);
        extremes(&[i64::MIN, -1, 0, 1, i64::MAX]);
        extremes(&[0u64, 1, u64::MAX]);
        extremes(&[f64::NEG_INFINITY, -1.5, -0.0, 0.0, 1e-300, 2.0, f64::INFINITY]);
        extremes(&[f32::NEG_INFINITY, -1.5, -0.0, 0.0, 1e-30, 2.0, f32::INFINITY]);
        extremes(&[Timestamp::MIN, Timestamp::from_millis(0), Timestamp::MAX]);
        extremes(&['a', 'z', char::MAX]);
        extremes(&[false, true]);
        extremes(&["".to_owned(), "a".to_owned(), "b".to_owned()]);
        extremes(&[None, Some(-1i32), Some(7)]);
        extremes(&[(1u8, -2i32), (1, 5), (2, -9)]);
    }
}
