//! [`Shape`]: the type a derive stands on, read once: its fields and variants with their types, lifetimes and old
//! names, and whether it can be a record at all.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, GenericArgument, GenericParam, Generics, Ident, Index, Member, PathArguments, Type,
};

use super::{Mistakes, attrs};

/// Which derive asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Record,
    Key,
}

impl For {
    /// Whether this derive reads an attribute: a key leaves what is said of stored data to the record, so that a mistake in
    /// it is reported once.
    fn reads(self, attr: &Attribute) -> bool {
        self == For::Record || attr.path().is_ident("record")
    }
}

/// A struct or enum that can be a record.
pub(super) struct Shape {
    pub(super) name: Ident,
    pub(super) runtime: TokenStream,
    pub(super) scalar: bool,
    /// Names the type had before.
    pub(super) was: Vec<String>,
    /// What it has no more: the variant it was in, if in one, and its name.
    pub(super) dropped: Vec<(String, String)>,
    /// Functions that make it out of former types.
    pub(super) migrations: Vec<syn::Path>,
    pub(super) generics: Generics,
    pub(super) body: Body,
}

pub(super) enum Body {
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
}

pub(super) struct Variant {
    pub(super) name: Ident,
    pub(super) fields: Vec<Field>,
    pub(super) was: Vec<String>,
    /// Fields it had before.
    dropped: Vec<String>,
}

impl Variant {
    /// `Self::Late`.
    pub(super) fn path(&self) -> TokenStream {
        let name = &self.name;
        quote!(Self::#name)
    }
}

pub(super) struct Field {
    /// How it is written in an expression.
    pub(super) member: Member,
    /// Its name in the schema: `delay`, or `0`.
    pub(super) name: String,
    /// A variable that holds it: a name that no constant has, which a pattern would be taken for.
    pub(super) local: Ident,
    pub(super) ty: Type,
    pub(super) was: Vec<String>,
    /// What it has where it was not stored.
    pub(super) added: Option<attrs::Added>,
}

impl Shape {
    /// Reads the type; `None` after a mistake that leaves nothing to go on with.
    pub(super) fn read(input: &DeriveInput, purpose: For, mistakes: &mut Mistakes) -> Option<Shape> {
        let attributes: Vec<_> = input.attrs.iter().filter(|attr| purpose.reads(attr)).cloned().collect();
        let of_type = attrs::of_type(&attributes, mistakes);
        let mut reader = TypeReader { of: &input.ident, purpose, mistakes };
        let body = match &input.data {
            Data::Struct(data) => Body::Struct(reader.fields(&data.fields)),
            Data::Enum(data) => Body::Enum(reader.variants(&input.ident, data)),
            Data::Union(data) => {
                mistakes.report(data.union_token, "a union cannot be kept or sent", "make it an enum");
                return None;
            }
        };
        let mut dropped: Vec<_> = of_type.dropped.into_iter().map(|name| (String::new(), name)).collect();
        let now: Vec<String> = match &body {
            Body::Struct(fields) => fields.iter().map(|field| field.name.clone()).collect(),
            Body::Enum(variants) => variants.iter().map(|variant| variant.name.unraw().to_string()).collect(),
        };
        refuse_present(&dropped, &now, &input.ident, mistakes);
        if let Body::Enum(variants) = &body {
            for variant in variants {
                let of_variant: Vec<_> =
                    variant.dropped.iter().map(|name| (variant.name.unraw().to_string(), name.clone())).collect();
                let now: Vec<String> = variant.fields.iter().map(|field| field.name.clone()).collect();
                refuse_present(&of_variant, &now, &variant.name, mistakes);
                dropped.extend(of_variant);
            }
        }
        Some(Shape {
            name: input.ident.clone(),
            runtime: of_type.runtime,
            scalar: of_type.scalar,
            was: of_type.was,
            dropped,
            migrations: of_type.migrations,
            generics: input.generics.clone(),
            body,
        })
    }

    /// The name as text.
    pub(super) fn text(&self) -> String {
        self.name.unraw().to_string()
    }

    pub(super) fn borrows(&self) -> bool {
        self.generics.lifetimes().next().is_some()
    }

    /// These tokens with each lifetime parameter of the type as `'static`: what is kept cannot borrow.
    pub(super) fn owned(&self, tokens: impl ToTokens) -> TokenStream {
        let tokens = tokens.into_token_stream();
        if self.borrows() { make_static(&self.generics, tokens) } else { tokens }
    }

