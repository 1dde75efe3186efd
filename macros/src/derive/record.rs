//! Writes the impls of `Record` and `Row`.
//!
//! Everything that can fail for a field's type is spanned at that type, and all of it is said in the same words, so
//! that rustc reports a field that is no record once.

use proc_macro2::{Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::shape::{Body, Field, Shape, Variant, pattern};
use crate::syntax::literal::is_plain;

pub(super) fn write(shape: &Shape) -> TokenStream {
    let bound = quote!(__rt::Record);
    let (parameters, clause) = shape.owned_impl(&bound);
    let (name, arguments) = (&shape.name, shape.owned_arguments());
    let (schema, encode, decode) = (schema(shape), encode(shape), decode(shape));
    let row = row(shape, &bound);
    quote! {
        #[automatically_derived]
        impl #parameters __rt::Record for #name #arguments #clause {
            const SCHEMA: &'static __rt::Schema = #schema;
            #[inline]
            fn encode(&self, out: &mut ::std::vec::Vec<::core::primitive::u8>) {
                #encode
            }
            #[inline]
            fn decode(from: &mut __rt::Reader<'_>) -> ::core::result::Result<Self, __rt::CodecError> {
                #decode
            }
        }
        #row
    }
}

/// What is written beside the error messages of a type with mistakes: it counts as a record, so that those who use it
/// are not told again. The program does not compile, and none of this is ever run.
pub(super) fn write_broken(shape: &Shape) -> TokenStream {
    let bound = quote!(__rt::Record);
    let (parameters, clause) = shape.owned_impl(&bound);
    let (row_parameters, row_clause) = shape.any_impl(&bound);
    let (_, row_arguments, _) = shape.generics.split_for_impl();
    let (name, arguments) = (&shape.name, shape.owned_arguments());
    quote! {
        #[automatically_derived]
        impl #parameters __rt::Record for #name #arguments #clause {
            const SCHEMA: &'static __rt::Schema = &__rt::Schema::Unit;
            fn encode(&self, _: &mut ::std::vec::Vec<::core::primitive::u8>) {}
            fn decode(from: &mut __rt::Reader<'_>) -> ::core::result::Result<Self, __rt::CodecError> {
                ::core::result::Result::Err(__rt::Reader::invalid(from, ""))
            }
        }
        #[automatically_derived]
        impl #row_parameters __rt::Row for #name #row_arguments #row_clause {
            type Stored = #name #arguments;
            fn store(self) -> <Self as __rt::Row>::Stored {
                loop {}
            }
        }
    }
}

