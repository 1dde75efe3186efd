//! What a worker makes once per attempt, for closures to look at.

use crate::engine::Graph;
use crate::error::{Error, Fault};
use crate::process::handlers::Failed;
use std::ops::Deref;
use std::rc::Rc;

/// A resource: a `&T` to those who look at it.
pub struct Resource<T> {
    /// With the flows that it is in.
    name: Rc<str>,
    made: Rc<Option<T>>,
}
impl<T> Clone for Resource<T> {
    fn clone(&self) -> Self {
        Resource { name: self.name.clone(), made: self.made.clone() }
    }
}
impl<T> Deref for Resource<T> {
    type Target = T;
    #[inline(always)]
    #[track_caller]
    fn deref(&self) -> &T {
        match &*self.made {
            Some(made) => made,
            None => not_made(&self.name),
        }
    }
}

/// A graph that is only looked at makes no resources, and a panic while it is built is an error of whoever was made.
#[cold]
#[track_caller]
#[expect(clippy::panic, reason = "where a resource is not made, no closure runs that could look at it")]
fn not_made(name: &str) -> ! {
    panic!(
        "it looks at the resource `{name}`, which a worker makes when it begins, and not to see what the job looks like; let a closure look at it"
    )
}

/// Makes it. For a graph that is only looked at it is not made; where it cannot be made, the attempt ends, and nothing of the graph
/// is built behind it.
pub fn resource<T>(g: &mut Graph<'_>, name: &'static str, make: impl FnOnce() -> Result<T, Failed>) -> Resource<T> {
    let name: Rc<str> = format!("{}{name}", g.here()).into();
    if !g.runs() {
        return Resource { name, made: Rc::new(None) };
    }
    let made = match g.make(make) {
        Ok(made) => made.map_err(|cause| match cause.downcast::<Fault>() {
            Ok(fault) => *fault,
            Err(cause) => Fault::new("it could not be made").because(cause),
        }),
        Err(panicked) => {
            Err(panicked.help("what can fail there is better given with `?`, with a word about what to do"))
        }
    };
    let made = made.map_err(|fault| g.fail(Error::Resource { name: name.to_string(), fault }));
    Resource { name, made: Rc::new(made.ok()) }
}
