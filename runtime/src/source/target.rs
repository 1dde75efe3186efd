//! [`Target`]: what stands in the parentheses of a connector of text, told by its type: files, or what is none.

use super::Guarantee;
use super::files::FileTarget;
use super::live::Live;
use std::path::{Path, PathBuf};

/// What `csv(..)`, `json(..)` and `lines(..)` take: any path, an `Option` of one, or [`stdin()`](super::stdin) or [`tcp(..)`](super::tcp).
/// `K` is its [`Kind`]; each type has one. A type of one's own that names a file becomes a [`FileTarget`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no file",
    label = "no path",
    note = "write a path: a `PathBuf`, a text, or an `Option` of one; to read also `stdin()` or `tcp(\"host:7777\")`"
)]
pub trait Target<K> {
    /// As its kind.
    fn target(self) -> K;
}

macro_rules! paths {
    ($($path:ty),*) => {$(
        impl Target<FileTarget> for $path {
            fn target(self) -> FileTarget {
                self.into()
            }
        }
    )*};
}
// one for each type: of an impl for all that become a `FileTarget` rustc would complain twice
paths!(FileTarget, PathBuf, &PathBuf, &Path, &str, String, &String);
paths!(Option<PathBuf>, Option<&PathBuf>, Option<&Path>, Option<&str>, Option<String>, Option<&String>);
paths!(&Option<PathBuf>);

impl Target<Live> for Live {
    fn target(self) -> Live {
        self
    }
}

/// A kind of [`Target`]: [`FileTarget`], which can be read and written, or [`Live`], which can be read once.
pub trait Kind: Clone + 'static {
    /// What becomes of rows that were read from it before a run failed.
    const GUARANTEE: Guarantee;
    /// The path, if it is one.
    fn path(&self) -> Option<&Path>;
    /// What it is if it is no file.
    fn live(&self) -> Option<&Live>;
}

impl Kind for FileTarget {
    const GUARANTEE: Guarantee = Guarantee::ExactlyOnce;
    fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
    fn live(&self) -> Option<&Live> {
        None
    }
}

impl Kind for Live {
    const GUARANTEE: Guarantee = Guarantee::Nothing("what comes over standard input or a socket cannot be read again");
    fn path(&self) -> Option<&Path> {
        None
    }
    fn live(&self) -> Option<&Live> {
        Some(self)
    }
}
