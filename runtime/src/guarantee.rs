//! [`Guarantee`]: what becomes of each row when a run fails and another one goes on from a checkpoint.

/// What a source or a sink promises of each row when a run fails and another one, in this process or not, goes on from a checkpoint. A job
/// that says `exactly_once` or `at_least_once` has no source and no sink that promises less: that is an error of `cargo check`, with the reason
/// that stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    /// It counts once.
    ExactlyOnce,
    /// It is not lost, and may come again; why that is so.
    AtLeastOnce(&'static str),
    /// It may be lost; why that is so.
    Nothing(&'static str),
}
