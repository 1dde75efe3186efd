//! The timely operator of a chain that begins at a source: it reads the splits it is given, keeps the watermark, sends
//! what is full, and ends epochs when the coordinator says so.
//!
//! A barrier needs no credit: a source whose gate is closed still ends its epoch. An exhausted source sends its last
//! watermark and keeps its right to send until the coordinator orders the last epoch.

mod budget;
mod mail;
mod open;
mod read;
mod running;
mod wake;

use super::body::{Body, Diverting, Each, Filtered};
use super::control::ToCoordinator;
use super::graph::{Graph, Noted};
use super::meta::SourceMeta;
use super::port::Outs;
use crate::error::Error;
use crate::frame::writer::Cx;
use crate::source::{BadRecord, Reader, RowType, Source};
use running::{Begin, Running};
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use wake::Wakers;

/// Counters of a body: one per operator that changes the number of rows.
pub trait Counters: Copy + 'static {
    /// Their values.
    fn values(&self) -> &[u64];
}
impl<const N: usize> Counters for [u64; N] {
    fn values(&self) -> &[u64] {
        self
    }
}

/// No stream takes bad records.
pub fn no_errors<N, L>() -> impl FnMut(BadRecord, &mut Cx, &mut N, &mut L) {
    |_, _, _, _| ()
}

/// Builds a chain that begins at a source; `errors` is what happens to the bad records of one that diverts them.
pub fn source<'g, R, S, N, O, F>(
    g: &mut Graph<'g>,
    meta: SourceMeta,
    connector: S,
    counters: N,
    outs: O,
    body: F,
    errors: impl FnMut(BadRecord, &mut Cx, &mut N, &mut O::Live) + 'static,
) where
    R: RowType,
    S: Source<R>,
    N: Counters,
    O: Outs<'g>,
    F: for<'a> FnMut(R::Row<'a>, &mut Cx, &mut N, &mut O::Live) + 'static, // a param: write `name.clone()`
{
    build(g, meta, connector, counters, outs, Diverting(Each(body), errors));
}

/// Builds a chain that begins at a source and has a filter on a straight way behind it: `front` is what stands before the
/// filter, with its answer; `rest` is what stands behind it.
#[expect(clippy::too_many_arguments, reason = "emitted code names each part of the chain once")]
pub fn source_filtered<'g, R, S, N, O, X, P, F>(
    g: &mut Graph<'g>,
    meta: SourceMeta,
    connector: S,
    counters: N,
    outs: O,
    front: P,
    rest: F,
    errors: impl FnMut(BadRecord, &mut Cx, &mut N, &mut O::Live) + 'static,
) where
    R: RowType,
    S: Source<R>,
    N: Counters,
    O: Outs<'g>,
    P: for<'a> FnMut(R::Row<'a>, &mut Cx, &mut N, &mut O::Live) -> (bool, X) + 'static, // a param: write `name.clone()`
    F: FnMut(X, &mut Cx, &mut N, &mut O::Live) + 'static,                               // a param: write `name.clone()`
{
    build(g, meta, connector, counters, outs, Diverting(Filtered::<true, _, _>(front, rest), errors));
}

/// The same of one that leads straight into a flow, whose filter is the first.
#[expect(clippy::too_many_arguments, reason = "emitted code names each part of the chain once")]
pub fn source_through<'g, R, S, N, O, X, P, F>(
    g: &mut Graph<'g>,
    meta: SourceMeta,
    connector: S,
    counters: N,
    outs: O,
    front: P,
    rest: F,
    errors: impl FnMut(BadRecord, &mut Cx, &mut N, &mut O::Live) + 'static,
) where
    R: RowType,
    S: Source<R>,
    N: Counters,
    O: Outs<'g>,
    P: for<'a> FnMut(R::Row<'a>, &mut Cx, &mut N, &mut O::Live) -> (bool, X) + 'static, // a param: write `name.clone()`
    F: FnMut(X, &mut Cx, &mut N, &mut O::Live) + 'static,                               // a param: write `name.clone()`
{
    build(g, meta, connector, counters, outs, Diverting(Filtered::<false, _, _>(front, rest), errors));
}

fn build<'g, R, S, N, O, B>(g: &mut Graph<'g>, meta: SourceMeta, connector: S, counters: N, outs: O, body: B)
where
    R: RowType,
    S: Source<R>,
    N: Counters,
    O: Outs<'g>,
    B: Body<R, N, O::Live>,
{
    g.later(move |g| open(g, meta, connector, counters, outs, body));
}

/// Opens it, when all that it writes to is known.
fn open<'g, R, S, N, O, B>(g: &mut Graph<'g>, meta: SourceMeta, mut connector: S, counters: N, outs: O, body: B)
where
    R: RowType,
    S: Source<R>,
    N: Counters,
    O: Outs<'g>,
    B: Body<R, N, O::Live>,
{
    let noted = g.note_chain("", meta.operators, &counters, Some(connector.describe()), &outs);
    let Noted { number: chain, operators, counters: counted } = noted;
    let Some(scope) = g.scope else { return };
    let local = g.local.clone();
    let (number, mailbox) = local.add_source();
    local.add_part();
    let failed = |fault| Error::Source { name: meta.name.to_owned(), fault };
    let endless = connector.endless();
    // Where splits end, one reader reads one behind the other.
    let mut reader = None;
    if !endless {
        reader = match connector.reader() {
            Ok(reader) => Some(reader),
            Err(fault) => return g.fail(failed(fault)),
        };
    }
    let mut builder = OperatorBuilder::new(meta.name.to_owned(), scope);
    let live = match outs.open(chain, &mut builder, &local) {
        Ok(live) => live,
        Err(error) => return g.abandon(builder, error),
    };
    if local.worker == 0 {
        // Behind the committers of its sinks, so that no writer is a step ahead of them.
        match connector.enumerator(local.resume.enumerator(meta.name)) {
            Ok(enumerator) => {
                let (name, ordered) = (meta.name, meta.ordered);
                local.tell(ToCoordinator::Source { source: number, name, ordered, endless, enumerator });
            }
            Err(fault) => return g.abandon(builder, failed(fault)),
        }
    }
    let address = builder.operator_info().address;
    mailbox.wake_with(scope.activator_for(address.clone()));
    let activator = scope.activator_for(address.clone());
    // A reader that has run dry is woken from another thread.
    let wakers = Wakers::new(scope.worker().sync_activator_for(address.to_vec()), local.waker.clone());
    if let Some(reader) = &mut reader {
        reader.wake_with(wakers.waker(std::sync::Arc::default()));
    }
    let begin = Begin { meta, operators, counted, number, chain, endless, local, mailbox, activator, wakers };
    let mut running = Running::new(begin, connector, reader, counters, live, body);
    builder.build_reschedule(move |caps| {
        let mut caps = Some(caps);
        move |_| running.activate(&mut caps)
    });
}
