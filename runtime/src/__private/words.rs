//! The ready-made aggregates and `union` by their names, for rustc alone: a word that is written wrong is a function that is not there, and
//! one of these is in scope to be named in its place. Nobody calls them.

pub fn count() {}
pub fn sum() {}
pub fn min() {}
pub fn max() {}
pub fn mean() {}
pub fn variance() {}
pub fn min_by() {}
pub fn max_by() {}
pub fn top() {}
pub fn first() {}
pub fn last() {}
pub fn collect() {}
pub fn count_distinct() {}
pub fn approx_count_distinct() {}
pub fn quantile() {}
pub fn quantiles() {}
pub fn union() {}
