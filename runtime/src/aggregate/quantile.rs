//! [`Quantile`] and [`Quantiles`]: below which value so many of all rows lie.

use super::Aggregator;
use super::words::Number;
use crate::codec::{CodecError, Reader, put_bytes};
use crate::error::Fault;
use crate::record::Record;
use crate::schema::{Field, Schema};
use sketches_ddsketch::{Config, DDSketch};
use std::fmt;

/// `quantile(0.99, |r| r.x)`: the value below which 99 % of all values lie, to within 1 % of it.
#[derive(Clone, Copy, Debug)]
pub struct Quantile(Quantiles<1>);

/// `quantiles([0.5, 0.99], |r| r.x)`: several of them, of one sketch, in this order.
///
/// The sketch counts values in bins whose borders grow by 2 %. So a result depends on the values alone, not on their order or on how they
/// were spread over workers. It takes 1 KiB or little more where values are of like sizes, 32 KiB at most; what lies more than 17 decimal
/// places below the greatest value shares one bin. Values that are no number or infinite are left out; of no value, a quantile is
/// not a number.
#[derive(Clone, Copy, Debug)]
pub struct Quantiles<const N: usize>([f64; N]);

impl<const N: usize> Quantiles<N> {
    /// The same median, again and again.
    pub const MEDIANS: Self = Quantiles([0.5; N]);

    /// At these shares of all rows.
    ///
    /// # Errors
    /// If one of them does not lie between 0 and 1.
    pub fn new(shares: [f64; N]) -> Result<Self, Fault> {
        match shares.iter().find(|share| !(0.0..=1.0).contains(*share)) {
            Some(share) => {
                let what = format!("a quantile lies between 0 and 1, and {share} does not");
                Err(Fault::new(what).help("write 0.99 for the value that 99 % of all lie below"))
            }
            None => Ok(Quantiles(shares)),
        }
    }
}

impl Quantile {
    /// The median.
    pub const MEDIAN: Self = Quantile(Quantiles::MEDIANS);

    /// At this share of all rows.
    ///
    /// # Errors
    /// If it does not lie between 0 and 1.
    pub fn new(share: f64) -> Result<Self, Fault> {
        Quantiles::new([share]).map(Quantile)
    }
}

/// What most sketches take at the most: a bin for each 2 % between a thousandth and a million.
const HEAP: usize = 8192;

impl<const N: usize, V: Number> Aggregator<V> for Quantiles<N> {
    type Acc = Bins;
    type Out = [f64; N];
    const HEAP: usize = HEAP;
    fn add(&self, Bins(acc): &mut Bins, value: &V) {
        let value = value.double();
        if value.is_finite() {
            acc.get_or_insert_default().add(value);
        }
    }
    fn merge(&self, Bins(acc): &mut Bins, Bins(other): Bins) {
        match (&mut *acc, other) {
            // All have the same bins.
            (Some(acc), Some(other)) => drop(acc.merge(&other)),
            (None, other) => *acc = other,
            (Some(_), None) => {}
        }
    }
    fn finish(&self, Bins(acc): &Bins) -> [f64; N] {
        let at = |share| acc.as_ref()?.quantile(share).ok()?;
        self.0.map(|share| at(share).unwrap_or(f64::NAN))
    }
}

impl<V: Number> Aggregator<V> for Quantile {
    type Acc = Bins;
    type Out = f64;
    const HEAP: usize = HEAP;
    fn add(&self, acc: &mut Bins, value: &V) {
        self.0.add(acc, value);
    }
    fn merge(&self, acc: &mut Bins, other: Bins) {
        Aggregator::<V>::merge(&self.0, acc, other);
    }
    fn finish(&self, acc: &Bins) -> f64 {
        let [one] = Aggregator::<V>::finish(&self.0, acc);
        one
    }
}

/// A DDSketch, stored in the binary form that its libraries in several languages share.
#[derive(Clone, Default)]
pub struct Bins(Option<DDSketch>);
impl fmt::Debug for Bins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bins({})", self.0.as_ref().map_or(0, DDSketch::count))
    }
}
impl Record for Bins {
    const SCHEMA: &'static Schema =
        &Schema::Struct { name: "Bins", fields: &[Field { name: "ddsketch", schema: &Schema::Bytes, was: &[] }] };
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, &self.0.as_ref().map_or(vec![], DDSketch::to_java_bytes));
    }
    fn decode(from: &mut Reader<'_>) -> Result<Bins, CodecError> {
        let bytes = from.bytes()?;
        if bytes.is_empty() {
            return Ok(Bins(None));
        }
        if (Form { left: bytes, rows: 0.0 }).read().is_none() {
            return Err(from.invalid("no sketch with the bins of this version"));
        }
        let sketch = DDSketch::from_java_bytes(bytes).map_err(|error| from.invalid(format!("no sketch: {error}")))?;
        Ok(Bins(Some(sketch)))
    }
}

/// Looks through the binary form before it is read: the library takes indexes and counts as they are, and sums of them may not fit.
struct Form<'b> {
    left: &'b [u8],
    /// Counted so far.
    rows: f64,
}

/// No finite value has a bin further away.
const FAR: i64 = 40_000;
/// More rows than this are not counted one by one.
const MOST: f64 = (1u64 << 53) as f64;

