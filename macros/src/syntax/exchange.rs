//! `.rebalance()`, `.shuffle()`, `.broadcast()`, `.global()` and `.partition_by(|r, n| ..)`: to which worker rows go that have no key.

use proc_macro2::{Ident, TokenStream};

use crate::catalog;
use crate::diag::Diagnostics;
use crate::syntax::code::Code;

#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) to: To,
}

#[derive(Clone)]
pub(crate) enum To {
    /// Each worker in turn.
    Turn,
    /// Any worker.
    Chance,
    /// Every worker.
    All,
    /// One worker.
    One,
    /// The worker of this number.
    Number(Code),
}

impl Exchange {
    pub(crate) fn parse(
        name: &Ident,
        given: &mut std::vec::IntoIter<TokenStream>,
        diag: &mut Diagnostics,
    ) -> Option<Exchange> {
        let word = name.to_string();
        let form = catalog::operator(&word).map_or("", |row| row.form);
        let to = match &*word {
            "rebalance" => To::Turn,
            "shuffle" => To::Chance,
            "broadcast" => To::All,
            "global" => To::One,
            _ => {
                let help = format!("write `{form}`, with the row and the number of workers");
                let code = Code::function(given.next().unwrap_or_default(), name, &help, diag)?;
                if let Some(more) = given.next() {
                    diag.report(more, format!("`{name}` takes one closure"), help);
                    return None;
                }
                return Some(Exchange { to: To::Number(code) });
            }
        };
        if let Some(argument) = given.next() {
            diag.report(argument, format!("`{name}` takes no argument"), format!("write `{form}`"));
            return None;
        }
        Some(Exchange { to })
    }

    /// What says the worker's number.
    pub(crate) fn code(&self) -> Option<&Code> {
        match &self.to {
            To::Number(code) => Some(code),
            _ => None,
        }
    }

    /// Its kind in the runtime.
    pub(crate) fn kind(&self) -> &'static str {
        match self.to {
            To::Turn => "Rebalance",
            To::Chance => "Shuffle",
            To::All => "Broadcast",
            To::One => "Global",
            To::Number(_) => "Partition",
        }
    }
}
