//! What both sides of an edge share, and the operator behind it.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::code::{body_span, copied, length, number, paste, paste_lent, paste_moved, scoped, through, through_with};
use super::ident::{first, local, named, place};
use super::meta::edge_name;
use super::process;
use super::timing::timing;
use super::words;
use crate::catalog::Need;
use crate::lower::{Edge, Operator, Plan};
use crate::syntax::code::mentions;
use crate::syntax::{Aggregate, Code, Emit, Fields, Life, Part, Ready};

/// The lets in front of the chains: windows, aggregators, edges.
pub(crate) fn shared(plan: &Plan) -> TokenStream {
    plan.edges.iter().filter(|edge| edge.producers > 0).map(|edge| one(plan, edge)).collect()
}

fn one(plan: &Plan, edge: &Edge) -> TokenStream {
    let at = edge.at.span();
    let here = place(at);
    let mut tokens = TokenStream::new();
    let (window, g) = (named("w_", edge.stream, "", at), local("g", at));
    if let Operator::Window { window: it, .. } = &edge.operator {
        let zero = || quote_spanned!(here=> __rt::TimeSpan::ZERO);
        let size = length(&it.size, "tumbling", 1000, true);
        let offset = it.offset.as_ref().map_or_else(zero, |offset| length(offset, "offset", 0, true));
        let late = it.allow_late.as_ref().map_or_else(zero, |(_, late)| length(late, "allow_late", 0, true));
        let refire = it.refire.is_some();
        tokens.extend(quote_spanned! {here=>
            let #window = { let size = #size; let offset = #offset; let late = #late; __rt::tumbling(#g, size, offset, late, #refire) };
        });
    }
    let how = how_name(edge, at);
    if let Some(aggregate) = edge.operator.front() {
        let types = how_types(plan, aggregate);
        tokens.extend(quote_spanned!(here=> let #how = __rt::shared(#types);));
    }
    let (out, inside, meta) = (out_name(edge, 0, at), in_name(edge, at), edge_name(edge));
    let time = timing(plan.model, &edge.timing, at);
    tokens.extend(match (&edge.operator, edge.combined) {
        (Operator::Exchange(_), _) => {
            quote_spanned!(here=> let (#out, #inside) = __rt::spread_edge::<_, #time>(#g, &#meta);)
        }
        (Operator::Union, _) => {
            quote_spanned!(here=> let (#out, #inside) = __rt::local_edge::<_, #time>(#g, &#meta);)
        }
        (operator, true) => {
            let combine = match operator {
                Operator::Window { .. } => quote_spanned!(here=> __rt::combine_windows(&#window, &#how)),
                _ => quote_spanned!(here=> __rt::combine_totals(&#how)),
            };
            quote_spanned!(here=> let (#out, #inside) = __rt::combined_edge::<_, _, #time, _>(#g, &#meta, #combine);)
        }
        (_, false) => {
            quote_spanned!(here=> let (#out, #inside) = __rt::keyed_edge::<_, _, #time, _>(#g, &#meta);)
        }
    });
    for producer in 1..edge.producers {
        let more = out_name(edge, producer, at);
        tokens.extend(quote_spanned!(here=> let #more = #out.again();));
    }
    tokens
}

pub(crate) fn how_name(edge: &Edge, at: Span) -> Ident {
    named("how_", edge.stream, "", at)
}

/// The sending end as one of its producers holds it.
pub(crate) fn out_name(edge: &Edge, producer: usize, at: Span) -> Ident {
    let behind = if producer == 0 { String::new() } else { format!("__{producer}") };
    named("e_", edge.stream, &format!("{}_out{behind}", edge.suffix), at)
}

pub(crate) fn in_name(edge: &Edge, at: Span) -> Ident {
    named("e_", edge.stream, &format!("{}_in", edge.suffix), at)
}

/// `(__rt::Count, __rt::Sum, TheirOwn)`.
pub(crate) fn how_types(plan: &Plan, how: &Aggregate) -> TokenStream {
    let parts = how.parts.iter().map(|part| match part {
        Part::Word(ready) => {
            let at = ready.name.span();
            let ty = local(ready.word.runtime, at);
            match &ready.first {
                None => quote_spanned!(place(at)=> __rt::#ty),
                Some(first) => {
                    let (g, value) = (local("g", at), scoped(&plan.model.seen(), [first], paste(first)));
                    let (made, of) = (local("first", at), ready.word.of_first(place(at)));
                    // bound, so that rustc does not show the function
                    quote_spanned!(place(at)=> { let #made #of = #value; __rt::#ty(#g, #made) })
                }
            }
        }
        Part::Own(code) => {
            let at = place(first(&code.tokens, Span::mixed_site()));
            let own = scoped(&plan.model.seen(), [code], paste(code));
            let words = words::nearly_called(code);
            let own = if words.is_empty() { own } else { quote_spanned!(at=> { #words #own }) };
            quote_spanned!(at=> __rt::own(#own))
        }
    });
    let parts = tuple(how, parts);
    let Some(Fields { names, .. }) = &how.fields else { return parts };
    let at = first(&how.at, Span::mixed_site());
    let (here, ty) = (place(at), local("__Fields", at));
    let names = names.iter().map(|name| name.to_string().trim_start_matches("r#").to_string());
    quote_spanned! {here=> {
        struct #ty;
        impl __rt::FieldNames for #ty {
            const NAMES: &'static [&'static ::core::primitive::str] = &[#(#names),*];
        }
        __rt::named(::core::marker::PhantomData::<#ty>, #parts)
    }}
}

/// The closure that puts the results of a struct's parts into it.
pub(crate) fn build(Fields { path, names }: &Fields) -> TokenStream {
    let at = first(path, Span::mixed_site());
    let locals = |of: &str| -> Vec<Ident> {
        names.iter().enumerate().map(|(n, name)| local(&format!("{of}{n}"), name.span())).collect()
    };
    let (values, fields) = (locals("v"), locals("f"));
    let types = names.iter().enumerate().map(|(n, name)| Ident::new(&format!("__w{n}"), name.span()));
    let types: Vec<Ident> = types.collect();
    // the user's own hygiene, in which rustc looks for fields with a near name
    let mut built = Group::new(Delimiter::Brace, quote!(#(#names: #fields),*));
    built.set_span(at);
    let (here, make) = (place(at), local("make", at));
    let open = types.iter().map(|ty| quote_spanned!(place(ty.span())=> let #ty = __rt::field();));
    let same = types.iter().zip(&fields);
    let same = same.map(|(ty, field)| quote_spanned!(place(ty.span())=> __rt::is_field(&#ty, &#field);));
    let given = types.iter().zip(&values);
    let given = given.map(|(ty, value)| through_with("FieldOf::given", value, &quote!(, #ty), ty.span()));
    // What the fields are is known before they are given anything: a word that gives something else is told by a gate.
    quote_spanned! {here=>
        |(#(#values,)*)| {
            #(#open)*
            let #make = |#(#fields),*| { #(#same)* #path #built };
            #make(#(#given),*)
        }
    }
}

/// Parts as they are written: one alone is no tuple.
pub(crate) fn tuple(how: &Aggregate, parts: impl Iterator<Item = TokenStream>) -> TokenStream {
    if !how.tuple {
        return parts.collect();
    }
    let at = first(&how.at, Span::mixed_site());
    quote_spanned!(place(at)=> (#(#parts,)*))
}

/// The operator behind the edge: lets, and the name it is bound to.
pub(crate) fn operator(plan: &Plan, edge: &Edge) -> (TokenStream, Ident) {
    let at = edge.at.span();
    let here = place(at);
    let (inside, op) = (in_name(edge, at), local("op", at));
    let code = |code: &Code| scoped(&plan.model.seen(), [code], paste_moved(code));
    let bind = |call: &str, arguments: TokenStream, life: &Life, emit: &Emit| {
        let (ending, every) = match emit {
            Emit::Each => ("each", None),
            Emit::Every(span) => ("every", Some(length(span, "emit every", 1, false))),
            Emit::AtEnd => ("at_end", None),
        };
        let (call, life) = (local(&format!("{call}_{ending}"), at), process::life(life, at));
        let on = local("on", at);
        let every = every.map(|span| quote_spanned!(here=> , #span));
        quote_spanned!(here=> let #op = __rt::#call(#on, #arguments, #life #every);)
    };
    let tokens = match &edge.operator {
        Operator::Union | Operator::Exchange(_) => quote_spanned!(here=> let #op = __rt::relay();),
        Operator::Reduce { with, emit, life } => {
            let with = code(with);
            bind("reduce", quote_spanned!(here=> &#inside, #with), life, emit)
        }
        Operator::Fold { start, with, emit, life } => {
            let (start, with) = (fold_start(plan, start, at), code(with));
            bind("fold", quote_spanned!(here=> &#inside, #start, #with), life, emit)
        }
        Operator::Aggregate { emit, life, .. } => {
            let how = how_name(edge, at);
            bind("aggregate", quote_spanned!(here=> #how), life, emit)
        }
        Operator::Process { process, .. } => process::operator(plan, edge, process, &op),
        Operator::Window { how, .. } => {
            let window = named("w_", edge.stream, "", at);
            let name = how_name(edge, at);
            let behind = edge.operator.front().is_none().then(|| behind(plan, how, &inside, &name));
            let on = local("on", at);
            quote_spanned!(here=> #behind let #op = __rt::window(#on, #window, #name);)
        }
    };
    (tokens, op)
}

/// A fold's start is made anew for each key.
fn fold_start(plan: &Plan, start: &Code, at: Span) -> TokenStream {
    let params = super::code::params(&plan.model.seen(), [start]);
    let at = first(&start.tokens, at);
    let here = place(at);
    let start = copied("GivenOut::checked", through("CanFold::checked", paste(start), at), at);
    if params.is_empty() {
        return quote_spanned!(here=> move || #start);
    }
    // the closure is called more than once and must not give its params away
    let again: TokenStream = plan
        .model
        .seen()
        .iter()
        .filter(|it| mentions(start.clone(), it.name.to_string().trim_start_matches("r#")))
        .map(|it| {
            let name = it.name;
            quote_spanned!(place(name.span())=> let #name = ::core::clone::Clone::clone(&#name); let _ = &#name;)
        })
        .collect();
    quote_spanned!(here=> { #params move || { #again #start } })
}

/// An aggregate of whole rows: its closures are applied behind the edge.
fn behind(plan: &Plan, how: &Aggregate, inside: &Ident, name: &Ident) -> TokenStream {
    let at = first(&how.at, name.span());
    let (types, part) = over(plan, how, at);
    let (inside, name) = (local(&inside.to_string(), at), local(&name.to_string(), at));
    let lets = super::code::params(&plan.model.seen(), how.words());
    quote_spanned!(place(at)=> let #name = { #lets __rt::over(&#inside, #types, #part) };)
}

/// The words of an aggregate of whole rows, and the closure that takes of a row what they need.
pub(crate) fn over(plan: &Plan, how: &Aggregate, at: Span) -> (TokenStream, TokenStream) {
    let here = place(at);
    let types = how_types(plan, how);
    let x = local("x", at);
    let parts = how.parts.iter().enumerate().map(|(n, part)| {
        let at = part_span(part, at);
        let (x, words) = (local("x", at), local("words", at));
        let kept = through("CanStore::store", copied("Share::share", &x, at), at);
        let time = local("t0", at);
        match part {
            Part::Word(ready) => word_value(ready, Taken { look: quote!(#x), kept, time: quote!(#time) }),
            Part::Own(_) => fits(how, n, kept, quote!(#words), at),
        }
    });
    let (value, words, time) = (tuple(how, parts), local("words", at), local("t0", at));
    (types, quote_spanned!(here=> move |#words, #x, #time| { let _ = (#words, #time); #value }))
}

/// Where a part of an aggregate stands.
pub(crate) fn part_span(part: &Part, otherwise: Span) -> Span {
    match part {
        Part::Word(ready) => ready.name.span(),
        Part::Own(code) => first(&code.tokens, otherwise),
    }
}

/// A row as a ready-made word takes it.
pub(crate) struct Taken {
    /// As its closure sees it.
    pub(crate) look: TokenStream,
    /// To keep.
    pub(crate) kept: TokenStream,
    /// Its event time.
    pub(crate) time: TokenStream,
}

/// What a ready-made word needs of a row.
pub(crate) fn word_value(ready: &Ready, Taken { look, kept, time }: Taken) -> TokenStream {
    let (at, need) = (ready.name.span(), ready.word.need);
    let here = place(at);
    // a value of the row, behind its gate
    let value = |closure: &Code, gates: &[&str], pasted: TokenStream| {
        let body = body_span(closure, at);
        let value = local("v", at);
        let made = quote_spanned!(here=> let #value = __rt::call(#look, #pasted););
        let value = local("v", body);
        let value = gates.iter().fold(quote!(#value), |value, gate| match *gate {
            "GivenOut::checked" => copied(gate, value, body),
            _ => through(gate, value, body),
        });
        quote_spanned!(here=> { #made #value })
    };
    let gate = ready.word.gate;
    match (need, &ready.of) {
        (Need::InOrder, of) => {
            let tie = match &ready.tie {
                Some(tie) => value(tie, &["CanCompare::checked"], paste(tie)),
                None => quote_spanned!(here=> ()),
            };
            let value = match of {
                Some(of) => value(of, &["CanStore::store", "GivenOut::checked"], paste_lent(of)),
                None => copied("GivenOut::checked", kept, at),
            };
            quote_spanned!(here=> (#time, #tie, #value))
        }
        (Need::ValueAndRow, Some(of)) => {
            let value = value(of, &[gate], paste(of));
            let kept = copied("GivenOut::checked", kept, at);
            quote_spanned!(here=> (#value, #kept))
        }
        (Need::Lent, Some(of)) => value(of, &[gate], paste_lent(of)),
        (_, Some(of)) => value(of, &[gate], paste(of)),
        (_, None) => quote_spanned!(here=> ()),
    }
}

/// A row for an aggregator of the user's, through the gate that asks whether it fits; `how` is what all parts are in.
pub(crate) fn fits(how: &Aggregate, part: usize, row: TokenStream, whole: TokenStream, at: Span) -> TokenStream {
    let part = how.tuple.then(|| {
        let part = number(part, at);
        quote_spanned!(place(at)=> .#part)
    });
    quote_spanned!(place(at)=> __rt::fits(#row, &#whole #part))
}