    /// The type's arguments after its name, with `'static` for lifetimes.
    pub(super) fn owned_arguments(&self) -> TokenStream {
        let (_, arguments, _) = self.generics.split_for_impl();
        self.owned(arguments)
    }

    /// Parameters and `where` clause of an impl for the owned form, with a bound on each type parameter.
    pub(super) fn owned_impl(&self, bound: &TokenStream) -> (TokenStream, TokenStream) {
        let mut generics = self.generics.clone();
        generics.params = generics.params.into_iter().filter(|p| !matches!(p, GenericParam::Lifetime(_))).collect();
        bind(&mut generics, bound);
        // So that more can be said behind it.
        if let Some(clause) = &mut generics.where_clause
            && !clause.predicates.empty_or_trailing()
        {
            clause.predicates.push_punct(Default::default());
        }
        let (parameters, _, clause) = generics.split_for_impl();
        (self.owned(parameters), self.owned(clause))
    }

    /// The same for the form that may borrow.
    pub(super) fn any_impl(&self, bound: &TokenStream) -> (TokenStream, TokenStream) {
        let mut generics = self.generics.clone();
        bind(&mut generics, bound);
        let (parameters, _, clause) = generics.split_for_impl();
        (parameters.to_token_stream(), clause.to_token_stream())
    }
}

/// What is dropped cannot be there.
fn refuse_present(dropped: &[(String, String)], now: &[String], at: &Ident, mistakes: &mut Mistakes) {
    for (_, name) in dropped.iter().filter(|(_, name)| now.contains(name)) {
        mistakes.report(
            at,
            format!("`{name}` is said to be dropped, and it is there"),
            "take it out of `#[dropped(..)]`",
        );
    }
}

fn bind(generics: &mut Generics, bound: &TokenStream) {
    let bounds: Vec<_> =
        generics.type_params().map(|p| p.ident.clone()).map(|p| quote_spanned!(p.span()=> #p: #bound)).collect();
    let clause = generics.make_where_clause();
    for bound in bounds {
        clause.predicates.extend(syn::parse2::<syn::WherePredicate>(bound));
    }
}

fn make_static(generics: &Generics, tokens: TokenStream) -> TokenStream {
    let mut after_tick = false;
    let trees = tokens.into_iter().map(|tree| match tree {
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), make_static(generics, group.stream()));
            inner.set_span(group.span());
            TokenTree::Group(inner)
        }
        TokenTree::Ident(name) if after_tick => {
            after_tick = false;
            let ours = generics.lifetimes().any(|l| l.lifetime.ident == name);
            TokenTree::Ident(if ours { Ident::new("static", name.span()) } else { name })
        }
        other => {
            after_tick = matches!(&other, TokenTree::Punct(p) if p.as_char() == '\'');
            other
        }
    });
    trees.collect()
}

/// Reads fields and looks at their types.
struct TypeReader<'a> {
    of: &'a Ident,
    purpose: For,
    mistakes: &'a mut Mistakes,
}

