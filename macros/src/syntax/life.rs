//! How long state is kept: `ttl 24h`, or `unbounded("why")` for what may stay for ever.

use proc_macro2::{Delimiter, Ident};

use crate::diag::Diagnostics;
use crate::syntax::cursor::Cursor;
use crate::syntax::units::Length;

/// What is said of it; both are options of what keeps the state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    pub(crate) ttl: Option<(Ident, Length)>,
    pub(crate) unbounded: Option<Ident>,
    /// One of them was said, if in a way that has been reported.
    pub(crate) said: bool,
}

/// How a bound is written, for hints.
pub(crate) const FORM: &str = "`ttl 24h`, or `unbounded(\"why it stays small\")`";

impl Life {
    /// Reads the value of one of the two options.
    pub(crate) fn read(&mut self, word: Ident, mut value: Cursor, diag: &mut Diagnostics) {
        self.said = true;
        if word == "ttl" {
            let Some(length) = diag.take(Length::parse(&mut value, "ttl")) else { return };
            self.ttl = Some((word, length));
        } else {
            let help = "write in a few words why it stays small: `unbounded(\"one per country\")`";
            let Some(group) = value.group(Delimiter::Parenthesis) else {
                diag.report(&word, "`unbounded` gives no reason", help);
                return;
            };
            match syn::parse2::<syn::LitStr>(group.stream()) {
                Ok(reason) if reason.value().trim().is_empty() => {
                    diag.report(reason, "`unbounded` gives no reason", help);
                    return;
                }
                Ok(_) => {}
                Err(_) if group.stream().is_empty() => {
                    diag.report(group, "`unbounded` gives no reason", help);
                    return;
                }
                Err(_) => {
                    diag.report(group.stream(), "the reason of `unbounded` is a text", help);
                    return;
                }
            }
            self.unbounded = Some(word);
        }
        diag.take(value.end("`,`", "options are separated by commas"));
    }

    /// As the plan shows it.
    pub(crate) fn text(&self) -> String {
        match &self.ttl {
            Some((_, length)) => format!("ttl {}", length.text()),
            None => "unbounded".to_string(),
        }
    }
}
