//! Where a socket is, and how it comes to be there: see [`super`].

use crate::error::Fault;
use std::fs::{self, DirBuilder, Permissions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that the name of a socket may have everywhere.
const LONGEST: usize = 100;

/// What the private directories of sockets with a long name begin with.
const PRIVATE: &str = "pelton-control-";

fn is_short(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().len() <= LONGEST
}

/// A socket at its place. Dropped, it goes away, unless another one is there by then.
pub(super) struct Placed {
    path: PathBuf,
    /// Device and file number of what stands at the path.
    id: (u64, u64),
    /// The directory of the socket, if a link stands at the path.
    private: Option<PathBuf>,
}

/// Listens at a path. What is there already is replaced, if it is a socket; if `alone`, only if nobody listens at it.
pub(super) fn bind(path: &Path, alone: bool) -> Result<(UnixListener, Placed), Fault> {
    let cannot = |e: io::Error| Fault::new("cannot make the control socket").in_file(path).because(e);
    let path = &std::path::absolute(path).map_err(cannot)?;
    let there = path.symlink_metadata().map(|about| about.file_type());
    match there {
        Ok(about) if !about.is_socket() && !about.is_symlink() => {
            let fault = Fault::new("there is something else where the control socket is to be").in_file(path);
            return Err(fault.help("name a path with `--control` at which nothing is"));
        }
        Ok(_) if alone && connect(path).is_ok() => {
            let fault = Fault::new("another job listens at this control socket").in_file(path);
            return Err(fault.help("give each job a `--control` of its own"));
        }
        _ => {}
    }
    let former = path.read_link().ok();
    // Made beside its place and then moved there, so that nobody ever finds half of it.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_file_name(format!(".{}-{next}.sock", std::process::id()));
    let _ = fs::remove_file(&beside);
    let (listener, private) = if is_short(&beside) && is_short(path) {
        (bind_private(&beside).map_err(cannot)?, None)
    } else {
        let directory = private_directory().map_err(cannot)?;
        let real = directory.join("sock");
        let listener = bind_private(&real).and_then(|listener| symlink(&real, &beside).map(|()| listener));
        (listener.inspect_err(|_| remove(&directory)).map_err(cannot)?, Some(directory))
    };
    let placed = beside.symlink_metadata().and_then(|about| fs::rename(&beside, path).map(|()| about));
    match placed {
        Ok(about) => {
            // The directory of one that was killed.
            if let Some(former) = former.filter(|real| UnixStream::connect(real).is_err()) {
                former.parent().filter(|directory| is_private(directory)).into_iter().for_each(remove);
            }
            Ok((listener, Placed { path: path.clone(), id: (about.dev(), about.ino()), private }))
        }
        Err(e) => {
            let _ = fs::remove_file(&beside);
            private.iter().for_each(|directory| remove(directory));
            Err(cannot(e))
        }
    }
}

/// A socket that only this user may speak to.
fn bind_private(path: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

fn private_directory() -> io::Result<PathBuf> {
    let temporary = std::env::temp_dir();
    let temporary = if temporary.as_os_str().len() <= LONGEST / 2 { temporary } else { PathBuf::from("/tmp") };
    let directory = temporary.join(format!("{PRIVATE}{:016x}", RandomState::new().build_hasher().finish()));
    DirBuilder::new().mode(0o700).create(&directory)?;
    Ok(directory)
}

fn is_private(directory: &Path) -> bool {
    directory.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(PRIVATE.as_bytes()))
}

/// Removes a private directory. What cannot be removed harms nobody.
fn remove(directory: &Path) {
    let _ = fs::remove_file(directory.join("sock"));
    let _ = fs::remove_dir(directory);
}

impl Drop for Placed {
    fn drop(&mut self) {
        let ours = self.path.symlink_metadata().is_ok_and(|about| (about.dev(), about.ino()) == self.id);
        if ours {
            let _ = fs::remove_file(&self.path);
        }
        self.private.iter().for_each(|directory| remove(directory));
    }
}

/// Connects to the socket at a path, or to that which a link there leads to.
pub(super) fn connect(path: &Path) -> io::Result<UnixStream> {
    match path.read_link() {
        Ok(real) => UnixStream::connect(real),
        Err(_) if is_short(path) => UnixStream::connect(path),
        // Nobody can listen at such a name.
        Err(_) => path.symlink_metadata().and(Err(io::ErrorKind::ConnectionRefused.into())),
    }
}
