//! `resource name: Type = expression;`: what each worker makes once per attempt, for closures to look at.

use proc_macro2::{Ident, TokenStream};

use crate::diag::{Diagnostics, Parsed};
use crate::syntax::code::{Code, asks};
use crate::syntax::cursor::Cursor;

#[derive(Clone)]
pub(crate) struct Resource {
    pub(crate) name: Ident,
    /// As written.
    pub(crate) ty: TokenStream,
    pub(crate) made: Code,
}

const FORM: &str = "write `resource name: Type = Type::new();`";

impl Resource {
    pub(crate) fn name(from: &mut Cursor) -> Parsed<Ident> {
        from.name("resource", FORM)
    }

    pub(crate) fn parse(name: Ident, from: &mut Cursor, diag: &mut Diagnostics) -> Option<Resource> {
        diag.take(from.punct(':', FORM))?;
        let ty = diag.take(from.ty(&format!("`{name}`"), FORM))?;
        diag.take(from.punct('=', FORM))?;
        let made = Code::parse(from.rest(), &name, "what it is", FORM, diag)?;
        Some(Resource { name, ty, made })
    }

    /// Whether a `?` occurs in it: then it may fail.
    pub(crate) fn may_fail(&self) -> bool {
        asks(self.made.tokens.clone())
    }
}
