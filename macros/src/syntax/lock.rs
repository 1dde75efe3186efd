//! What a block says about stored state: `#[lock("path")]` and `#[dropped(operator, operator.state)]` on a job, `#[was(old)]`
//! on a `let`.

use proc_macro2::{Delimiter, Ident, Literal, TokenStream, TokenTree};

use crate::diag::Diagnostics;
use crate::syntax::attributes::Attributes;
use crate::syntax::cursor::Cursor;
use crate::syntax::split;

/// What a job says.
#[derive(Default)]
pub(crate) struct Stored {
    /// The lock that it names, from its source file.
    pub(crate) path: Option<Literal>,
    /// Operators and states that it has given up, where it says so.
    pub(crate) dropped: Vec<Dropped>,
}

/// `operator`, or `operator.state`.
pub(crate) struct Dropped {
    pub(crate) operator: Ident,
    /// Where the operator is inside of flows: `t/sums`.
    pub(crate) inside: Vec<Ident>,
    pub(crate) state: Option<Ident>,
}

impl Dropped {
    pub(crate) fn text(&self) -> String {
        let mut text = self.operator.to_string();
        self.inside.iter().for_each(|name| text += &format!("/{name}"));
        match &self.state {
            Some(state) => format!("{text}.{state}"),
            None => text,
        }
    }
}

impl Stored {
    /// Takes the attributes that are about stored state.
    pub(crate) fn parse(attributes: &mut Attributes, diag: &mut Diagnostics) -> Stored {
        let mut stored = Stored::default();
        for (attribute, inside) in attributes.take("lock") {
            let help = "write `#[lock(\"name.lock\")]`: the path of the lock from this file";
            let path = inside.and_then(|inside| syn::parse2::<syn::LitStr>(inside).ok());
            match path {
                Some(path) if stored.path.is_none() => stored.path = Some(path.token()),
                Some(_) => diag.report_mild(attribute, "a job has one lock", "remove one of the two"),
                None => diag.report_mild(attribute, "`lock` takes a path", help),
            }
        }
        for (attribute, inside) in attributes.take("dropped") {
            let help = "write `#[dropped(operator)]`, or `#[dropped(operator.state)]`";
            let Some(inside) = inside.filter(|inside| !inside.is_empty()) else {
                diag.report_mild(attribute, "`dropped` names nothing", help);
                continue;
            };
            for one in split::arguments(inside) {
                let mut from = Cursor::new(one, &attribute);
                let mut read = || {
                    let operator = from.ident("the name of an operator", help)?;
                    let (mut inside, mut state) = (vec![], None);
                    while from.is_punct('/') {
                        from.next();
                        inside.push(from.ident("the name of an operator", help)?);
                    }
                    if from.is_punct('.') {
                        from.next();
                        state = Some(from.ident("the name of a state", help)?);
                    }
                    from.end("`,`", help)?;
                    Ok(Dropped { operator, inside, state })
                };
                match read() {
                    Ok(one) => stored.dropped.push(one),
                    Err(problem) => diag.add_mild(problem),
                }
            }
        }
        stored
    }
}

/// The former names of a `let`.
pub(crate) fn was(attributes: &mut Attributes, diag: &mut Diagnostics) -> Vec<Ident> {
    let mut names = vec![];
    for (attribute, inside) in attributes.take("was") {
        let help = "write `#[was(old_name)]`";
        let Some(inside) = inside.filter(|inside| !inside.is_empty()) else {
            diag.report_mild(attribute, "`was` names nothing", help);
            continue;
        };
        for one in split::arguments(inside) {
            let mut from = Cursor::new(one, &attribute);
            let name = from.ident("an old name", help).and_then(|name| from.end("`,`", help).map(|_| name));
            match name {
                Ok(name) => names.push(name),
                Err(problem) => diag.add_mild(problem),
            }
        }
    }
    names
}

impl Attributes {
    /// Takes the attributes of this name: each whole, and what stands in its parentheses.
    fn take(&mut self, name: &str) -> Vec<(TokenStream, Option<TokenStream>)> {
        let parts = |attribute: &TokenStream| {
            let mut tokens = attribute.clone().into_iter();
            let Some(TokenTree::Group(group)) = tokens.nth(1) else { return None };
            let mut inside = group.stream().into_iter();
            match inside.next() {
                Some(TokenTree::Ident(word)) if word == name => {}
                _ => return None,
            }
            Some(match (inside.next(), inside.next()) {
                (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::Parenthesis => {
                    Some(group.stream())
                }
                _ => None,
            })
        };
        let (mut taken, mut left) = (vec![], vec![]);
        for attribute in std::mem::take(&mut self.others) {
            match parts(&attribute) {
                Some(inside) => taken.push((attribute, inside)),
                None => left.push(attribute),
            }
        }
        self.others = left;
        taken
    }
}
