//! Options that contradict each other, have no effect, or are absurd.

use super::life;
use crate::diag::Diagnostics;
use crate::model::graph::Time;
use crate::model::{Model, Origin};
use crate::syntax::{Call, Emit, Length, Life, Source, Window};

/// Event time is counted in milliseconds.
const MILLI: i64 = 1000;
/// Longer durations are typing mistakes: 1,000 years.
const ABSURD: i64 = 1000 * 366 * 86_400_000_000;

pub(crate) fn check(model: &mut Model, diag: &mut Diagnostics) {
    for id in model.ids().filter(|id| model.stream(*id).sound) {
        let stream = model.stream(id);
        let timed = model.time(id) == Time::Known;
        if let Origin::Source(it) = &stream.origin {
            source(it, diag);
        }
        let mut window_before = false;
        for op in &stream.ops {
            if let Call::Reduce { life, .. } | Call::Fold { life, .. } | Call::Aggregate { life, .. } = &op.call {
                if window_before {
                    no_life(life, diag);
                } else {
                    life::check(life, &format!("`{}`", op.name), &op.name, timed, diag);
                }
            }
            match &op.call {
                Call::Window(it) => window(it, diag),
                Call::Aggregate { emit: Some((word, _)), .. } if window_before => {
                    diag.report_mild(
                        word,
                        "`emit` has no effect behind a window",
                        "a window gives its result when it closes; remove `emit`",
                    );
                }
                Call::Reduce { emit, .. } | Call::Fold { emit, .. } | Call::Aggregate { emit: Some((_, emit)), .. } => {
                    if let Emit::Every(Length::Literal { micros: 0, token }) = emit {
                        diag.report_mild(
                            token,
                            "`every` of no length",
                            "write a duration such as `emit every 1s`, or `emit each`",
                        );
                    }
                }
                _ => {}
            }
            window_before = matches!(op.call, Call::Window(_));
        }
    }
}

/// A window's state goes with it.
fn no_life(life: &Life, diag: &mut Diagnostics) {
    let ttl = life.ttl.as_ref().map(|(word, _)| word);
    for word in ttl.into_iter().chain(&life.unbounded) {
        let fact = format!("`{word}` has no effect behind a window");
        diag.report_mild(word, fact, format!("what a window keeps goes when it closes; remove `{word}`"));
    }
}

fn source(source: &Source, diag: &mut Diagnostics) {
    match (&source.event_time, &source.late_by) {
        (Some((word, _)), None) => diag.report_mild(
            word,
            format!("`event_time` of `{}` lacks `late_by`", source.name),
            "say how far behind the latest a row may come: `late_by 1h`, or `late_by 0s` if they come in order",
        ),
        (None, Some((word, _))) => diag.report_mild(
            word,
            "`late_by` has no effect without `event_time`",
            "say which field is the time: `event_time |r| r.at`, or remove `late_by`",
        ),
        _ => {}
    }
    if let (None, Some(word)) = (&source.event_time, &source.ordered_splits) {
        diag.report_mild(
            word,
            "`ordered_splits` has no effect without `event_time`",
            "say which field is the time: `event_time |r| r.at, late_by 1h`, or remove `ordered_splits`",
        );
    }
    if source.event_time.is_none()
        && let Some(word) = source.idle_after.as_ref().map(|(word, _)| word).or(source.never_idle.as_ref())
    {
        diag.report_mild(
            word,
            format!("`{word}` has no effect without `event_time`"),
            format!("say which field is the time: `event_time |r| r.at, late_by 1h`, or remove `{word}`"),
        );
    }
    match (&source.idle_after, &source.never_idle) {
        (Some(_), Some(second)) => {
            diag.report_mild(second, "`idle_after` and `never_idle` exclude each other", "keep one of them");
        }
        (Some((_, Length::Literal { micros: 0, token })), None) => diag.report_mild(
            token,
            "a split that is idle at once would never be waited for",
            "write how long nothing must have come: `idle_after 30s`",
        ),
        (Some((_, length)), None) => absurd(length, "`idle_after`", "what never rests is `never_idle`", diag),
        _ => {}
    }
    if let Some((_, length)) = &source.late_by {
        whole_millis(length, diag);
        absurd(length, "`late_by`", "no result comes before that", diag);
    }
}

fn window(window: &Window, diag: &mut Diagnostics) {
    if let Length::Literal { micros, token } = &window.size {
        match *micros {
            0 => diag.report_mild(token, "a window of no length", "write how long it is: `tumbling 1h`"),
            ABSURD.. => diag.report_mild(
                token,
                format!("a window of {token} is longer than any input"),
                "write a shorter one, or aggregate without window: `emit at_end`",
            ),
            _ => whole_millis(&window.size, diag),
        }
    }
    if let Some(Length::Literal { micros, token }) = &window.offset {
        match (*micros, &window.size) {
            (0, _) => diag.report_mild(token, "an offset of nothing has no effect", "remove `offset`"),
            (offset, Length::Literal { micros: size, token: long }) if offset >= *size && *size > 0 => diag
                .report_mild(
                    token,
                    format!("the offset {token} is not shorter than the window, {long}"),
                    "windows repeat: take off the window's length until less is left",
                ),
            _ => window.offset.iter().for_each(|offset| whole_millis(offset, diag)),
        }
    }
    match (&window.allow_late, &window.refire, &window.no_refire) {
        (_, Some(_), Some(second)) => diag.report_mild(second, "`refire` and `no_refire` exclude each other", "keep one of them"),
        (None, Some(word), None) | (None, None, Some(word)) => diag.report_mild(
            word,
            format!("`{word}` has no effect without `allow_late`"),
            format!("write `allow_late 10min, {word}`, or remove it: late rows are then in `.late`"),
        ),
        (Some((word, _)), None, None) => diag.report_mild(
            word,
            "`allow_late` does not say what a late row does to a result that is out already",
            "add `refire` (the result is given again, with `firing` counted up) or `no_refire` (it is counted in silence)",
        ),
        _ => {}
    }
    if let Some((word, length)) = &window.allow_late {
        match length {
            Length::Literal { micros: 0, .. } => {
                diag.report_mild(word, "`allow_late` of nothing has no effect", "remove it, or write a duration")
            }
            _ => {
                whole_millis(length, diag);
                absurd(length, "`allow_late`", "each window is kept for so long", diag);
            }
        }
    }
}

/// Reports a duration that nobody can mean.
pub(super) fn absurd(length: &Length, of: &str, why: &str, diag: &mut Diagnostics) {
    if let Length::Literal { micros: ABSURD.., token } = length {
        diag.report_mild(
            token,
            format!("{of} of {token} is longer than any input"),
            format!("write a shorter one: {why}"),
        );
    }
}

pub(super) fn whole_millis(length: &Length, diag: &mut Diagnostics) {
    if let Length::Literal { micros, token } = length
        && micros % MILLI != 0
    {
        diag.report_mild(
            token,
            format!("event time is counted in milliseconds, and {token} is no whole number of them"),
            "write a multiple of `1ms`",
        );
    }
}
