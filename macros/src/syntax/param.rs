//! `param name: Type;` and `param name: Type = default;`: a field of the job, and a flag of its binary.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;

use crate::diag::{Diagnostics, Parsed, Problem};
use crate::syntax::attributes::{Attributes, docs};
use crate::syntax::code::Code;
use crate::syntax::cursor::Cursor;

#[derive(Clone)]
pub(crate) struct Param {
    /// Doc comments, for the field.
    pub(crate) docs: TokenStream,
    /// The same as text, for the flag.
    pub(crate) help: String,
    pub(crate) name: Ident,
    /// As written.
    pub(crate) ty: TokenStream,
    /// `T`, if the type is `Option<T>`.
    pub(crate) inner: Option<TokenStream>,
    pub(crate) default: Option<Code>,
}

const FORM: &str = "write `param name: Type;` or `param name: Type = default;`";

impl Param {
    pub(crate) fn name(from: &mut Cursor) -> Parsed<Ident> {
        from.name("param", FORM)
    }

    pub(crate) fn parse(
        name: Ident,
        mut attributes: Attributes,
        from: &mut Cursor,
        diag: &mut Diagnostics,
    ) -> Option<Param> {
        attributes.refuse("a param", &[], diag);
        diag.take(from.punct(':', FORM))?;
        let ty = diag.take(from.ty(&format!("`{name}`"), FORM))?;
        let inner = option_of(&ty);
        let mut default = None;
        if from.is_punct('=') {
            let equals = from.next();
            let tokens = from.rest();
            // a param without its default is still a field, so nothing that uses it breaks
            let mark = diag.mark();
            default = Code::parse(tokens, equals, "a default", FORM, diag);
            diag.forgive(mark);
            if let (Some(code), Some(inner)) = (&default, &inner) {
                diag.report_mild(
                    code,
                    format!("`{name}` is an `Option`, whose default is `None`"),
                    format!("write `param {name}: {};` with the default, or leave the default out", text(inner)),
                );
                default = None;
            }
        } else {
            diag.take(from.end("`=` or `;`", FORM))?;
        }
        let (docs, help) = docs(&attributes.docs);
        let mut param = Param { docs, help: help.replace('\n', " "), name, ty, inner, default };
        if let (true, Some(code)) = (param.is_secret(), &param.default) {
            let says = syn::parse2::<syn::LitStr>(code.tokens.clone()).is_ok_and(|text| {
                let text = text.value();
                ["env:", "file:"].iter().any(|place| text.strip_prefix(place).is_some_and(|rest| !rest.is_empty()))
            });
            if !says {
                let help =
                    format!("say where it is: `param {}: Secret = \"env:NAME\";` or `\"file:PATH\"`", param.name);
                diag.report_mild(code, "a secret is never written out, not even as a default", help);
                param.default = None;
            }
        }
        Some(param)
    }
}

impl Param {
    /// Whether it is a `Secret`, by the name of its type.
    pub(crate) fn is_secret(&self) -> bool {
        let ty = self.inner.as_ref().unwrap_or(&self.ty);
        matches!(ty.clone().into_iter().last(), Some(proc_macro2::TokenTree::Ident(last)) if last == "Secret")
    }
}

/// `T` of a type that is written as `Option<T>`.
fn option_of(ty: &TokenStream) -> Option<TokenStream> {
    let mut ty: syn::Type = syn::parse2(ty.clone()).ok()?;
    // a type that came through a macro of the user's is wrapped
    while let syn::Type::Group(group) = ty {
        ty = *group.elem;
    }
    let syn::Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let syn::PathArguments::AngleBracketed(angles) = &last.arguments else { return None };
    match (last.ident == "Option", angles.args.first()?, angles.args.len()) {
        (true, syn::GenericArgument::Type(inner), 1) => Some(inner.to_token_stream()),
        _ => None,
    }
}

/// Tokens as a person would write them.
pub(crate) fn text(tokens: impl ToTokens) -> String {
    let mut text = String::new();
    write(tokens.to_token_stream(), &mut text);
    text
}

fn write(tokens: TokenStream, to: &mut String) {
    use proc_macro2::{Delimiter, Spacing, TokenTree};
    let mut word_before = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{ ", " }"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                if group.delimiter() == Delimiter::Brace && !to.is_empty() && !to.ends_with(' ') {
                    to.push(' ');
                }
                to.push_str(open);
                write(group.stream(), to);
                to.push_str(close);
                word_before = false;
            }
            TokenTree::Punct(p) => {
                let c = p.as_char();
                let spaced = matches!(c, '=' | '+' | '*' | '/') && p.spacing() == Spacing::Alone && !to.ends_with(':');
                if spaced && !to.ends_with(' ') {
                    to.push(' ');
                }
                to.push(c);
                if c == ',' || c == ';' || spaced {
                    to.push(' ');
                }
                word_before = false;
            }
            word => {
                if word_before {
                    to.push(' ');
                }
                to.push_str(&word.to_string());
                word_before = true;
            }
        }
    }
}

/// The flag of a param: `out_dir` is `--out-dir`.
pub(crate) fn flag(name: &Ident) -> String {
    name.to_string().trim_start_matches("r#").trim_matches('_').replace('_', "-")
}

/// Checks a name that becomes a flag against the flags that every binary has.
pub(crate) fn refuse_flag(name: &Ident, flags: &[&str]) -> Parsed<()> {
    let flag = flag(name);
    if flags.contains(&&*flag) {
        let help = format!("give the param another name, such as `job_{}`", flag.replace('-', "_"));
        return Err(Problem::new(name, format!("`--{flag}` is a flag of every job's binary"), help));
    }
    Ok(())
}
