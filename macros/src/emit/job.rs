//! The items of a job: its struct, its results, its methods. They are there after every mistake, so that code that uses
//! the job does not break over it.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};

use super::code::paste;
use super::ident::{first, local, moved, named, place};
use super::{chain, edge, lock, meta, picture, resource, row, sink, uses};
use crate::lock::Lock;
use crate::lower::{Collected, Plan, collected};
use crate::model::Model;
use crate::syntax::Param;
use crate::syntax::literal::is_plain;
use crate::syntax::param::text;
use crate::syntax::units;

/// All items of one job; for an editor without the picture, which may be of another length once a word is whole.
pub(crate) fn job(plan: &Plan, locked: &Lock, root: &TokenStream, editor: bool) -> TokenStream {
    let model = plan.model;
    let collected = collected(model);
    let results = format_ident!("{}Results", model.name);
    let (structs, methods, implementation) = (
        structs(plan, &collected, &results, root, editor),
        methods(plan, locked, &collected, &results),
        job_trait(model, &collected),
    );
    let rows = row::row_types(model);
    let (statics, stored) = (meta::statics(plan), lock::items(plan, locked));
    let Model { name, lints, generics, .. } = model;
    let (declared, angles) = (generics.declared(&quote!(__rt)), generics.angles());
    let lost = uses::lost(model);
    quote! {
        #structs
        #lints
        #[allow(clippy::unused_unit, clippy::too_many_arguments)] // what `count()` needs of a row is nothing; one for each `collect()`
        const _: () = {
            use #root::__private as __rt;
            #lost
            const fn __micros(us: i64) -> __rt::TimeSpan {
                __rt::TimeSpan::from_micros(us)
            }
            #rows
            #statics
            #stored
            impl<#declared> #name #angles { #methods }
            #implementation
        };
    }
}

