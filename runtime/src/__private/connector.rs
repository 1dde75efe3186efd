//! What stands around the expression of a connector: who it is, for the case that it panics; and with `exactly_once` and `at_least_once`, whether it
//! promises as much, which is told while the block is checked.

use crate::engine::{Made, makes};
use crate::guarantee::Guarantee;
use crate::schema::Message;
use crate::sink::Sink;
use crate::source::{RowType, Source};
use std::marker::PhantomData;

/// What follows is the expression of a source.
pub fn makes_source(name: &'static str) {
    makes(Some(Made::Source(name)));
}

/// What follows is the expression of a sink.
pub fn makes_sink(name: &'static str) {
    makes(Some(Made::Sink(name)));
}

/// The expression has given its connector.
pub fn has_made() {
    makes(None);
}

/// What a job says of its rows.
#[derive(Clone, Copy)]
pub enum Wanted {
    /// Each counts once.
    ExactlyOnce,
    /// None is lost.
    AtLeastOnce,
}

/// The type of a connector, for the check.
pub fn connector<S>(_: &S) -> PhantomData<S> {
    PhantomData
}

/// Fails the build, at its caller, if a source promises less than its job says.
#[track_caller]
#[expect(clippy::panic, reason = "called in constants, where a panic is a compile error")]
pub const fn source_keeps<R: RowType, S: Source<R>>(name: &str, wanted: Wanted) -> PhantomData<S> {
    let other = "read from what can be read again, such as files";
    if let Some(problem) = problem(&["source", name, other], S::GUARANTEE, wanted) {
        panic!("{}", problem.as_str());
    }
    PhantomData
}

/// Fails the build, at its caller, if a sink promises less than its job says.
#[track_caller]
#[expect(clippy::panic, reason = "called in constants, where a panic is a compile error")]
pub const fn sink_keeps<S: Sink>(name: &str, wanted: Wanted) -> PhantomData<S> {
    let other = "write to what is committed with the checkpoint, such as `csv(path)` and `json(path)`";
    if let Some(problem) = problem(&["sink", name, other], S::GUARANTEE, wanted) {
        panic!("{}", problem.as_str());
    }
    PhantomData
}

/// What is wrong with a source or a sink, with what it is, its name and what there is in its place.
const fn problem([what, name, other]: &[&str; 3], given: Guarantee, wanted: Wanted) -> Option<Message> {
    let (word, why, instead) = match (wanted, given) {
        (_, Guarantee::ExactlyOnce) | (Wanted::AtLeastOnce, Guarantee::AtLeastOnce(_)) => return None,
        (Wanted::ExactlyOnce, Guarantee::AtLeastOnce(why)) => ("exactly_once", why, ", or say `at_least_once`"),
        (Wanted::ExactlyOnce, Guarantee::Nothing(why)) => ("exactly_once", why, ", or remove `exactly_once`"),
        (Wanted::AtLeastOnce, Guarantee::Nothing(why)) => ("at_least_once", why, ", or remove `at_least_once`"),
    };
    let text = Message::new().put("`").put(word).put("` does not hold for the ").put(what).put(" `").put(name);
    Some(text.put("`: ").put(why).put("\nhelp: ").put(other).put(instead))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_promises_less_is_told_what_to_write() {
        let told = |given, wanted| problem(&["sink", "out", "write elsewhere"], given, wanted);
        let (again, lost) = (Guarantee::AtLeastOnce("it comes again"), Guarantee::Nothing("it is lost"));
        assert!(told(Guarantee::ExactlyOnce, Wanted::ExactlyOnce).is_none());
        assert!(told(Guarantee::ExactlyOnce, Wanted::AtLeastOnce).is_none());
        assert!(told(again, Wanted::AtLeastOnce).is_none());
        for (given, wanted, expected) in [
            (
                again,
                Wanted::ExactlyOnce,
                "`exactly_once` does not hold for the sink `out`: it comes again\nhelp: write elsewhere, or say `at_least_once`",
            ),
            (
                lost,
                Wanted::ExactlyOnce,
                "`exactly_once` does not hold for the sink `out`: it is lost\nhelp: write elsewhere, or remove `exactly_once`",
            ),
            (
                lost,
                Wanted::AtLeastOnce,
                "`at_least_once` does not hold for the sink `out`: it is lost\nhelp: write elsewhere, or remove `at_least_once`",
            ),
        ] {
            assert_eq!(told(given, wanted).unwrap().as_str(), expected);
        }
    }
}
