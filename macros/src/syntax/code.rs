//! The user's own Rust: closures and expressions, kept as the tokens they are. They are parsed only to learn whether
//! they are whole; what they mean is rustc's business.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;

use crate::diag::{Diagnostics, Problem};
use crate::syntax::units::{self, Amount};

/// An expression of the user.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    /// As written; numbers with units are still literals.
    pub(crate) tokens: TokenStream,
    /// What is known about its form.
    form: Form,
}

#[derive(Clone, Debug, PartialEq)]
enum Form {
    /// `|x| ..`, with the number of tokens in front of its body, and what of that is a place.
    Closure { head: usize, places: Places },
    /// Something that may stand for a function: a path, a call, a block.
    Callable,
    /// Something that cannot.
    Other,
    /// Not whole; kept for an editor.
    Broken,
}

/// What of a closure's body is a place inside of its argument, `r.a.b`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Places {
    None,
    /// All of it.
    Whole,
    /// These parts of a tuple.
    Parts(Vec<bool>),
}

impl Code {
    /// Reads an expression, which is to stand behind `before`. `what` says what it is to be, for the case that there is none.
    pub(crate) fn parse(
        tokens: TokenStream,
        before: impl ToTokens,
        what: &str,
        help: &str,
        diag: &mut Diagnostics,
    ) -> Option<Code> {
        if tokens.is_empty() {
            diag.report(before, format!("expected {what}"), help);
            return None;
        }
        let refused = refuse_amounts(tokens.clone(), diag);
        match syn::parse2::<syn::Expr>(tokens.clone()) {
            Ok(expr) => (!refused).then(|| {
                let mut form = Form::of(&expr, &tokens);
                if let (true, Form::Closure { places, .. }) = (diag.editor, &mut form) {
                    // A place is borrowed by a token in front of it, which would not be there while it is half-written.
                    *places = Places::None;
                }
                Code { form, tokens }
            }),
            Err(error) => {
                let problem = if error.to_string().starts_with("unexpected end of input") {
                    Problem::new(
                        end(tokens.clone(), error.span()).or(tokens.clone().into_iter().last()),
                        "the expression stops here",
                        "something is missing behind this",
                    )
                } else {
                    let at = match find(tokens.clone(), error.span()) {
                        Some(token) => token.to_token_stream(),
                        None => tokens.clone(),
                    };
                    Problem::new(at, format!("the expression cannot be read: {error}"), help)
                };
                if diag.editor {
                    diag.add_mild(problem);
                    Some(Code { tokens, form: Form::Broken })
                } else {
                    diag.add(problem);
                    None
                }
            }
        }
    }

    /// Reads a closure, or the path of a function.
    pub(crate) fn function(
        tokens: TokenStream,
        before: impl ToTokens,
        help: &str,
        diag: &mut Diagnostics,
    ) -> Option<Code> {
        let code = Code::parse(tokens, before, "a closure", help, diag)?;
        if code.form == Form::Other {
            // for a closure of one argument
            let help = match row_of(&code.tokens).filter(|_| help.contains("|r| ")) {
                Some(row) => format!("write `|{row}| {}`", code.tokens.to_string().replace(" . ", ".")),
                None => help.to_string(),
            };
            diag.report(&code, "expected a closure", help);
            return None;
        }
        Some(code)
    }

    pub(crate) fn is_closure(&self) -> bool {
        matches!(self.form, Form::Closure { .. })
    }

    /// Whether it is a name or a number, or something as short, that has no other meaning in a closure.
    pub(crate) fn is_simple(&self) -> bool {
        let simple = |token| match token {
            TokenTree::Group(_) => false,
            TokenTree::Punct(punct) => "-.:".contains(punct.as_char()),
            TokenTree::Ident(_) | TokenTree::Literal(_) => true,
        };
        self.tokens.clone().into_iter().all(simple)
    }

    /// What of a closure's body is a place inside of its argument: all of `|r| r.a.b`.
    pub(crate) fn places(&self) -> &Places {
        match &self.form {
            Form::Closure { places, .. } => places,
            _ => &Places::None,
        }
    }

    /// What is in front of a closure's body, and the body. All is body if it is no closure.
    pub(crate) fn parts(&self) -> (TokenStream, TokenStream) {
        let head = match self.form {
            Form::Closure { head, .. } => head,
            _ => 0,
        };
        let mut tokens = self.tokens.clone().into_iter();
        (tokens.by_ref().take(head).collect(), tokens.collect())
    }

    /// Whether the name occurs in it, also in a format string.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        mentions(self.tokens.clone(), name)
    }
}

impl ToTokens for Code {
    fn to_tokens(&self, to: &mut TokenStream) {
        self.tokens.to_tokens(to);
    }
}

impl Form {
    fn of(expr: &syn::Expr, tokens: &TokenStream) -> Form {
        use syn::Expr;
        match expr {
            Expr::Closure(closure) => {
                let body = closure.body.to_token_stream().into_iter().count();
                Form::Closure { head: tokens.clone().into_iter().count().saturating_sub(body), places: places(closure) }
            }
            Expr::Lit(_)
            | Expr::Tuple(_)
            | Expr::Array(_)
            | Expr::Repeat(_)
            | Expr::Binary(_)
            | Expr::Range(_)
            | Expr::Struct(_)
            | Expr::Cast(_)
            | Expr::Field(_)
            | Expr::Assign(_)
            | Expr::Let(_)
            | Expr::ForLoop(_)
            | Expr::While(_) => Form::Other,
            _ => Form::Callable,
        }
    }
}