impl TypeReader<'_> {
    fn variants(&mut self, name: &Ident, data: &syn::DataEnum) -> Vec<Variant> {
        if data.variants.is_empty() {
            self.mistakes.report(
                name,
                format!("`{name}` has no variants"),
                "write one: without there is no value to keep or send",
            );
        }
        if data.variants.len() > usize::from(u16::MAX) {
            let fact = format!("`{name}` has more than {} variants", u16::MAX);
            self.mistakes.report(name, fact, "make fields of some of them");
        }
        let variants = data.variants.iter().map(|variant| {
            let attributes = if self.purpose == For::Key { &[][..] } else { &variant.attrs };
            attrs::refuse_record(attributes, self.mistakes);
            attrs::refuse_added(attributes, self.mistakes);
            Variant {
                name: variant.ident.clone(),
                was: attrs::was(attributes, self.mistakes),
                dropped: attrs::dropped(attributes, self.mistakes),
                fields: self.fields(&variant.fields),
            }
        });
        let variants: Vec<_> = variants.collect();
        let names = variants
            .iter()
            .zip(&data.variants)
            .map(|(v, at)| (v.name.unraw().to_string(), &v.was, at.to_token_stream()));
        self.old_names(names.collect());
        variants
    }

    fn fields(&mut self, fields: &syn::Fields) -> Vec<Field> {
        let read = fields.iter().enumerate().map(|(i, field)| {
            self.look_at(&field.ty);
            let attributes = if self.purpose == For::Key { &[][..] } else { &field.attrs };
            attrs::refuse_record(attributes, self.mistakes);
            attrs::refuse_dropped(attributes, self.mistakes);
            let (member, name) = match &field.ident {
                Some(name) => (Member::Named(name.clone()), name.unraw().to_string()),
                None => (Member::Unnamed(Index { index: i as u32, span: field.ty.span() }), i.to_string()),
            };
            Field {
                member,
                name,
                local: Ident::new(&format!("__x{i}"), Span::mixed_site().located_at(field.ty.span())),
                ty: field.ty.clone(),
                was: attrs::was(attributes, self.mistakes),
                added: attrs::added(attributes, self.mistakes),
            }
        });
        let read: Vec<_> = read.collect();
        self.old_names(read.iter().zip(fields).map(|(f, at)| (f.name.clone(), &f.was, at.to_token_stream())).collect());
        read
    }

    /// An old name must lead to one place only.
    fn old_names(&mut self, all: Vec<(String, &Vec<String>, TokenStream)>) {
        if self.purpose == For::Key {
            return;
        }
        let mut claimed: Vec<&String> = all.iter().map(|(name, ..)| name).collect();
        for (_, was, at) in &all {
            for old in *was {
                if claimed.contains(&old) {
                    self.mistakes.report(
                        at,
                        format!("`{old}` is the name of another one here, or twice an old one"),
                        "remove it from one `#[was(..)]`",
                    );
                }
                claimed.push(old);
            }
        }
    }

    /// Reports what no record can hold: references, and the type itself.
    fn look_at(&mut self, ty: &Type) {
        if self.purpose == For::Key {
            return;
        }
        match ty {
            Type::Reference(reference) => {
                let to = &reference.elem;
                let lifetime = reference.lifetime.as_ref().map_or_else(|| quote!('_), |l| l.to_token_stream());
                let cure = match &**to {
                    Type::Path(path) if path.path.is_ident("str") => format!("write `Cow<{lifetime}, str>`"),
                    Type::Slice(slice) => format!("write `Cow<{lifetime}, [{}]>`", slice.elem.to_token_stream()),
                    _ => format!("hold the value: `{}`", to.to_token_stream()),
                };
                self.mistakes.report(
                    ty,
                    "a record cannot hold a reference: nothing could own it when it is read back",
                    cure,
                );
            }
            Type::Tuple(tuple) => tuple.elems.iter().for_each(|ty| self.look_at(ty)),
            Type::Array(array) => self.look_at(&array.elem),
            Type::Slice(slice) => self.look_at(&slice.elem),
            Type::Paren(paren) => self.look_at(&paren.elem),
            Type::Group(group) => self.look_at(&group.elem),
            Type::Path(path) => {
                if path.qself.is_none() && (path.path.is_ident("Self") || is_one(&path.path, self.of)) {
                    self.mistakes.report(
                        ty,
                        format!("`{}` contains itself: its schema would have no end", self.of),
                        format!(
                            "keep the parts in a `Vec` and refer to them by index, or carry it as `Serde<{}>`",
                            self.of
                        ),
                    );
                }
                // What a foreign wrapper holds is no part of the schema.
                let foreign = path.path.segments.last().is_some_and(|s| s.ident == "Serde" || s.ident == "PhantomData");
                for segment in path.path.segments.iter().filter(|_| !foreign) {
                    if let PathArguments::AngleBracketed(arguments) = &segment.arguments {
                        let types = arguments.args.iter().filter_map(|a| match a {
                            GenericArgument::Type(ty) => Some(ty),
                            _ => None,
                        });
                        types.for_each(|ty| self.look_at(ty));
                    }
                }
            }
            _ => {}
        }
    }
}

fn is_one(path: &syn::Path, name: &Ident) -> bool {
    path.leading_colon.is_none() && path.segments.len() == 1 && path.segments.first().is_some_and(|s| s.ident == *name)
}

/// `Self::Late { 0: x0 }`: takes a value apart into its fields' variables. Braces name the fields of tuple structs too.
pub(super) fn pattern(path: &TokenStream, fields: &[Field]) -> TokenStream {
    let parts = fields.iter().map(|Field { member, local, .. }| quote!(#member: #local));
    quote!(#path { #(#parts),* })
}
