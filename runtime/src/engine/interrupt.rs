//! Ctrl-C.

use super::control::ToCoordinator;
use crate::error::{Error, Fault};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, Once, PoisonError};

/// The runs that listen, each with its number.
static RUNNING: Mutex<(u64, Vec<(u64, Sender<ToCoordinator>)>)> = Mutex::new((0, Vec::new()));

/// While it lives, Ctrl-C ends the run.
pub struct Listening(Option<u64>);

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(me) = self.0 {
            RUNNING.lock().unwrap_or_else(PoisonError::into_inner).1.retain(|(number, _)| *number != me);
        }
    }
}

/// Tells every run that listens, once; says whether there was one.
fn tell() -> bool {
    let listening = std::mem::take(&mut RUNNING.lock().unwrap_or_else(PoisonError::into_inner).1);
    for (_, to) in &listening {
        let _ = to.send(ToCoordinator::Interrupt);
    }
    !listening.is_empty()
}

/// Sends an interrupt to the coordinator when the user presses Ctrl-C; a second one ends the process.
pub fn listen(wanted: bool, to: &Sender<ToCoordinator>) -> Result<Listening, Error> {
    static HANDLER: Once = Once::new();
    if !wanted {
        return Ok(Listening(None));
    }
    let mut failed = None;
    HANDLER.call_once(|| {
        let handler = || {
            if !tell() {
                std::process::exit(130);
            }
        };
        failed = ctrlc::set_handler(handler).err();
    });
    if let Some(e) = failed {
        return Err(Error::Setup(Fault::new("cannot listen for Ctrl-C").because(e)));
    }
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.0 += 1;
    let me = running.0;
    running.1.push((me, to.clone()));
    Ok(Listening(Some(me)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn a_run_that_ends_leaves_the_others_listening() {
        let (first, second) = (channel(), channel());
        let one = listen(true, &first.0).expect("it listens");
        let two = listen(true, &second.0).expect("it listens");
        drop(one);
        assert!(tell());
        assert!(first.1.try_recv().is_err());
        assert!(matches!(second.1.try_recv(), Ok(ToCoordinator::Interrupt)));
        drop(two);
        assert!(!tell());
    }
}
