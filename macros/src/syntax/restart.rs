//! `restart exponential 1s..=1min | fixed 5s, at_most 10 | failure_rate 3 per 10min | none;`

use proc_macro2::Ident;

use crate::catalog;
use crate::diag::{Diagnostics, Parsed, Problem, list, near_or};
use crate::syntax::checkpoint::Count;
use crate::syntax::cursor::Cursor;
use crate::syntax::options::Known;
use crate::syntax::split;
use crate::syntax::units::Length;

/// Whether a run that has failed goes on by itself.
#[derive(Clone)]
pub(crate) struct Restart {
    /// `restart`.
    pub(crate) word: Ident,
    /// `None` if it could not be read.
    pub(crate) how: Option<How>,
}

#[derive(Clone)]
pub(crate) enum How {
    None,
    Exponential { first: Length, longest: Length },
    Fixed { pause: Length, at_most: Count },
    FailureRate { at_most: Count, per: Length },
}

impl How {
    /// All durations in it.
    pub(crate) fn lengths(&self) -> Vec<&Length> {
        match self {
            How::None => vec![],
            How::Exponential { first, longest } => vec![first, longest],
            How::Fixed { pause, .. } => vec![pause],
            How::FailureRate { per, .. } => vec![per],
        }
    }
}

fn forms() -> String {
    list(catalog::RESTARTS.iter().map(|(_, form)| format!("restart {form}")), "or")
}

impl Restart {
    pub(crate) fn parse(word: &Ident, from: &mut Cursor, diag: &mut Diagnostics) -> Restart {
        let how = how(from, diag);
        Restart { word: word.clone(), how: diag.take(how) }
    }
}

fn how(from: &mut Cursor, diag: &mut Diagnostics) -> Parsed<How> {
    let kind = from.ident("how to restart", &format!("write {}", forms()))?;
    let text = kind.to_string();
    let Some((_, form)) = catalog::RESTARTS.iter().find(|(name, _)| *name == text) else {
        let help = near_or(&text, catalog::RESTARTS.iter().map(|(name, _)| *name), format!("write {}", forms()));
        return Err(Problem::new(&kind, format!("there is no `restart {kind}`"), help));
    };
    let help = format!("write `restart {form}`");
    let how = match text.as_str() {
        "none" => How::None,
        "exponential" => {
            let first = Length::parse(from, "exponential")?;
            range(from, &help)?;
            How::Exponential { first, longest: Length::parse(from, "..=")? }
        }
        "failure_rate" => {
            let at_most = Count::parse(from, "failure_rate")?;
            match from.ident("`per`", &help)? {
                per if per == "per" => How::FailureRate { at_most, per: Length::parse(from, "per")? },
                other => return Err(Problem::new(&other, format!("expected `per`, found `{other}`"), help)),
            }
        }
        _ => {
            let pause = Length::parse(from, "fixed")?;
            let mut at_most = None;
            if !from.is_end() {
                from.punct(',', &help)?;
                let known = Known { of: "`restart fixed`", words: &["at_most"], later: &[] };
                let mark = diag.mark();
                for (option, mut value) in known.read(split::arguments(from.rest()), &kind, diag) {
                    at_most = Some(Count::parse(&mut value, &option.to_string())?);
                    value.end("`;`", &help)?;
                }
                if at_most.is_none() && diag.spoiled_since(mark) {
                    // said already
                    return Ok(How::None);
                }
            }
            let Some(at_most) = at_most else {
                return Err(Problem::new(&kind, "`restart fixed` does not say how often", help));
            };
            How::Fixed { pause, at_most }
        }
    };
    from.end("`;`", &help)?;
    Ok(how)
}

/// `..=`.
fn range(from: &mut Cursor, help: &str) -> Parsed<()> {
    let begin = from.here();
    for point in ['.', '.'] {
        from.punct(point, help)?;
    }
    if from.is_punct('=') {
        from.next();
        return Ok(());
    }
    Err(Problem::new(begin, "`..` would leave the longest pause out", help))
}
