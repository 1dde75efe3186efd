//! [`CountDistinct`] and [`ApproxCountDistinct`]: how many different values there are, exactly and about.

use super::Aggregator;
use crate::codec::{CodecError, Reader, put_bytes};
use crate::key::Key;
use crate::record::Record;
use crate::schema::{Field, Schema};
use datasketches::hll::{HllSketch, HllType, HllUnion};
use std::collections::BTreeSet;

/// `count_distinct(|r| r.x)`: how many different values there are. Each of them is kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct CountDistinct;
impl<K: Key + Ord> Aggregator<K> for CountDistinct {
    type Acc = BTreeSet<K>;
    type Out = u64;
    const HEAP: usize = 4096;
    fn add(&self, acc: &mut BTreeSet<K>, value: &K) {
        if !acc.contains(value) {
            acc.insert(value.clone());
        }
    }
    fn merge(&self, acc: &mut BTreeSet<K>, mut other: BTreeSet<K>) {
        if acc.len() < other.len() {
            std::mem::swap(acc, &mut other);
        }
        acc.append(&mut other);
    }
    fn finish(&self, acc: &BTreeSet<K>) -> u64 {
        acc.len() as u64
    }
}

/// The logarithm of the number of registers: 4,096 of them give a standard error of 1.6 %.
const REGISTERS: u8 = 12;

/// `approx_count_distinct(|r| r.x)`: about how many different values there are; two of three times within 1.6 %. At most 4 KiB are
/// kept. What travels is the stable hash of the value.
#[derive(Clone, Copy, Debug, Default)]
pub struct ApproxCountDistinct;
impl Aggregator<u64> for ApproxCountDistinct {
    type Acc = Hll;
    type Out = u64;
    const HEAP: usize = 1 << REGISTERS;
    fn add(&self, Hll(acc): &mut Hll, hash: &u64) {
        if acc.is_none() {
            *acc = HllSketch::new(REGISTERS, HllType::Hll8).ok();
        }
        if let Some(acc) = acc {
            acc.update(*hash);
        }
    }
    fn merge(&self, Hll(acc): &mut Hll, Hll(other): Hll) {
        let (Some(here), Some(there)) = (&acc, &other) else {
            *acc = acc.take().or(other);
            return;
        };
        if let Ok(mut both) = HllUnion::new(REGISTERS) {
            both.update(here);
            both.update(there);
            *acc = Some(both.to_sketch(HllType::Hll8));
        }
    }
    fn finish(&self, Hll(acc): &Hll) -> u64 {
        // The usual estimate is a bit nearer, but it depends on the order in which values came.
        acc.as_ref().map_or(0, |acc| acc.composite_estimate().round() as u64)
    }
}

/// A HyperLogLog sketch, stored in the binary form that all Apache DataSketches libraries share.
#[derive(Clone, Debug, Default)]
pub struct Hll(Option<HllSketch>);
impl Record for Hll {
    const SCHEMA: &'static Schema =
        &Schema::Struct { name: "Hll", fields: &[Field { name: "datasketches", schema: &Schema::Bytes, was: &[] }] };
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, &self.0.as_ref().map_or(vec![], HllSketch::serialize));
    }
    fn decode(from: &mut Reader<'_>) -> Result<Hll, CodecError> {
        let bytes = from.bytes()?;
        if bytes.is_empty() {
            return Ok(Hll(None));
        }
        if !is_sane(bytes) {
            return Err(from.invalid("no HLL sketch of this version"));
        }
        let sketch = HllSketch::deserialize(bytes).map_err(|error| from.invalid(format!("no HLL sketch: {error}")))?;
        Ok(Hll(Some(sketch)))
    }
}

/// Words of four bytes in front of the registers, which is what the form begins with once there are any.
const IN_FRONT: usize = 10;

/// Whether the registers are as many as ours and hold what they can hold: the library takes them as they are.
fn is_sane(bytes: &[u8]) -> bool {
    let registers =
        || bytes.get(4 * IN_FRONT..).is_some_and(|all| all.len() == 1 << REGISTERS && all.iter().all(|n| *n < 64));
    // the logarithm of their number is the fourth byte
    bytes.get(3) == Some(&REGISTERS) && (usize::from(bytes[0]) != IN_FRONT || registers())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::tests::{damaged, every_way};
    use crate::record::whole;

    #[test]
    fn each_value_counts_once() {
        let rows: Vec<String> = ["a", "b", "a", "", "b"].map(str::to_owned).to_vec();
        every_way(&CountDistinct, &rows, |found| assert_eq!(found, 3));
    }

    #[test]
    fn about_as_many_as_there_are_and_the_same_number_in_every_order() {
        for count in [1u64, 7, 30, 150, 600, 5_000, 100_000] {
            let rows: Vec<u64> = (0..2 * count).map(|n| u64::hash(n % count)).collect();
            let mut all = None;
            every_way(&ApproxCountDistinct, &rows, |found| {
                assert_eq!(*all.get_or_insert(found), found, "of {count}");
                let off = (found as f64 - count as f64).abs() / count as f64;
                assert!(off < 0.05, "{found} of {count}");
            });
        }
    }

    #[test]
    fn damaged_bytes_do_no_harm() {
        for count in [1u64, 30, 10_000] {
            let mut acc = Hll::default();
            (0..count).for_each(|n| ApproxCountDistinct.add(&mut acc, &u64::hash(n)));
            let whole = acc.clone();
            damaged(&acc, |mut read| {
                ApproxCountDistinct.add(&mut read, &7);
                ApproxCountDistinct.merge(&mut read, whole.clone());
                let _ = ApproxCountDistinct.finish(&read);
            });
        }
    }

    #[test]
    fn bytes_that_are_no_sketch_are_refused() {
        for bytes in [&[3u8, 1, 2, 3][..], &[8, 0xFF, 0, 0, 0, 0, 0, 0, 0], &[1]] {
            assert!(whole::<Hll>(bytes).is_err(), "{bytes:?}");
        }
    }
}
