//! Writes the impls of `Key`, `KeyLike` and `KeyHash`.
//!
//! The hash goes through the fields in their order; an enum's begins with the name of the variant, so that a variant
//! added or moved leaves the others' hashes, and with them the state on disk, where they are.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::shape::{Body, Field, Shape, pattern};

pub(super) fn write(shape: &Shape) -> TokenStream {
    let bound = quote! {
        __rt::Record + __rt::KeyHash + ::core::cmp::Eq + ::core::clone::Clone
    };
    let (parameters, clause) = shape.owned_impl(&bound);
    let (name, arguments) = (&shape.name, shape.owned_arguments());
    let hash = hash(shape);
    // With it the rest is asked for where the key is used: in one message, not in one for each derive that is missing.
    let itself = quote_spanned!(name.span()=> for<'beside> #name #arguments: __rt::BesideKey<'beside>);
    let with_itself = if clause.is_empty() { quote!(where #itself) } else { quote!(#clause #itself) };
    quote! {
        #[automatically_derived]
        impl #parameters __rt::KeyHash for #name #arguments #clause {
            #[inline]
            fn key_hash(&self, state: ::core::primitive::u64) -> ::core::primitive::u64 {
                #hash
            }
        }
        #[automatically_derived]
        impl #parameters __rt::Key for #name #arguments #with_itself {
            type Ref<'key> = &'key Self;
            type Column = ::std::vec::Vec<Self>;
            type Kept = Self;
            #[inline]
            fn view(&self) -> &Self {
                self
            }
            #[inline]
            fn hash(key: &Self) -> ::core::primitive::u64 {
                __rt::KeyHash::key_hash(key, 0)
            }
            #[inline]
            fn same(&self, key: &Self) -> ::core::primitive::bool {
                ::core::cmp::PartialEq::eq(self, key)
            }
            #[inline]
            fn own(key: &Self) -> Self {
                ::core::clone::Clone::clone(key)
            }
        }
        #[automatically_derived]
        impl #parameters __rt::DerivedKey for #name #arguments #with_itself {}
        #[automatically_derived]
        impl #parameters __rt::KeyLike for #name #arguments #with_itself {
            type Owned = Self;
            #[inline]
            fn view(&self) -> &Self {
                self
            }
        }
    }
}

fn hash(shape: &Shape) -> TokenStream {
    let of_fields = |fields: &[Field]| -> TokenStream {
        let each = fields.iter().map(|field| {
            let (local, ty) = (&field.local, shape.owned(&field.ty));
            // Spanned at the type: a float is refused where it stands.
            quote_spanned!(field.ty.span()=> let state = <#ty as __rt::KeyHash>::key_hash(#local, state);)
        });
        each.collect()
    };
    match &shape.body {
        Body::Struct(fields) => {
            let (pattern, hash) = (pattern(&quote!(Self), fields), of_fields(fields));
            quote!(let #pattern = self; #hash state)
        }
        Body::Enum(variants) => {
            let arms = variants.iter().map(|variant| {
                let (path, name) = (variant.path(), variant.name.unraw().to_string());
                let (pattern, hash) = (pattern(&path, &variant.fields), of_fields(&variant.fields));
                quote!(#pattern => { let state = <::core::primitive::str as __rt::KeyHash>::key_hash(#name, state); #hash state })
            });
            quote!(match self { #(#arms)* })
        }
    }
}
