//! `.window(tumbling 1h offset 15min, allow_late 10min, refire)`: which window a row belongs to, and what becomes of
//! rows that come late.

use proc_macro2::{Ident, TokenStream};

use crate::catalog;
use crate::diag::{Diagnostics, near_or};
use crate::syntax::cursor::Cursor;
use crate::syntax::options::Known;
use crate::syntax::units::{self, Length};

#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) size: Length,
    pub(crate) offset: Option<Length>,
    pub(crate) allow_late: Option<(Ident, Length)>,
    pub(crate) refire: Option<Ident>,
    pub(crate) no_refire: Option<Ident>,
}

const FORM: &str = "write `window(tumbling 1h)` or `window(tumbling 1d offset 6h)`";

impl Window {
    pub(crate) fn parse(
        name: &Ident,
        given: &mut std::vec::IntoIter<TokenStream>,
        diag: &mut Diagnostics,
    ) -> Option<Window> {
        let mark = diag.mark();
        let mut first = Cursor::new(given.next().unwrap_or_default(), name);
        if let Ok(word) = first.clone().ident("", "")
            && catalog::WINDOW_OPTIONS.contains(&&*word.to_string())
        {
            diag.report(&word, "the kind of window is said first", format!("{FORM}, and options behind it"));
            return None;
        }
        let kind = kind(&mut first, diag);
        let known = Known { of: "`window`", words: catalog::WINDOW_OPTIONS, later: catalog::LATER_WINDOW_OPTIONS };
        let (mut allow_late, mut refire, mut no_refire) = (None, None, None);
        for (word, mut value) in known.read(given, name, diag) {
            let mark = diag.mark();
            match word.to_string().as_str() {
                "allow_late" => {
                    allow_late = diag.take(Length::parse(&mut value, "allow_late")).map(|length| (word, length));
                }
                "refire" => refire = Some(word),
                _ => no_refire = Some(word),
            }
            if !diag.spoiled_since(mark) {
                diag.take(value.end("`,` or `)`", "options are separated by commas"));
            }
        }
        if diag.spoiled_since(mark) {
            return None;
        }
        kind.map(|(size, offset)| Window { size, offset, allow_late, refire, no_refire })
    }

    /// Where they begin and end: `tumbling 1h offset 15min`, the same text for the same windows. Empty where a param says it.
    pub(crate) fn kind(&self) -> String {
        let micros = |length: &Length| match length {
            Length::Literal { micros, .. } => Some(*micros),
            Length::Param(_) => None,
        };
        let offset = self.offset.as_ref().map_or(Some(0), micros);
        match (micros(&self.size), offset) {
            (Some(size), Some(0)) => format!("tumbling {}", units::shown(size)),
            (Some(size), Some(offset)) => format!("tumbling {} offset {}", units::shown(size), units::shown(offset)),
            _ => String::new(),
        }
    }

    /// As the plan shows it.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("window tumbling {}", self.size.text());
        if let Some(offset) = &self.offset {
            text += &format!(" offset {}", offset.text());
        }
        if let Some((_, length)) = &self.allow_late {
            text += &format!(", allow_late {}", length.text());
        }
        if self.refire.is_some() {
            text += ", refire";
        }
        text
    }
}

fn kind(from: &mut Cursor, diag: &mut Diagnostics) -> Option<(Length, Option<Length>)> {
    let word = diag.take(from.ident("a kind of window", FORM))?;
    let text = word.to_string();
    if text != "tumbling" {
        if catalog::LATER_WINDOWS.contains(&&*text) {
            diag.report(&word, format!("the window `{word}` is not built yet"), FORM);
        } else {
            diag.report(&word, format!("there is no window `{word}`"), near_or(&text, ["tumbling"], FORM));
        }
        return None;
    }
    let size = diag.take(Length::parse(from, "tumbling"))?;
    if from.is_end() {
        return Some((size, None));
    }
    let word = diag.take(from.ident("`offset` or `,`", FORM))?;
    if word != "offset" {
        let text = word.to_string();
        let fact = match &*text {
            "zone" => "`zone` is not built yet".to_string(),
            _ => format!("expected `offset` or `,`, found `{word}`"),
        };
        diag.report(&word, fact, near_or(&text, ["offset"], FORM));
        return None;
    }
    let offset = diag.take(Length::parse(from, "offset"))?;
    diag.take(from.end("`,`", FORM))?;
    Some((size, Some(offset)))
}
