//! Options: behind what an operator or a source needs, separated by commas, each a word with its value, in any order,
//! each at most once.

use proc_macro2::{Ident, TokenStream};

use crate::diag::{Diagnostics, list, near_or};
use crate::syntax::cursor::Cursor;

/// What has options, and which.
pub(crate) struct Known<'a> {
    /// "a source", "`window`".
    pub(crate) of: &'a str,
    pub(crate) words: &'a [&'a str],
    pub(crate) later: &'a [&'a str],
}

impl Known<'_> {
    /// The words of the options with their values still to be read. Unknown and doubled ones are reported and left out.
    pub(crate) fn read(
        &self,
        arguments: impl IntoIterator<Item = TokenStream>,
        before: &Ident,
        diag: &mut Diagnostics,
    ) -> Vec<(Ident, Cursor)> {
        let mut given: Vec<(Ident, Cursor)> = vec![];
        let all = match self.words {
            [] => format!("{} has no options", self.of),
            words => format!("the options of {} are {}", self.of, list(words, "and")),
        };
        for argument in arguments {
            let mut from = Cursor::new(argument, before);
            let Some(word) = diag.take(from.ident("an option", &all)) else { continue };
            let text = word.to_string();
            if self.later.contains(&&*text) {
                diag.report(&word, format!("the option `{word}` is not built yet"), &all);
            } else if !self.words.contains(&&*text) {
                let fact = format!("{} has no option `{word}`", self.of);
                diag.report(&word, fact, near_or(&text, self.words.iter().copied(), &all));
            } else if given.iter().any(|(first, _)| *first == word) {
                diag.report(&word, format!("the option `{word}` is said twice"), "say it once");
            } else {
                given.push((word, from));
            }
        }
        given
    }
}