/// `<Type as Record>`, spanned at the type.
fn as_record(shape: &Shape, field: &Field) -> TokenStream {
    let ty = shape.owned(&field.ty);
    let record = quote_spanned!(field.ty.span()=> __rt::Record);
    quote_spanned!(field.ty.span()=> <#ty as #record>)
}

fn schema(shape: &Shape) -> TokenStream {
    let name = shape.text();
    let of_fields = |fields: &[Field]| {
        let fields = fields.iter().map(|field| {
            let (name, was, as_record) = (&field.name, &field.was, as_record(shape, field));
            quote_spanned!(field.ty.span()=>
                __rt::Field { name: #name, schema: #as_record::SCHEMA, was: &[#(#was),*] })
        });
        quote!(&[#(#fields),*])
    };
    let schema = match &shape.body {
        Body::Struct(fields) => {
            let fields = of_fields(fields);
            quote!(&__rt::Schema::Struct { name: #name, fields: #fields })
        }
        Body::Enum(variants) => {
            let variants = variants.iter().map(|variant| {
                let (name, was, fields) = (variant.name.unraw().to_string(), &variant.was, of_fields(&variant.fields));
                quote!(__rt::Variant { name: #name, fields: #fields, was: &[#(#was),*] })
            });
            quote!(&__rt::Schema::Enum { name: #name, variants: &[#(#variants),*] })
        }
    };
    let schema = if shape.scalar { quote!(&__rt::Schema::Scalar(#schema)) } else { schema };
    match past(shape) {
        Some(past) => quote!(&__rt::Schema::Evolved(#schema, &#past)),
        None => schema,
    }
}

/// What the type says of the forms it had before; `None` if it says nothing.
fn past(shape: &Shape) -> Option<TokenStream> {
    let Shape { was, dropped, migrations, body, .. } = shape;
    let dropped = dropped.iter().map(|(variant, name)| quote!(__rt::Dropped { variant: #variant, name: #name }));
    let mut defaults = vec![];
    match body {
        Body::Struct(fields) => fields.iter().for_each(|field| defaults.extend(filled(shape, "", field))),
        Body::Enum(variants) => variants.iter().for_each(|variant| {
            let name = variant.name.unraw().to_string();
            variant.fields.iter().for_each(|field| defaults.extend(filled(shape, &name, field)));
        }),
    }
    if was.is_empty() && dropped.len() == 0 && defaults.is_empty() && migrations.is_empty() {
        return None;
    }
    let migrations = migrations.iter().map(|function| {
        quote_spanned!(function.span()=> __rt::Former {
            schema: __rt::former_schema(#function),
            convert: |former, out| __rt::migrate::<_, Self>(former, out, #function),
        })
    });
    Some(quote! {
        __rt::Past {
            was: &[#(#was),*], dropped: &[#(#dropped),*], defaults: &[#(#defaults),*], migrations: &[#(#migrations),*],
            owner: __rt::Owner::User,
        }
    })
}

/// What a field has where it was not stored.
fn filled(shape: &Shape, variant: &str, field: &Field) -> Option<TokenStream> {
    let added = field.added.as_ref()?;
    let (name, ty) = (&field.name, shape.owned(&field.ty));
    let value = match &added.value {
        Some(value) if is_plain(value) => {
            quote_spanned!(value.span()=> let value = __rt::AddedTo::<#ty>::added(#value);)
        }
        Some(value) => quote_spanned!(value.span()=> let value: #ty = #value;),
        None => quote_spanned!(added.at=> let value = <#ty as __rt::ByDefault>::by_default();),
    };
    let encode = quote_spanned!(field.ty.span()=> <#ty as __rt::Record>::encode(&value, out););
    Some(quote!(__rt::Filled { variant: #variant, field: #name, fill: |out| { #value #encode } }))
}

fn encode(shape: &Shape) -> TokenStream {
    let of_fields = |fields: &[Field]| -> TokenStream {
        let each = fields.iter().map(|field| {
            let (local, as_record) = (&field.local, as_record(shape, field));
            quote_spanned!(field.ty.span()=> #as_record::encode(#local, out);)
        });
        each.collect()
    };
    match &shape.body {
        Body::Struct(fields) => {
            let (pattern, encode) = (pattern(&quote!(Self), fields), of_fields(fields));
            quote!(let #pattern = self; #encode)
        }
        Body::Enum(variants) => {
            let arms = variants.iter().enumerate().map(|(i, variant)| {
                let index = index(variants, i);
                let (pattern, encode) = (pattern(&variant.path(), &variant.fields), of_fields(&variant.fields));
                quote!(#pattern => { ::std::vec::Vec::extend_from_slice(out, &#index.to_le_bytes()); #encode })
            });
            quote!(match self { #(#arms)* })
        }
    }
}

fn decode(shape: &Shape) -> TokenStream {
    let name = shape.text();
    // Braces name the fields by their members, also in tuple structs: `Self { 0: x0 }`.
    let of_fields = |path: TokenStream, prefix: &str, fields: &[Field]| {
        let each = fields.iter().map(|field| {
            let (member, as_record) = (&field.member, as_record(shape, field));
            let path = format!("{prefix}{}", field.name);
            quote_spanned!(field.ty.span()=>
            #member: match #as_record::decode(from) {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(error) => {
                    return ::core::result::Result::Err(__rt::CodecError::inside(error, #name, #path));
                }
            })
        });
        quote!(::core::result::Result::Ok(#path { #(#each),* }))
    };
    match &shape.body {
        Body::Struct(fields) => of_fields(quote!(Self), "", fields),
        Body::Enum(variants) => {
            let arms = variants.iter().enumerate().map(|(i, variant)| {
                let index = index(variants, i);
                let prefix = format!("{}.", variant.name.unraw());
                let value = of_fields(variant.path(), &prefix, &variant.fields);
                quote!(#index => #value,)
            });
            let integer = integer(variants);
            quote! {
                match ::core::primitive::#integer::from_le_bytes(__rt::Reader::array(from)?) {
                    #(#arms)*
                    #[allow(unreachable_patterns)]
                    other => ::core::result::Result::Err(
                        __rt::Reader::no_variant(from, #name, ::core::convert::Into::into(other))),
                }
            }
        }
    }
}

/// The integer that holds a variant's index.
fn integer(variants: &[Variant]) -> Ident {
    Ident::new(if variants.len() > 256 { "u16" } else { "u8" }, Span::call_site())
}

fn index(variants: &[Variant], i: usize) -> Literal {
    if variants.len() > 256 { Literal::u16_suffixed(i as u16) } else { Literal::u8_suffixed(i as u8) }
}

fn row(shape: &Shape, bound: &TokenStream) -> TokenStream {
    let (parameters, clause) = shape.any_impl(bound);
    let (_, arguments, _) = shape.generics.split_for_impl();
    let (name, owned_arguments) = (&shape.name, shape.owned_arguments());
    let store = if shape.borrows() { store(shape) } else { quote!(self) };
    quote! {
        #[automatically_derived]
        impl #parameters __rt::Row for #name #arguments #clause {
            type Stored = #name #owned_arguments;
            #[inline]
            fn store(self) -> <Self as __rt::Row>::Stored {
                #store
            }
        }
    }
}

/// Moves the fields that borrow nothing, and stores the others.
fn store(shape: &Shape) -> TokenStream {
    let owned = |fields: &[Field]| {
        let each = fields.iter().map(|field| {
            let (member, local, ty) = (&field.member, &field.local, &field.ty);
            let borrows = shape.owned(ty).to_string() != ty.to_token_stream().to_string();
            if borrows {
                let ty = at_its_start(ty.to_token_stream(), ty.span());
                quote_spanned!(ty.span()=> #member: <#ty as __rt::Row>::store(#local))
            } else {
                quote!(#member: #local)
            }
        });
        quote!({ #(#each),* })
    };
    let name = &shape.name;
    match &shape.body {
        Body::Struct(fields) => {
            let (pattern, owned) = (pattern(&quote!(Self), fields), owned(fields));
            quote!(let #pattern = self; #name #owned)
        }
        Body::Enum(variants) => {
            let arms = variants.iter().map(|variant| {
                let (pattern, owned) = (pattern(&variant.path(), &variant.fields), owned(&variant.fields));
                let variant = &variant.name;
                quote!(#pattern => #name::#variant #owned,)
            });
            quote!(match self { #(#arms)* })
        }
    }
}

/// The type's tokens, all located at its first: rustc then says of a field that is no row the same thing at the same
/// place twice, and shows it once.
fn at_its_start(ty: TokenStream, start: Span) -> TokenStream {
    let trees = ty.into_iter().map(|tree| match tree {
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), at_its_start(group.stream(), start));
            inner.set_span(group.span().located_at(start));
            TokenTree::Group(inner)
        }
        mut other => {
            other.set_span(other.span().located_at(start));
            other
        }
    });
    trees.collect()
}
