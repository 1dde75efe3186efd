//! `roll every 1h or at 128MiB`: when a sink that writes a folder begins a new file.

use proc_macro2::{Ident, Literal, TokenTree};

use crate::diag::{Diagnostics, Problem, near_or};
use crate::syntax::cursor::Cursor;
use crate::syntax::units::{self, Amount, Length};

#[derive(Clone)]
pub(crate) struct Roll {
    pub(crate) word: Ident,
    pub(crate) every: Option<Length>,
    /// Bytes, and the literal that says so.
    pub(crate) at: Option<(u64, Literal)>,
}

const HELP: &str = "write `roll every 1h`, `roll at 128MiB`, or `roll every 1h or at 128MiB`";

impl Roll {
    pub(crate) fn parse(word: Ident, mut from: Cursor, diag: &mut Diagnostics) -> Option<Roll> {
        let mut roll = Roll { word, every: None, at: None };
        loop {
            match diag.take(from.ident("`every` or `at`", HELP))? {
                how if how == "every" && roll.every.is_none() => {
                    let length = diag.take(Length::parse(&mut from, "every"))?;
                    if let Length::Literal { micros: 0, token } = &length {
                        diag.report_mild(token, "a file of no time", HELP);
                    }
                    roll.every = Some(length);
                }
                how if how == "at" && roll.at.is_none() => roll.at = Some(diag.take(size(&mut from))?),
                how if how == "every" || how == "at" => {
                    diag.report(&how, format!("`{how}` is said twice"), HELP);
                    return None;
                }
                how => {
                    let help = near_or(&how.to_string(), ["every", "at"], HELP);
                    diag.report(&how, format!("`{how}` says nothing of when to roll"), help);
                    return None;
                }
            }
            match from.peek() {
                Some(TokenTree::Ident(or)) if or == "or" => {
                    from.next();
                }
                _ => break,
            }
        }
        diag.take(from.end("`or` or `;`", HELP))?;
        Some(roll)
    }
}

/// A size: `64KiB`, `128MiB`, `1GiB`.
fn size(from: &mut Cursor) -> Result<(u64, Literal), Problem> {
    let Some(TokenTree::Literal(literal)) = from.peek().cloned() else {
        return Err(from.expected("a size", "write `128MiB`"));
    };
    let text = literal.to_string();
    match units::read(&text) {
        Some(Amount::Bytes(0)) => {
            Err(Problem::new(literal.clone(), format!("no file has a size of `{literal}`"), "write `128MiB`"))
        }
        Some(Amount::Bytes(bytes)) => {
            from.next();
            Ok((bytes, literal))
        }
        Some(Amount::Refused(fact, help)) if text.ends_with('B') => Err(Problem::new(literal.clone(), fact, help)),
        _ => {
            let number = &text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())];
            let help = format!("write `{number}MiB`: sizes are in `KiB`, `MiB` or `GiB`");
            Err(Problem::new(literal.clone(), format!("`{literal}` is no size"), help))
        }
    }
}
