//! What the author of a connector runs in a test: does a source give each row once, wherever it is stopped and gone on
//! with; does a sink publish each row once, whatever is repeated, abandoned or done by a zombie.
//!
//! Nothing here needs a job: enumerators, readers, writers and committers are driven as the engine drives them, one call
//! at a time. [`check_source`] and [`check_sink`] give a [`Report`] that names each rule, and where it is broken.

mod drive;
mod report;
mod sink;
mod source;

pub use report::{Check, Outcome, Report};
pub use sink::{SinkCheck, check_sink};
pub use source::{SourceCheck, check_source};

use crate::source::RowType;
use std::marker::PhantomData;

/// The row type of a source of `T`.
pub struct Owned<T>(PhantomData<T>);

impl<T: 'static> RowType for Owned<T> {
    type Row<'a> = T;
}

/// The row type of a source of `&T`.
pub struct Lent<T>(PhantomData<T>);

impl<T: 'static> RowType for Lent<T> {
    type Row<'a> = &'a T;
}

/// The row type of a source of `&str`.
pub struct Str;

impl RowType for Str {
    type Row<'a> = &'a str;
}
