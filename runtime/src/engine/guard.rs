//! User code on a worker: a panic becomes an error that names the operator, the place in the source and the record.

use crate::error::{Error, Fault, Place};
use crate::frame::writer::Cx;
use crate::plan::Operator;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// Where the last panic of this thread was, if the thread is a worker.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
    /// Whose expression is running, while a graph is built.
    static MAKING: Cell<Option<Made>> = const { Cell::new(None) };
}

/// Marks this thread as a worker: its panics are not printed by the standard hook, but kept for the error.
pub fn begin_worker() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if IS_WORKER.get() {
                let at =
                    info.location().map_or_else(String::new, |l| format!("{}:{}:{}", l.file(), l.line(), l.column()));
                LAST.with_borrow_mut(|last| *last = Some(at));
            } else {
                before(info);
            }
        }));
    });
    IS_WORKER.set(true);
}

/// Runs code of a connector on the coordinator's thread, which is the caller's: a panic becomes an error here too.
pub fn on_coordinator<R>(who: &str, run: impl FnOnce() -> R) -> Result<R, Error> {
    // The caller may be a worker of another run.
    let before = IS_WORKER.get();
    begin_worker();
    let ran = catch_unwind(AssertUnwindSafe(run));
    IS_WORKER.set(before);
    ran.map_err(|payload| {
        let (message, location) = described(&*payload);
        Error::Panic { operator: who.to_owned(), location, place: Place::default(), message }
    })
}

/// What a panic said, and where.
pub fn described(payload: &(dyn std::any::Any + Send)) -> (String, String) {
    let message = payload
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned());
    (message, LAST.with_borrow_mut(Option::take).unwrap_or_default())
}

/// What is said of an expression that panicked.
pub const PANICKED: &str = "its expression panicked";

/// Runs code of the user's that makes something while the graph is built: a panic becomes a fault with its place.
pub fn making<R>(make: impl FnOnce() -> R) -> Result<R, Fault> {
    catch_unwind(AssertUnwindSafe(make)).map_err(|payload| {
        let (message, location) = described(&*payload);
        panicked(message, &location)
    })
}

#[cold]
fn panicked(message: String, location: &str) -> Fault {
    let fault = Fault::new(PANICKED).because(message);
    let mut parts = location.rsplitn(3, ':');
    match (parts.next(), parts.next().and_then(|line| line.parse().ok()), parts.next()) {
        (Some(column), Some(line), Some(file)) => fault.in_file(file).at_line(line).in_column(column),
        _ => fault,
    }
}

/// A connector of the block, by its name there.
#[derive(Clone, Copy)]
pub enum Made {
    /// A source.
    Source(&'static str),
    /// A sink.
    Sink(&'static str),
}

/// Says whose expression is running from now on, on this thread, so that a panic in it can be told.
pub fn makes(made: Option<Made>) {
    MAKING.set(made);
}

/// What a panic is that came where no operator was running: that of a connector's expression, most often.
pub fn of_building(payload: &(dyn std::any::Any + Send)) -> Error {
    let (message, location) = described(payload);
    match MAKING.take() {
        Some(Made::Source(name)) => Error::Source { name: name.to_owned(), fault: panicked(message, &location) },
        Some(Made::Sink(name)) => Error::Sink { name: name.to_owned(), fault: panicked(message, &location) },
        None => {
            let operator = "the job's own set-up".to_owned();
            Error::Panic { operator, location, place: Place::default(), message }
        }
    }
}

/// Builds a graph on the caller's thread: a panic becomes an error here too.
pub fn building(build: impl FnOnce()) -> Result<(), Error> {
    // The caller may be a worker of another run, and make one of its connectors.
    let (worker, making) = (IS_WORKER.get(), MAKING.take());
    begin_worker();
    let built = catch_unwind(AssertUnwindSafe(build)).map_err(|payload| of_building(&*payload));
    IS_WORKER.set(worker);
    MAKING.set(making);
    built
}

/// Runs a chain's body. `cx` tells which operator it was, `place` which record.
pub fn guarded<R>(
    operators: &[Operator],
    cx: &mut Cx,
    run: impl FnOnce(&mut Cx) -> R,
    place: impl FnOnce(&Cx) -> Place,
) -> Result<R, Error> {
    catch_unwind(AssertUnwindSafe(|| run(cx))).map_err(|payload| {
        let (message, location) = described(&*payload);
        Error::Panic { operator: operator_name(operators, cx.operator as usize), location, place: place(cx), message }
    })
}

/// `filter` in `delayed`: the operator, and the stream that its chain of calls makes.
fn operator_name(operators: &[Operator], at: usize) -> String {
    let Some(operator) = operators.get(at) else { return "?".to_owned() };
    let mut last = at;
    loop {
        let named = &operators[last];
        match (named.name.is_empty(), last == at) {
            (true, _) => {}
            (false, true) => return named.name.clone(),
            (false, false) => return format!("{}.{}", named.name, operator.what),
        }
        // what takes its rows, in the same chain of calls
        let next = operators.iter().enumerate().skip(last + 1).find(|(_, o)| o.input == last && !o.sink);
        match next {
            Some((next, _)) => last = next,
            None => return operator.what.clone(),
        }
    }
}