/// The struct of the params and the struct of the results.
fn structs(plan: &Plan, collected: &[Collected], results: &Ident, root: &TokenStream, editor: bool) -> TokenStream {
    let model = plan.model;
    let picture = if editor { TokenStream::new() } else { picture::attribute(plan) };
    let Model { attributes, visibility, name, generics, .. } = model;
    let rt = quote!(#root::__private);
    let declared = match generics.is_empty() {
        true => TokenStream::new(),
        false => {
            let declared = generics.declared(&rt);
            quote!(<#declared>)
        }
    };
    let of_rows = generics.given_in(collected.iter().map(|it| it.ty));
    let of_rows = if of_rows.is_empty() { of_rows } else { quote!(<#of_rows>) };
    let fields = model.params.iter().map(|Param { docs, name, ty, .. }| {
        // what is said of the field is said at its name
        let visibility = moved(visibility, name.span());
        quote!(#docs #visibility #name: #ty)
    });
    let about = format!("What a run of [`{name}`] gives back.");
    let rows = collected.iter().map(|Collected { name, ty }| {
        let about = format!("The rows that `{name}` collected, in no order between workers.");
        quote!(#[doc = #about] #visibility #name: ::std::vec::Vec<#ty>)
    });
    let (text, names) = (results.to_string(), collected.iter().map(|it| it.name));
    let labels = collected.iter().map(|it| it.name.to_string());
    let f = local("f", Span::mixed_site());
    // rows need not be `Debug`, and results must be for `unwrap_err` to work
    let debug = quote! {
        impl #of_rows ::core::fmt::Debug for #results #of_rows {
            fn fmt(&self, #f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Formatter::debug_struct(#f, #text)
                    #(.field(#labels, &::core::format_args!("{} rows", self.#names.len())))*
                    .finish_non_exhaustive()
            }
        }
    };
    quote! {
        #attributes
        #picture
        #visibility struct #name #declared { #(#fields),* }
        #[doc = #about]
        #visibility struct #results #of_rows {
            /// Records in and out, per operator, and how long it took.
            #visibility summary: #root::__private::Summary,
            #(#rows),*
        }
        #debug
    }
}

fn methods(plan: &Plan, locked: &Lock, collected: &[Collected], results: &Ident) -> TokenStream {
    let model = plan.model;
    let visibility = &model.visibility;
    let (backend, there) = (backend(model), backend_there(model));
    let handles: Vec<Ident> = collected.iter().map(|it| named("c_", it.name, "", it.name.span())).collect();
    let names = collected.iter().map(|it| it.name);
    let types: Vec<&TokenStream> = collected.iter().map(|it| it.ty).collect();
    let new = fresh(collected);
    let defaults = meta::run_defaults(model).map(|said| quote!(let config = __rt::defaults(config, &#said);));
    let resources = resource::resources(plan);
    let (shared, uses) = (edge::shared(plan), uses::uses(plan));
    let (sinks, chains) = (sink::sinks(plan), chain::chains(plan, locked));
    let (g, on) = (local("g", Span::mixed_site()), local("on", Span::mixed_site()));
    // the same hygiene as in the lets of params, which read its fields
    let me = local("self", Span::mixed_site());
    let job = local("job", Span::mixed_site());
    let of_rows = model.generics.given_in(collected.iter().map(|it| it.ty));
    let results_of = if of_rows.is_empty() { quote!(#results) } else { quote!(#results<#of_rows>) };
    let travels = model.params.iter().rev().fold(quote!(()), |rest, Param { ty, name, .. }| {
        let at = place(first(ty, name.span()));
        let one = quote_spanned!(at=> __rt::param(::core::marker::PhantomData::<#ty>));
        quote!((#one, #rest))
    });
    // where something is left out, so may be the only use of a param; rustc is not to complain of that too
    let fields = model.params.iter().map(|param| &param.name);
    let read = if model.is_whole() { TokenStream::new() } else { quote!(#(let _ = &#me.#fields;)*) };
    quote! {
        /// Runs the job as a program: reads the command line, and prints what happened.
        #visibility fn main() -> ::std::process::ExitCode {
            __rt::main::<Self>()
        }

        /// Runs the job to the end of its inputs.
        ///
        /// # Errors
        /// If a source, a sink or a closure fails; nothing is published then.
        #visibility fn run(self, config: __rt::Config) -> ::core::result::Result<#results_of, __rt::Error> {
            self.run_on::<#backend>(config)
        }

        /// Runs the job on another state backend.
        ///
        /// # Errors
        /// As [`run`](Self::run).
        #visibility fn run_on<B: __rt::Backend>(
            #me,
            config: __rt::Config,
        ) -> ::core::result::Result<#results_of, __rt::Error> {
            #(let #handles = #new;)*
            #defaults
            let #job = __rt::job(#travels, #me);
            let summary = {
                #(let #handles = ::core::clone::Clone::clone(&#handles);)*
                __rt::execute::<B>(&__JOB, config, move |#g| #job.__build::<B>(#g, #(&#handles),*))?
            };
            ::core::result::Result::Ok(#results { summary, #(#names: #handles.take()),* })
        }

        /// The chains and edges that the job would run as.
        ///
        /// # Errors
        /// If a source or a sink cannot be described.
        #visibility fn plan(&self, config: &__rt::Config) -> ::core::result::Result<__rt::Plan, __rt::Error> {
            __rt::plan::<#backend>(&__JOB, config, |#g| self.__build::<#backend>(#g, #(&#new),*))
        }

        /// Holds the stored state of every accepted version against today's code, as `cargo check` cannot: reads some values
        /// of each, which `lock --accept` has put beside the lock. For a test; nothing is run, so any params will do.
        ///
        /// # Errors
        /// If a value cannot be read any more, or the lock is not what was accepted last.
        #visibility fn check_lock(&self) -> ::core::result::Result<__rt::LockReport, __rt::Error> {
            __rt::check_lock(self)
        }

        fn __build<B: __rt::Backend>(&#me, #g: &mut __rt::Graph<'_>, #(#handles: &__rt::Collected<#types>),*) {
            let #on = __rt::on::<B>();
            let _ = #on;
            #there
            #read
            #resources
            #shared
            #uses
            #sinks
            #chains
        }
    }
}

fn backend(model: &Model) -> TokenStream {
    let backend = local(&model.backend.to_string(), model.backend.span());
    quote_spanned!(place(model.backend.span())=> __rt::#backend)
}

/// Says once, at the backend, that it takes a feature, if that is not there.
fn backend_there(model: &Model) -> TokenStream {
    match &*model.backend.to_string() {
        "RocksDb" => quote_spanned!(place(model.backend.span())=> __rt::needs_rocksdb! {}),
        _ => TokenStream::new(),
    }
}

/// Where rows would be collected, for a graph that is only looked at.
fn fresh(collected: &[Collected]) -> Vec<TokenStream> {
    let new = |it: &Collected| {
        let ty = it.ty;
        quote_spanned!(place(first(ty, Span::mixed_site()))=> __rt::Collected::<#ty>::new())
    };
    collected.iter().map(new).collect()
}

/// `impl __rt::Job`: what the binary needs.
fn job_trait(model: &Model, collected: &[Collected]) -> TokenStream {
    let Model { name, about, generics, .. } = model;
    let (declared, angles) = (generics.declared(&quote!(__rt)), generics.angles());
    let (backend, new) = (backend(model), fresh(collected));
    let (lock, g) = (lock::place_of(model), local("g", Span::mixed_site()));
    let text_of_name = name.to_string();
    let params = model.params.iter().map(param);
    let values = local("values", Span::mixed_site());
    let fields = model.params.iter().map(|it| field(it, &values));
    quote! {
        impl<#declared> __rt::Job for #name #angles {
            const NAME: &'static ::core::primitive::str = #text_of_name;
            const ABOUT: &'static ::core::primitive::str = #about;
            fn params() -> ::std::vec::Vec<__rt::Param> {
                ::std::vec![#(#params),*]
            }
            fn from_values(#values: &mut __rt::Values) -> ::core::result::Result<Self, __rt::Fault> {
                ::core::result::Result::Ok(#name { #(#fields),* })
            }
            fn run_job(self, config: __rt::Config) -> ::core::result::Result<__rt::Summary, __rt::Error> {
                let results = self.run(config)?;
                ::core::result::Result::Ok(results.summary)
            }
            const DEFAULTS: __rt::Defaults = __DEFAULTS;
            const KEEPS_FILES: ::core::primitive::bool = __rt::keeps_files::<#backend>();
            const LOCK: ::core::option::Option<__rt::LockPlace> = ::core::option::Option::Some(#lock);
            fn states_job(
                &self,
                config: &__rt::Config,
            ) -> ::core::result::Result<::std::vec::Vec<__rt::StateMeta>, __rt::Error> {
                __rt::states(config, |#g| self.__build::<#backend>(#g, #(&#new),*))
            }
            fn stored_job(
                &self,
                config: &__rt::Config,
            ) -> ::core::result::Result<::std::vec::Vec<__rt::StoredOperator>, __rt::Error> {
                __rt::stored(config, |#g| self.__build::<#backend>(#g, #(&#new),*))
            }
            fn plan_job(&self, config: &__rt::Config) -> ::core::result::Result<__rt::Plan, __rt::Error> {
                self.plan(config)
            }
        }
    }
}

fn param(param: &Param) -> TokenStream {
    let (name, help) = (flag(param), &param.help);
    let ty = text(param.inner.as_ref().unwrap_or(&param.ty));
    let default = match &param.default {
        None => quote!(::core::option::Option::None),
        Some(code) => {
            let shown = string(&code.tokens).unwrap_or_else(|| text(code));
            quote!(::core::option::Option::Some(#shown))
        }
    };
    let value = match param.default.as_ref().and_then(|code| literal(&code.tokens)) {
        None => quote!(::core::option::Option::None),
        Some(text) => quote!(::core::option::Option::Some(#text)),
    };
    let optional = param.inner.is_some();
    quote!(__rt::Param { name: #name, help: #help, ty: #ty, default: #default, value: #value, optional: #optional })
}

fn field(param: &Param, values: &Ident) -> TokenStream {
    let (field, name) = (&param.name, flag(param));
    let ty = param.inner.as_ref().unwrap_or(&param.ty);
    let here = place(first(ty, field.span()));
    // by autoref: a type that cannot be parsed fails only when it is given as a flag
    let parser = quote_spanned!(here=> {
        use __rt::{NoFlag as _, ParseFlag as _};
        (&__rt::Flag::<#ty>::new()).parser()
    });
    let value = match &param.default {
        _ if param.inner.is_some() => quote_spanned!(here=> #values.optional(#name, #parser)?),
        None => quote_spanned!(here=> #values.required(#name, #parser)?),
        Some(code) if param.is_secret() => {
            let place = string(&code.tokens);
            quote_spanned!(here=> #values.or_named(#name, #parser, #place)?)
        }
        Some(code) => {
            let default_at = first(&code.tokens, field.span());
            let (at, default) = (place(default_at), paste(code));
            let default = match string(&code.tokens) {
                Some(_) => {
                    let gate = Ident::new("from_text", default_at);
                    quote_spanned!(default_at=> __rt::FromText::#gate(#default))
                }
                // an expression may need its type to be known
                None if is_plain(&code.tokens) => {
                    let gate = Ident::new("default", default_at);
                    quote_spanned!(default_at=> __rt::DefaultOf::<#ty>::#gate(#default))
                }
                None => default,
            };
            quote_spanned!(at=> #values.or(#name, #parser, || #default)?)
        }
    };
    quote!(#field: #value)
}

/// A param's name as a flag: `r#type` is `--type`.
fn flag(param: &Param) -> String {
    param.name.to_string().trim_start_matches("r#").to_string()
}

/// The text of a default as a flag would say it, if it is a value by itself: `-1_000` as `-1000`, `24h`, `true`, the inside of a string.
fn literal(tokens: &TokenStream) -> Option<String> {
    if let Some(text) = string(tokens) {
        return Some(text);
    }
    let mut tokens = tokens.clone().into_iter().peekable();
    let minus = tokens.next_if(|t| matches!(t, TokenTree::Punct(p) if p.as_char() == '-')).is_some();
    let (one, None) = (tokens.next()?, tokens.next()) else { return None };
    match one {
        TokenTree::Ident(word) if !minus && (word == "true" || word == "false") => Some(word.to_string()),
        TokenTree::Literal(number) => {
            let text = number.to_string().replace('_', "");
            let number = !text.ends_with('.') && text.chars().all(|c| c.is_ascii_digit() || c == '.');
            let span = match units::read(&text) {
                Some(units::Amount::Bytes(bytes)) => return Some(format!("{}{bytes}", if minus { "-" } else { "" })),
                read => matches!(read, Some(units::Amount::Micros(_))),
            };
            (number || span).then(|| if minus { format!("-{text}") } else { text })
        }
        _ => None,
    }
}

/// The value of a default that is a string.
fn string(tokens: &TokenStream) -> Option<String> {
    syn::parse2::<syn::LitStr>(tokens.clone()).ok().map(|literal| literal.value())
}
