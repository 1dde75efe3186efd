//! Durations that params say: looked at when a run starts, before anything is built of it.

use crate::config::{Config, Defaults, Restart};
use crate::engine::Graph;
use crate::error::{Error, Fault};
use crate::time::TimeSpan;
use std::time::Duration;

/// What is wrong with a duration, by the name of its param and of what it is for.
fn wrong(param: &str, of: &str, span: TimeSpan, must: &str) -> Error {
    let flag = param.trim_matches('_').replace('_', "-");
    let what = format!("the param `{param}` is {span}, and `{of} {param}` must be {must}");
    Error::Setup(Fault::new(what).help(format!("give `--{flag}` another duration, such as `1h`")))
}

/// A duration that is at least so many microseconds long, and a whole number of milliseconds where event time is counted by it.
pub fn length(g: &mut Graph<'_>, param: &'static str, of: &str, least: i64, whole: bool, span: TimeSpan) -> TimeSpan {
    let floor = TimeSpan::from_micros(least);
    let must = match least {
        _ if span >= floor && (!whole || span.micros() % 1000 == 0) => return span,
        _ if span >= floor => "a whole number of milliseconds".to_owned(),
        0 => "zero or more".to_owned(),
        1 => "above zero".to_owned(),
        _ => format!("at least {floor}"),
    };
    g.fail(wrong(param, of, span, &must));
    // nothing is built with it
    TimeSpan::from_micros(least.max(1000))
}

/// A duration above zero by the machine's clock.
///
/// # Errors
/// If it is not.
pub fn period(param: &'static str, of: &str, span: TimeSpan) -> Result<Duration, Error> {
    match u64::try_from(span.micros()) {
        Ok(micros) if micros > 0 => Ok(Duration::from_micros(micros)),
        _ => Err(wrong(param, of, span, "above zero")),
    }
}

/// `restart exponential first..=longest`.
///
/// # Errors
/// If the longest pause is the shorter one.
pub fn exponential(first: Duration, longest: Duration) -> Result<Restart, Error> {
    if longest < first {
        let what =
            format!("`restart exponential`: the longest pause, {longest:?}, is shorter than the first, {first:?}");
        return Err(Error::Setup(Fault::new(what).help("give its params the first pause, then the longest")));
    }
    Ok(Restart::Exponential { first, longest })
}

/// The settings of a run, and where they say nothing those of its block.
pub fn defaults(config: Config, block: &Defaults) -> Config {
    config.with_defaults(block)
}
