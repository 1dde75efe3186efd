//! What `derive(Record)` and the lock ask of types, in constants.

use crate::codec::Reader;
use crate::config::Config;
use crate::engine::{EdgeIn, Graph, Local, StoredOperator};
use crate::error::{Error, Fault};
use crate::frame::Time;
use crate::key::Key;
use crate::keyed::Keeps;
use crate::lock::{StateMeta, StateNames};
use crate::record::Record;
use crate::schema::Schema;
use std::marker::PhantomData;

/// What `#[added]` puts into a field that was not stored.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no default to take where none was stored",
    label = "not `Default`",
    note = "write the value: `#[added(expression)]`, or implement `Default` for `{Self}`"
)]
pub trait ByDefault {
    /// The default.
    fn by_default() -> Self;
}
#[diagnostic::do_not_recommend]
impl<T: Default> ByDefault for T {
    fn by_default() -> T {
        T::default()
    }
}

/// The schema of what a migration begins with.
pub const fn former_schema<Former: Record, Today>(_: fn(Former) -> Today) -> &'static Schema {
    Former::SCHEMA
}

/// Runs a user's migration over bytes.
///
/// # Errors
/// If they are no value of the former type.
#[rustfmt::skip] // rustc shows the line
pub fn migrate<Former: Record, Today: Record>( // let the function give the type that `migrate` stands on
    bytes: &[u8],
    out: &mut Vec<u8>,
    function: fn(Former) -> Today,
) -> Result<(), String> {
    let mut from = Reader::new(bytes);
    let former = Former::decode(&mut from).and_then(|former| from.end().map(|()| former));
    let today = function(former.map_err(|error| error.to_string())?);
    today.encode(out);
    Ok(())
}

/// The types of what an operator keeps. It is asked of what makes the operator, before there is one.
pub fn states_of<Op: Keeps, F: FnOnce(&Local) -> Result<Op, Fault>>(_: &F) -> PhantomData<(Op::Key, Op::Value)> {
    PhantomData
}

/// The types of a state that is declared, behind an edge by key.
pub fn kept_as<T: Record, K: Key, V: Record, M: Time, A: Record>(
    _: &EdgeIn<'_, K, V, M, A>,
    _: PhantomData<T>,
) -> PhantomData<(K, T)> {
    PhantomData
}

/// Notes what an operator keeps. Its bounds are those of what makes the operator, so that a type that cannot be kept is refused
/// there and not here too.
pub fn keeps<Op: Keeps, F: FnOnce(&Local) -> Result<Op, Fault>>(g: &mut Graph<'_>, names: &'static StateNames, _: &F) {
    g.keeps::<Op::Key, Op::Value>(names);
}

/// Notes a state that is declared.
pub fn keeps_as<K: Record, T: Record>(g: &mut Graph<'_>, names: &'static StateNames, _: PhantomData<(K, T)>) {
    g.keeps::<K, T>(names);
}

/// The states of a job.
///
/// # Errors
/// If a setting is wrong.
pub fn states(config: &Config, build: impl Fn(&mut Graph<'_>)) -> Result<Vec<StateMeta>, Error> {
    crate::engine::states(config, build)
}

/// What the operators of a job store.
///
/// # Errors
/// If a setting is wrong.
pub fn stored(config: &Config, build: impl Fn(&mut Graph<'_>)) -> Result<Vec<StoredOperator>, Error> {
    crate::engine::stored(config, build)
}
