//! What a worker makes once per attempt, for closures to look at.

use crate::engine::Graph;
use crate::error::{Error, Fault};
use crate::process::handlers::Failed;
use std::ops::Deref;
use std::rc::Rc;

/// A resource: a `&T` to those who look at it.
pub struct Resource<T>(Rc<Option<T>>);
impl<T> Clone for Resource<T> {
    fn clone(&self) -> Self {
        Resource(self.0.clone())
    }
}
impl<T> Deref for Resource<T> {
    type Target = T;
    #[inline(always)]
    #[expect(clippy::expect_used, reason = "where it is not made, nothing that could look at it runs")]
    fn deref(&self) -> &T {
        self.0.as_ref().as_ref().expect("a graph that is only looked at makes no resources and runs no closures")
    }
}

/// Makes it. For a graph that is only looked at it is not made; where it cannot be made, the attempt ends, and nothing of the graph
/// is built behind it.
pub fn resource<T>(g: &mut Graph<'_>, name: &'static str, make: impl FnOnce() -> Result<T, Failed>) -> Resource<T> {
    if !g.runs() {
        return Resource(Rc::new(None));
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
    let made = made.map_err(|fault| g.fail(Error::Resource { name: name.to_owned(), fault }));
    Resource(Rc::new(made.ok()))
}