/// `t`, where `t.symbol`, `t.price > 1.0` or `(t.country, t.city)` stands for a closure.
fn row_of(tokens: &TokenStream) -> Option<Ident> {
    let mut names = vec![];
    values(tokens.clone(), &mut names);
    let first = names.first()?.clone();
    let one = names.iter().all(|name| *name == first);
    (one && fields_of(tokens.clone(), &first)).then_some(first)
}

/// Whether each of these names is followed by a dot.
fn fields_of(tokens: TokenStream, name: &Ident) -> bool {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let fits = match token {
            TokenTree::Ident(it) if it == *name => {
                matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '.')
            }
            TokenTree::Group(group) => fields_of(group.stream(), name),
            _ => true,
        };
        if !fits {
            return false;
        }
    }
    true
}

/// Of a closure with one argument without a pattern: what of its body goes into that by fields alone.
fn places(closure: &syn::ExprClosure) -> Places {
    let argument = match closure.inputs.iter().collect::<Vec<_>>()[..] {
        [syn::Pat::Ident(pat)] if pat.subpat.is_none() && pat.by_ref.is_none() => &pat.ident,
        [syn::Pat::Type(typed)] => match &*typed.pat {
            syn::Pat::Ident(pat) => &pat.ident,
            _ => return Places::None,
        },
        _ => return Places::None,
    };
    if !matches!(closure.output, syn::ReturnType::Default) {
        return Places::None;
    }
    match &*closure.body {
        syn::Expr::Tuple(tuple) => Places::Parts(tuple.elems.iter().map(|part| is_place(part, argument)).collect()),
        body if is_place(body, argument) => Places::Whole,
        _ => Places::None,
    }
}

/// `r.a.b`
fn is_place(mut place: &syn::Expr, argument: &Ident) -> bool {
    let mut fields = 0;
    while let syn::Expr::Field(field) = place {
        place = &field.base;
        fields += 1;
    }
    fields > 0 && matches!(place, syn::Expr::Path(path) if path.path.is_ident(argument))
}

/// Reports numbers with a unit that mean nothing, wherever they stand.
fn refuse_amounts(tokens: TokenStream, diag: &mut Diagnostics) -> bool {
    let mut refused = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => refused |= refuse_amounts(group.stream(), diag),
            TokenTree::Literal(literal) => {
                if let Some(Amount::Refused(fact, help)) = units::read(&literal.to_string()) {
                    diag.report(literal, fact, help);
                    refused = true;
                }
            }
            _ => {}
        }
    }
    refused
}

/// The token with this span, at whatever depth. Spans have no equality, so they are compared by what they print.
fn find(tokens: TokenStream, span: proc_macro2::Span) -> Option<TokenTree> {
    let wanted = format!("{span:?}");
    tokens.into_iter().find_map(|token| {
        if format!("{:?}", token.span()) == wanted {
            return Some(token);
        }
        match token {
            TokenTree::Group(group) => find(group.stream(), span),
            _ => None,
        }
    })
}

/// The last token in front of the closing delimiter with this span, at whatever depth.
fn end(tokens: TokenStream, span: proc_macro2::Span) -> Option<TokenTree> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Group(group) if format!("{:?}", group.span_close()) == format!("{span:?}") => {
            group.stream().into_iter().last()
        }
        TokenTree::Group(group) => end(group.stream(), span),
        _ => None,
    })
}

/// Whether the name, without `r#`, occurs among the tokens, at whatever depth, also inside a format string.
pub(crate) fn mentions(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident.to_string().trim_start_matches("r#") == name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Literal(literal) => {
            let text = literal.to_string();
            text.ends_with(['"', '#']) && text.contains('{') && text.contains(name)
        }
        TokenTree::Punct(_) => false,
    })
}

/// Whether a `?` is among the tokens, at whatever depth.
pub(crate) fn asks(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => asks(group.stream()),
        TokenTree::Punct(p) => p.as_char() == '?',
        _ => false,
    })
}

/// The names among the tokens that may be those of values: none behind a dot, and none of a type.
pub(crate) fn values(tokens: TokenStream, to: &mut Vec<Ident>) {
    let mut behind_dot = false;
    for token in tokens {
        let dot = matches!(&token, TokenTree::Punct(p) if p.as_char() == '.');
        match token {
            TokenTree::Ident(ident) if !behind_dot && ident.to_string().starts_with(char::is_lowercase) => {
                to.push(ident)
            }
            TokenTree::Group(group) => values(group.stream(), to),
            _ => {}
        }
        behind_dot = dot;
    }
}

/// All names among the tokens, at whatever depth.
pub(crate) fn names(tokens: TokenStream, to: &mut Vec<Ident>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => to.push(ident),
            TokenTree::Group(group) => names(group.stream(), to),
            _ => {}
        }
    }
}