impl Form<'_> {
    fn read(&mut self) -> Option<()> {
        while !self.left.is_empty() {
            match self.byte()? {
                // the borders of the bins, which must be ours, and an offset
                0x02 => {
                    let gamma = self.float()?;
                    (gamma == Config::default().gamma && self.float()? == 0.0).then_some(())?;
                }
                // zeros
                0x04 => self.count()?,
                // rows in all
                0xA0 => drop(self.double()?),
                // sum, least, greatest
                0x84 | 0x88 | 0x8C => drop(self.float()?),
                // positive and negative values: indexes by their distances, with counts
                0x05 | 0x07 => {
                    let mut index = 0i64;
                    for _ in 0..self.var()? {
                        let encoded = self.var()?;
                        let distance = (encoded >> 1) as i64 ^ -((encoded & 1) as i64);
                        index = index.checked_add(distance).filter(|index| (-FAR..=FAR).contains(index))?;
                        self.count()?;
                    }
                }
                _ => return None,
            }
        }
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, left) = self.left.split_first()?;
        self.left = left;
        Some(*byte)
    }

    fn float(&mut self) -> Option<f64> {
        let (bytes, left) = self.left.split_first_chunk()?;
        self.left = left;
        Some(f64::from_le_bytes(*bytes))
    }

    /// Seven bits a byte, the least first; the ninth byte has eight.
    fn var(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..=56).step_by(7) {
            let byte = u64::from(self.byte()?);
            if byte < 0x80 || shift == 56 {
                return Some(value | byte << shift);
            }
            value |= (byte & 0x7F) << shift;
        }
        None
    }

    /// Seven bits a byte, the greatest first, of a float that is turned so that small whole numbers are short.
    fn double(&mut self) -> Option<f64> {
        let mut bits = 0u64;
        for shift in (1..=57).rev().step_by(7) {
            let byte = u64::from(self.byte()?);
            if shift == 1 || byte < 0x80 {
                bits |= byte << if shift == 1 { 0 } else { shift };
                break;
            }
            bits |= (byte & 0x7F) << shift;
        }
        Some(f64::from_bits(bits.rotate_right(6).wrapping_add(1f64.to_bits())) - 1.0)
    }

    fn count(&mut self) -> Option<()> {
        let count = self.double()?;
        self.rows += count;
        (count >= 0.0 && self.rows <= MOST).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::tests::{damaged, every_way};
    use crate::record::whole;

    #[test]
    fn within_one_percent_and_the_same_in_every_order() {
        for scale in [1e-3, 1.0, 1e12] {
            let rows: Vec<f64> = (0..2000u64).map(|n| (n * 7919 % 2000) as f64 * scale - 500.0 * scale).collect();
            let how = Quantiles::new([0.0, 0.1, 0.5, 0.99, 1.0]).unwrap();
            let mut all = None;
            every_way(&how, &rows, |found| {
                assert_eq!(*all.get_or_insert(found), found);
                for (found, exact) in found.into_iter().zip([-500.0, -301.0, 499.0, 1479.0, 1499.0]) {
                    assert!((found - exact * scale).abs() <= (exact * scale * 0.0101).abs(), "{found} for {exact}");
                }
            });
        }
    }

    #[test]
    fn what_is_far_below_the_greatest_shares_a_bin_whatever_the_order() {
        let rows: Vec<f64> = (-300..300).map(|n| 10f64.powi(n)).collect();
        let mut all = None;
        every_way(&Quantile::new(0.999).unwrap(), &rows, |found| assert_eq!(*all.get_or_insert(found), found));
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        every_way(&Quantile::new(0.5).unwrap(), &[f64::NAN, 2.0, f64::INFINITY, 2.0], |found| {
            assert!((found - 2.0).abs() < 0.02, "{found}");
        });
        every_way(&Quantile::new(0.5).unwrap(), &[f64::NAN], |found| assert!(found.is_nan()));
        for wrong in [-0.1, 1.1, f64::NAN] {
            assert!(Quantile::new(wrong).is_err());
        }
    }

    #[test]
    fn damaged_bytes_do_no_harm() {
        let how = Quantiles::new([0.0, 0.5, 1.0]).unwrap();
        for rows in [vec![5.0], vec![-3.0, 0.0, 1e9, 2.0], (1..40).map(f64::from).collect()] {
            let mut acc = Bins::default();
            rows.iter().for_each(|row| how.add(&mut acc, row));
            let whole = acc.clone();
            damaged(&acc, |mut read| {
                Aggregator::<f64>::add(&how, &mut read, &7.0);
                Aggregator::<f64>::merge(&how, &mut read, whole.clone());
                let _ = Aggregator::<f64>::finish(&how, &read);
            });
        }
    }

    #[test]
    fn bytes_that_are_no_sketch_are_refused() {
        let mut other = DDSketch::new(Config::new(0.05, 2048, 1e-9));
        other.add(1.0);
        let mut bytes = vec![];
        put_bytes(&mut bytes, &other.to_java_bytes());
        assert!(whole::<Bins>(&bytes).is_err());
        assert!(whole::<Bins>(&[3, 1, 2, 3]).is_err());
    }
}
