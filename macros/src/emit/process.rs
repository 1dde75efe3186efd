//! A `process` as Rust: its states, timers and outputs, a pattern that its handlers are checked against, and the handlers, each
//! a closure of its own with the user's body in it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::code::{length, number, params, paste, paste_moved, scoped, through_type};
use super::edge::{build, how_types, in_name, over};
use super::ident::{first, local, place};
use crate::lower::{Edge, Plan};
use crate::syntax::process::{Handler, Kind, On, Process, State};
use crate::syntax::{Length, Life, Part};

/// Lets, the last of which binds `op`.
pub(crate) fn operator(plan: &Plan, edge: &Edge, process: &Process, op: &Ident) -> TokenStream {
    let at = edge.at.span();
    let here = place(at);
    let inside = in_name(edge, at);
    let (states, outputs, pattern) = (local("states", at), local("outputs", at), local("pattern", at));
    let on = local("on", at);
    let declared = process.states.iter().enumerate().map(|(n, it)| state(plan, n, it));
    let (gone, end) = gone(plan, edge, at);
    let declared = declared.rev().fold(end, |rest, one| quote_spanned!(here=> (#one, #rest)));
    let sides = process.outputs.iter().map(|output| {
        let (ty, at) = (&output.ty, place(first(&output.ty, output.name.span())));
        quote_spanned!(at=> __rt::output::<#ty>())
    });
    let sides = pairs(at, sides);
    let names = process.states.iter().enumerate().map(|(n, it)| name_type("__State", n, &it.name, &it.was));
    let names =
        names.chain(process.timers.iter().enumerate().map(|(n, it)| name_type("__Timer", n, &it.name, &it.was)));
    let silent = (!process.emits()).then(|| quote_spanned!(here=> __rt::emits_nothing(&#pattern);));
    let (event, timers, end) = (local("on_event", at), local("on_timer", at), local("on_end", at));
    // One after the other: what the first emits is known to the others.
    let mut lets = TokenStream::new();
    if let Some(it) = process.handlers.iter().find(|it| it.what == On::Event) {
        let handler = handler(plan, process, it, &pattern);
        lets.extend(quote_spanned!(here=> #[allow(unused_braces)] let #event = #handler;));
    }
    let each: Vec<TokenStream> = process
        .timers
        .iter()
        .enumerate()
        .filter_map(|(n, timer)| {
            let it = process.handlers.iter().find(|it| matches!(&it.what, On::Timer(name) if *name == timer.name))?;
            let (name, handler) = (local(&format!("on_timer{n}"), at), handler(plan, process, it, &pattern));
            lets.extend(quote_spanned!(here=> #[allow(unused_braces)] let #name = #handler;));
            Some(quote!(#name))
        })
        .collect();
    let each = pairs(at, each.into_iter());
    let last = match process.handlers.iter().find(|it| it.what == On::End) {
        Some(it) => handler(plan, process, it, &pattern),
        None => quote_spanned!(here=> ()),
    };
    let by = process.timers.iter().map(|timer| {
        let (here, by) = (place(timer.name.span()), if timer.by == "event_time" { "Events" } else { "Clock" });
        let by = Ident::new(by, here);
        quote_spanned!(here=> __rt::By::#by)
    });
    let alarms = if process.timers.is_empty() && process.in_order.is_none() {
        quote_spanned!(here=> __rt::no_timers())
    } else {
        let types = process.timers.iter().enumerate().map(|(n, it)| {
            let name = local(&format!("__Timer{n}"), it.name.span());
            quote!(#name)
        });
        let (types, many) = (pairs(at, types), number(process.timers.len(), at));
        quote_spanned!(here=> __rt::timers::<_, #many>(#types))
    };
    let waits = match &process.in_order {
        Some(word) => quote_spanned!(place(word.span())=> __rt::in_order(&#inside)),
        None => quote_spanned!(here=> __rt::as_they_come()),
    };
    quote_spanned! {here=>
        #(#names)*
        #gone
        let #states = #declared;
        let #outputs = #sides;
        let #pattern = __rt::pattern(&#inside, &#states, &#outputs);
        #silent
        #lets
        let #timers = #each;
        #[allow(unused_braces)]
        let #end = #last;
        let #op = __rt::process(
            #on, #pattern, #states, #outputs, const { &[#(#by),*] }, #alarms, #waits, #event, #timers, #end,
        );
    }
}

/// `(a, (b, (c, ())))`.
fn pairs(at: Span, all: impl DoubleEndedIterator<Item = TokenStream>) -> TokenStream {
    let here = place(at);
    all.rev().fold(quote_spanned!(here=> ()), |rest, one| quote_spanned!(here=> (#one, #rest)))
}

/// What stands at the end of the states: nothing, or the names of those that are said to be dropped.
fn gone(plan: &Plan, edge: &Edge, at: Span) -> (TokenStream, TokenStream) {
    let here = place(at);
    let of_this = plan
        .model
        .stored
        .dropped
        .iter()
        .filter(|dropped| dropped.inside.is_empty() && dropped.operator == *edge.stream);
    let names = of_this.filter_map(|dropped| Some(dropped.state.as_ref()?.to_string()));
    let names: Vec<String> = names.map(|name| name.trim_start_matches("r#").to_string()).collect();
    if names.is_empty() {
        return (TokenStream::new(), quote_spanned!(here=> ()));
    }
    let ty = local("__Gone", at);
    let item = quote_spanned! {here=>
        struct #ty;
        impl __rt::GoneNames for #ty {
            const NAMES: &'static [__rt::Dropped] = &[#(__rt::Dropped { variant: "", name: #names }),*];
        }
    };
    (item, quote_spanned!(here=> __rt::Gone::new(#ty)))
}

/// A type that has the name of a state or a timer: what is kept of it is found by that.
fn name_type(kind: &str, n: usize, name: &Ident, was: &[Ident]) -> TokenStream {
    let (at, text) = (name.span(), |name: &Ident| name.to_string().trim_start_matches("r#").to_owned());
    let (ty, name, was) = (local(&format!("{kind}{n}"), at), text(name), was.iter().map(text));
    quote_spanned! {place(at)=>
        struct #ty;
        impl __rt::StateName for #ty {
            const NAME: &'static ::core::primitive::str = #name;
            const WAS: &'static [&'static ::core::primitive::str] = &[#(#was),*];
        }
    }
}

/// How long something lives.
pub(crate) fn life(life: &Life, at: Span) -> TokenStream {
    match &life.ttl {
        Some((word, length_of)) => {
            let (here, g, it) = (place(word.span()), local("g", word.span()), length(length_of, "ttl", 1, false));
            match length_of {
                Length::Literal { .. } => quote_spanned!(here=> __rt::ttl(#g, #it)),
                Length::Param(_) => quote_spanned!(here=> { let ttl = #it; __rt::ttl(#g, ttl) }),
            }
        }
        // the lack of both is reported
        None => quote_spanned!(place(at)=> __rt::unbounded()),
    }
}

fn state(plan: &Plan, n: usize, state: &State) -> TokenStream {
    let at = state.name.span();
    let (here, name, life) = (place(at), local(&format!("__State{n}"), at), life(&state.life, at));
    let kept = |ty: &TokenStream| through_type("CanKeep", "kept", ty, first(ty, at));
    let made = match &state.kind {
        Kind::Value(ty) => {
            let ty = kept(ty);
            quote_spanned!(here=> __rt::value_state(#ty, #life))
        }
        Kind::List(ty) => {
            let ty = kept(ty);
            quote_spanned!(here=> __rt::list_state(#ty, #life))
        }
        Kind::Map(key, value) => {
            let (key, value) = (through_type("CanKeyMap", "kept_key", key, first(key, at)), kept(value));
            quote_spanned!(here=> __rt::map_state(#key, #value, #life))
        }
        Kind::Reducing(ty, how) => {
            let (ty, how) = (kept(ty), scoped(&plan.model.seen(), [how], paste_moved(how)));
            quote_spanned!(here=> __rt::reducing_state(#ty, #life, #how))
        }
        Kind::Aggregating(ty, how) => {
            let taken = quote_spanned!(place(first(ty, at))=> __rt::taken::<#ty>());
            if let (true, [Part::Own(_)]) = (how.is_own(), &how.parts[..]) {
                let own = how_types(plan, how);
                quote_spanned!(here=> __rt::aggregating_own(#taken, #life, #own))
            } else {
                let (words, part) = over(plan, how, at);
                let lets = params(&plan.model.seen(), how.words());
                match &how.fields {
                    Some(fields) => {
                        let build = build(fields);
                        quote_spanned!(here=> { #lets __rt::aggregating_fields(#taken, #life, #words, #part, #build) })
                    }
                    None => quote_spanned!(here=> { #lets __rt::aggregating_state(#taken, #life, #words, #part) }),
                }
            }
        }
    };
    quote_spanned!(here=> __rt::declared_state(#name, #made))
}

/// A handler, behind its gate.
fn handler(plan: &Plan, process: &Process, it: &Handler, pattern: &Ident) -> TokenStream {
    let at = it.word.span();
    let here = place(at);
    let pattern = local(&pattern.to_string(), at);
    let (h, rest) = (local("h", at), local("rest", at));
    // What is declared, under the names that the user gave; not every handler uses all of it.
    let mut opened = quote_spanned!(here=> let (#h, #rest) = #h;);
    let open = |names: Vec<&Ident>, from: &Ident| {
        let mut lets = TokenStream::new();
        for name in names {
            let (at, one) = (place(name.span()), local("one", at));
            lets.extend(quote_spanned! {at=>
                let (#one, #from) = #from;
                #[allow(unused_variables, unused_mut)]
                let mut #name = #one;
            });
        }
        lets.extend(quote_spanned!(here=> let () = #from;));
        lets
    };
    opened.extend(open(process.states.iter().map(|state| &state.name).collect(), &h));
    opened.extend(open(process.outputs.iter().map(|output| &output.name).collect(), &rest));
    for (n, timer) in process.timers.iter().enumerate() {
        let (at, name, n) = (place(timer.name.span()), &timer.name, number(n, timer.name.span()));
        let by = Ident::new(if timer.by == "event_time" { "EventTime" } else { "ProcessingTime" }, at);
        opened.extend(quote_spanned! {at=>
            #[allow(unused_variables)]
            let #name = __rt::Timer::<__rt::#by>::number(#n);
        });
    }
    let (argument, cx, body) = (&it.argument, &it.cx, paste(&it.body));
    let quiet = quote_spanned!(here=> #[allow(unused_variables)]);
    let (gate, arguments) = match &it.what {
        On::Event => ("on_event", quote!(#argument, #h, #quiet #cx)),
        On::Timer(_) => ("on_timer", quote!(#quiet #argument, #h, #quiet #cx)),
        On::End => ("on_end", quote!(#h, #quiet #cx)),
    };
    let gate = Ident::new(gate, here);
    let (gives, done) = match it.may_fail() {
        true => (quote_spanned!(here=> __rt::Done), quote_spanned!(here=> ::core::result::Result::Ok(()))),
        false => (quote_spanned!(here=> ()), TokenStream::new()),
    };
    let closure = quote_spanned!(here=> move |#arguments| -> #gives { #opened #body #done });
    let call = quote_spanned!(here=> __rt::#gate(&#pattern, #closure));
    scoped(&plan.model.seen(), [&it.body], call)
}
