//! [`Variance`]: in one pass, and stable also where the values are large and near each other.

use super::Aggregator;
use super::words::Number;

/// `variance(|r| r.x)`: the sample variance, as a double: the mean square of the distances from the mean, with one less than the
/// number of rows as divisor. Of one row it is not a number.
///
/// Welford's way for rows, Chan's for partial results: no difference of large sums is taken. Floats are not added in a fixed order,
/// so the last digits may differ from run to run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Variance;
impl<N: Number> Aggregator<N> for Variance {
    /// Rows, their mean, and the sum of the squares of their distances from it.
    type Acc = (u64, f64, f64);
    type Out = f64;
    #[inline(always)]
    fn add(&self, (rows, mean, squares): &mut (u64, f64, f64), value: &N) {
        let value = value.double();
        *rows += 1;
        let off = value - *mean;
        *mean += off / *rows as f64;
        *squares += off * (value - *mean);
    }
    #[inline(always)]
    fn merge(&self, acc: &mut (u64, f64, f64), other: (u64, f64, f64)) {
        if acc.0 == 0 || other.0 == 0 {
            if acc.0 == 0 {
                *acc = other;
            }
            return;
        }
        let (here, there) = (acc.0 as f64, other.0 as f64);
        let (all, off) = (here + there, other.1 - acc.1);
        acc.0 += other.0;
        acc.1 += off * there / all;
        acc.2 += other.2 + off * off * here * there / all;
    }
    #[inline(always)]
    fn finish(&self, (rows, _, squares): &(u64, f64, f64)) -> f64 {
        squares / (*rows as f64 - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::tests::every_way;

    #[test]
    fn values_that_are_large_and_near() {
        let rows: Vec<f64> = [4.0, 7.0, 13.0, 16.0].map(|x| x + 1e9).to_vec();
        every_way(&Variance, &rows, |found| assert!((found - 30.0).abs() < 1e-6, "{found}"));
        let rows: Vec<i32> = vec![1, 2, 3, 4, 5];
        every_way(&Variance, &rows, |found| assert!((found - 2.5).abs() < 1e-12, "{found}"));
        every_way(&Variance, &[7u8], |found| assert!(found.is_nan()));
    }
}
