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
        let sketch = DDSketch::from_java_bytes(bytes).map_err(|error| from.invalid(format!("no sketch: {error}")))?;
        // One with other bins could not be merged.
        if DDSketch::new(Config::default()).merge(&sketch).is_err() {
            return Err(from.invalid("a sketch with other bins"));
        }
        Ok(Bins(Some(sketch)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::tests::every_way;
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
    fn bytes_that_are_no_sketch_are_refused() {
        let mut other = DDSketch::new(Config::new(0.05, 2048, 1e-9));
        other.add(1.0);
        let mut bytes = vec![];
        put_bytes(&mut bytes, &other.to_java_bytes());
        assert!(whole::<Bins>(&bytes).is_err());
        assert!(whole::<Bins>(&[3, 1, 2, 3]).is_err());
    }
}
