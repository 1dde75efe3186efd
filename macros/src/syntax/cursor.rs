//! A place in a list of tokens. Its reads say what was expected, at the token that stands there instead, or behind the
//! last token if there is none.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;

use crate::diag::{Parsed, Problem};

#[derive(Clone)]
pub(crate) struct Cursor {
    tokens: std::iter::Peekable<proc_macro2::token_stream::IntoIter>,
    /// The token in front, to point at when there is no other.
    last: TokenStream,
}

impl Cursor {
    /// Reads `tokens`, which stand behind `before`.
    pub(crate) fn new(tokens: TokenStream, before: impl ToTokens) -> Cursor {
        Cursor { tokens: tokens.into_iter().peekable(), last: before.to_token_stream() }
    }

    pub(crate) fn peek(&mut self) -> Option<&TokenTree> {
        self.tokens.peek()
    }

    pub(crate) fn next(&mut self) -> Option<TokenTree> {
        let token = self.tokens.next()?;
        self.last = token.to_token_stream();
        Some(token)
    }

    pub(crate) fn is_end(&mut self) -> bool {
        self.peek().is_none()
    }

    pub(crate) fn is_punct(&mut self, c: char) -> bool {
        matches!(self.peek(), Some(TokenTree::Punct(p)) if p.as_char() == c)
    }

    /// What is left.
    pub(crate) fn rest(&mut self) -> TokenStream {
        let rest: TokenStream = self.tokens.by_ref().collect();
        if let Some(last) = rest.clone().into_iter().last() {
            self.last = last.to_token_stream();
        }
        rest
    }

    /// The token at hand, or the last one if all are read.
    pub(crate) fn here(&mut self) -> TokenStream {
        match self.tokens.peek() {
            Some(token) => token.to_token_stream(),
            None => self.last.clone(),
        }
    }

    /// A problem with the token at hand.
    pub(crate) fn expected(&mut self, what: &str, help: &str) -> Problem {
        let found = match self.tokens.peek() {
            Some(TokenTree::Group(group)) => match group.delimiter() {
                Delimiter::Parenthesis => ", found `(`".to_string(),
                Delimiter::Brace => ", found `{`".to_string(),
                Delimiter::Bracket => ", found `[`".to_string(),
                Delimiter::None => String::new(),
            },
            Some(token) => format!(", found `{token}`"),
            None => " behind this".to_string(),
        };
        Problem::new(self.here(), format!("expected {what}{found}"), help)
    }

    pub(crate) fn ident(&mut self, what: &str, help: &str) -> Parsed<Ident> {
        match self.peek() {
            Some(TokenTree::Ident(ident)) => {
                let ident = ident.clone();
                self.next();
                Ok(ident)
            }
            _ => Err(self.expected(what, help)),
        }
    }

    pub(crate) fn punct(&mut self, c: char, help: &str) -> Parsed<()> {
        if self.is_punct(c) {
            self.next();
            Ok(())
        } else {
            Err(self.expected(&format!("`{c}`"), help))
        }
    }

    pub(crate) fn group(&mut self, delimiter: Delimiter) -> Option<Group> {
        match self.peek() {
            Some(TokenTree::Group(group)) if group.delimiter() == delimiter => {
                let group = group.clone();
                self.next();
                Some(group)
            }
            _ => None,
        }
    }

    /// Says that nothing may follow.
    pub(crate) fn end(&mut self, what: &str, help: &str) -> Parsed<()> {
        if self.is_end() { Ok(()) } else { Err(self.expected(what, help)) }
    }

    /// A name that the user gives to something.
    pub(crate) fn name(&mut self, of: &str, help: &str) -> Parsed<Ident> {
        let name = self.ident(&format!("the name of the {of}"), help)?;
        let text = name.to_string();
        if text == "_" {
            return Err(Problem::new(name, format!("a {of} needs a name"), help));
        }
        if syn::parse_str::<Ident>(&text).is_err() {
            return Err(Problem::new(&name, format!("`{name}` is a word of Rust and cannot name a {of}"), help));
        }
        if text.starts_with("__") {
            return Err(Problem::new(
                &name,
                format!("`{name}` begins with `__`, which is kept for generated code"),
                format!("call it `{}`", text.trim_start_matches('_')),
            ));
        }
        Ok(name)
    }

    /// The tokens of a type: up to `=`, `,` or the end.
    pub(crate) fn ty(&mut self, of: &str, help: &str) -> Parsed<TokenStream> {
        let mut ty = TokenStream::new();
        let mut depth = 0usize;
        let mut arrow = false;
        while let Some(token) = self.peek() {
            let mut dash = false;
            if let TokenTree::Punct(p) = token {
                match p.as_char() {
                    '=' | ',' if depth == 0 => break,
                    '<' => depth += 1,
                    '>' if !arrow => depth = depth.saturating_sub(1),
                    '-' => dash = true,
                    _ => {}
                }
            }
            arrow = dash;
            ty.extend(self.next());
        }
        if ty.is_empty() {
            return Err(self.expected(&format!("the type of {of}"), help));
        }
        match syn::parse2::<syn::Type>(ty.clone()) {
            Ok(_) => Ok(ty),
            Err(error) => Err(Problem::new(&ty, format!("the type of {of} cannot be read: {error}"), help)),
        }
    }
}
