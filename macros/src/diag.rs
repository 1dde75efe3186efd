//! One sink for every mistake of a block, and the search for near names. It knows nothing of the language: each phase
//! says what is wrong, where, and what to write instead.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// Every mistake found so far. Nothing stops at one: phases report and go on with what is whole.
#[must_use]
#[derive(Default)]
pub(crate) struct Diagnostics {
    errors: Vec<syn::Error>,
    /// Mistakes that spoil the statement they are in; see [`Diagnostics::spoiled_since`].
    spoiling: usize,
    /// Whether the output is for an editor, which wants half-written closures to complete in.
    pub(crate) editor: bool,
}

/// What one mistake says, before it has a place.
pub(crate) struct Problem {
    at: TokenStream,
    fact: String,
    help: String,
}

impl Problem {
    /// `fact` in lower case, without a full stop, with the user's own words in backticks; `help` is what to write.
    pub(crate) fn new(at: impl ToTokens, fact: impl Display, help: impl Display) -> Problem {
        Problem { at: at.to_token_stream(), fact: fact.to_string(), help: help.to_string() }
    }
}

/// What a parser gives back: the part, or the one thing that is wrong with it.
pub(crate) type Parsed<T> = Result<T, Problem>;

impl Diagnostics {
    pub(crate) fn report(&mut self, at: impl ToTokens, fact: impl Display, help: impl Display) {
        self.add(Problem::new(at, fact, help));
    }

    pub(crate) fn add(&mut self, problem: Problem) {
        self.spoiling += 1;
        self.add_mild(problem);
    }

    /// Reports something after which the statement can still be emitted.
    pub(crate) fn report_mild(&mut self, at: impl ToTokens, fact: impl Display, help: impl Display) {
        self.add_mild(Problem::new(at, fact, help));
    }

    pub(crate) fn add_mild(&mut self, problem: Problem) {
        let Problem { at, fact, help } = problem;
        self.errors.push(syn::Error::new_spanned(at, format!("{fact}\n\nhelp: {help}")));
    }

    /// Reports what is wrong, and gives what is right.
    pub(crate) fn take<T>(&mut self, parsed: Parsed<T>) -> Option<T> {
        parsed.map_err(|problem| self.add(problem)).ok()
    }

    /// A mark to ask [`spoiled_since`](Diagnostics::spoiled_since) with.
    pub(crate) fn mark(&self) -> usize {
        self.spoiling
    }

    /// Takes back that what was reported since the mark spoils its statement; it is still reported.
    pub(crate) fn forgive(&mut self, mark: usize) {
        self.spoiling = mark;
    }

    /// Whether something was reported since the mark that leaves its statement unfit to be emitted.
    pub(crate) fn spoiled_since(&self, mark: usize) -> bool {
        self.spoiling > mark
    }

    /// How many mistakes there are.
    pub(crate) fn count(&self) -> usize {
        self.errors.len()
    }

    /// The mistakes as tokens that make rustc say them.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.errors.iter().map(syn::Error::to_compile_error).collect()
    }

    #[cfg(test)]
    pub(crate) fn errors(&self) -> &[syn::Error] {
        &self.errors
    }
}

/// The known names that `word` may have been meant as, nearest first.
pub(crate) fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let reach = (word.chars().count() / 3).clamp(1, 3);
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .map(|name| (distance(word, name), name))
        .filter(|(far, name)| *far <= reach && *far < name.chars().count())
        .collect();
    found.sort();
    found.dedup();
    found.into_iter().map(|(_, name)| name).take(3).collect()
}

/// "did you mean `a` or `b`?", or `otherwise` if nothing is near.
pub(crate) fn near_or<'a>(word: &str, known: impl IntoIterator<Item = &'a str>, otherwise: impl Display) -> String {
    match &near(word, known)[..] {
        [] => otherwise.to_string(),
        names => format!("did you mean {}?", list(names.iter(), "or")),
    }
}

/// Where nothing uses `name`: whether one of these words was perhaps meant to.
pub(crate) fn perhaps(name: &str, words: &[proc_macro2::Ident], otherwise: &str) -> String {
    let said = words.iter().map(|word| word.to_string()).find(|word| word != name && !near(word, [name]).is_empty());
    match said {
        Some(said) => format!("did you mean it by `{said}`? else {otherwise}"),
        None => otherwise.to_string(),
    }
}

/// "`a`, `b` and `c`".
pub(crate) fn list<T: Display>(names: impl IntoIterator<Item = T>, and: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match &names[..] {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {and} {last}", most.join(", ")),
    }
}

/// Letters to add, drop, change, or swap with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (rows[i - 1][j - 1] + changed).min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_sorted_and_short() {
        assert_eq!(near("filtr", ["map", "filter", "filter_map"]), ["filter"]);
        assert_eq!(near("trade", ["trades", "traded", "flights"]), ["traded", "trades"]);
        assert_eq!(near("x", ["y", "map"]), [""; 0]);
        assert_eq!(distance("amp", "map"), 1);
        assert_eq!(list(["a", "b", "c"], "and"), "`a`, `b` and `c`");
    }
}
