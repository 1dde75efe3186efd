//! The macros of Pelton. This file converts tokens and holds the users' documentation; the work is done in the modules.

mod derive;

use proc_macro::TokenStream;

/// Makes a type one that can be kept in state and sent between workers: it gets a byte form and a schema
/// (`pelton::Record`), and can be a row of a stream (`pelton::Row`).
///
/// Works for structs and enums, also generic ones: each type parameter must be a `Record` itself. A struct that borrows
/// holds `Cow<'a, str>` (or another row that borrows), not `&'a str`; it is kept as itself with `'static`.
///
/// - `#[was(old_name)]` on a field or variant: a name it had before, so that what was stored under that name is found.
///   Several are separated by commas.
/// - `#[record(scalar)]` on the type: serde writes it as one value (a number, a text), whatever it is made of, so it
///   may be a column of a table.
/// - `#[record(crate = some::path)]` on the type: where Pelton is, if not at `::pelton`.
#[proc_macro_derive(Record, attributes(record, was))]
pub fn derive_record(input: TokenStream) -> TokenStream {
    derive::record(input.into()).into()
}

/// Makes a record one that can key a stream (`pelton::Key`). It needs `Record`, `Clone`, `PartialEq` and `Eq` too.
///
/// The hash that decides which worker owns a key is made of the fields in their order, and of a variant's name: it is
/// the same on every machine and in every build, and changes when fields are reordered or variants renamed. A float
/// cannot be part of a key.
#[proc_macro_derive(Key, attributes(record))]
pub fn derive_key(input: TokenStream) -> TokenStream {
    derive::key(input.into()).into()
}
