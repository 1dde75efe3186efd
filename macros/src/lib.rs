//! The macros of Pelton. This file only converts tokens; `pipeline` shows the phases of `stream!`. The crate knows the
//! runtime by name alone: what it emits calls `__private`, which the facade of the runtime hands over.

mod catalog;
mod check;
mod derive;
mod diag;
mod emit;
mod lock;
mod lower;
mod model;
mod pipeline;
mod syntax;
#[cfg(test)]
mod tests;

/// What `pelton::stream!` becomes; the facade puts the runtime's path in front of the block.
#[doc(hidden)]
#[proc_macro]
pub fn __stream(block: proc_macro::TokenStream) -> proc_macro::TokenStream {
    pipeline::expand(block.into()).into()
}

/// Makes a type one that can be kept in state and sent between workers: it gets a byte form and a schema
/// (`pelton::Record`), and can be a row of a stream (`pelton::Row`).
///
/// Works for structs and enums, also generic ones: each type parameter must be a `Record` itself. A struct that borrows
/// holds `Cow<'a, str>` (or another row that borrows), not `&'a str`; it is kept as itself with `'static`.
///
/// - `#[was(old_name)]` on a field or variant, or on the type: a name it had before, so that what was stored under that
///   name is found. Several are separated by commas.
/// - `#[added]` or `#[added(expression)]` on a field: what it has where it was not stored, the default of its type or the
///   expression's value. (`#[default]` on a field is a mistake to `#[derive(Default)]`.)
/// - `#[dropped(name, ..)]` on the type, or on a variant: fields it has no more, whose stored values may go; on an enum also
///   variants, of which no value may be stored any more.
/// - `#[record(migrate = function)]` on the type: makes it out of a former type, a record too, of exactly the fields that
///   were stored: `fn(Former) -> Self`. It may stand there more than once.
/// - `#[record(scalar)]` on the type: serde writes it as one value (a number, a text), whatever it is made of, so it
///   may be a column of a table.
/// - `#[record(crate = some::path)]` on the type: where Pelton is, if not at `::pelton`.
#[proc_macro_derive(Record, attributes(record, was, added, dropped))]
pub fn derive_record(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive::record(input.into()).into()
}

/// Makes a record one that can key a stream (`pelton::Key`). It needs `Record`, `Clone`, `PartialEq` and `Eq` too.
///
/// The hash that decides which worker owns a key is made of the fields in their order, and of a variant's name: it is
/// the same on every machine and in every build, and changes when fields are reordered or variants renamed. A float
/// cannot be part of a key.
#[proc_macro_derive(Key, attributes(record))]
pub fn derive_key(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive::key(input.into()).into()
}
