//! Large objects of a local store, written and compared past the system's cache.
//!
//! What a checkpoint writes is read again only after a failure. In the cache it would be copied once more, take pages from others,
//! and, where it is compared with what was written, not be read from the disk at all. Measured beside two workers on two cores: a
//! third of the processor's time, and twice as fast.
//!
//! A file system that cannot do this says so, and the bytes take the usual way.

use super::disk::{Disk, NewFile};
use crate::background::give_way;
use crate::pages::PAGE;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Smaller objects go through the cache: they cost little there.
pub(super) const LEAST: usize = 1 << 20;

/// What begin and length of a read or write, in memory and in the file, are multiples of.
const ALIGNED: usize = PAGE;

/// Bytes in one of them; the disk does it, and not the processor.
const STEP: usize = 1 << 20;

/// Memory for a step that begins where it must.
struct Step {
    memory: Vec<u8>,
    start: usize,
}

impl Step {
    fn new() -> Step {
        let memory = vec![0; STEP + ALIGNED];
        let start = memory.as_ptr().align_offset(ALIGNED).min(ALIGNED);
        Step { memory, start }
    }
    fn bytes(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + STEP]
    }
}

/// Has a file opened past the cache; `None` if the file system, or this machine's, cannot do that.
fn open<F>(open: impl FnOnce(&mut OpenOptions) -> io::Result<F>) -> io::Result<Option<F>> {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::OpenOptionsExt;
        match open(OpenOptions::new().custom_flags(rustix::fs::OFlags::DIRECT.bits() as i32)) {
            Ok(file) => Ok(Some(file)),
            Err(e) if e.kind() == ErrorKind::InvalidInput => Ok(None),
            Err(e) => Err(e),
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = open;
        Ok(None)
    }
}

/// Writes a new file; `None` if that cannot be done past the cache, and then there may be a part of it. Bytes that begin at a page are taken from
/// where they are; others are copied.
///
/// # Errors
/// What the system says.
pub(super) fn write<'a>(disk: &'a Disk, path: &'a Path, bytes: &[u8]) -> io::Result<Option<NewFile<'a>>> {
    let Some(mut file) = open(|options| disk.create_with(path, options))? else { return Ok(None) };
    let as_they_are = bytes.as_ptr().align_offset(ALIGNED) == 0;
    let mut copy = None;
    for some in bytes.chunks(STEP) {
        let written = if as_they_are && some.len() == STEP {
            file.write(some)
        } else {
            let step = copy.get_or_insert_with(Step::new).bytes();
            step[..some.len()].copy_from_slice(some);
            file.write(&step[..some.len().next_multiple_of(ALIGNED)])
        };
        match written {
            Ok(()) => give_way(),
            Err(e) if e.kind() == ErrorKind::InvalidInput => return Ok(None),
            Err(e) => return Err(e),
        }
    }
    file.cut(bytes.len() as u64)?;
    Ok(Some(file))
}

/// Whether a file holds exactly these bytes; `None` if that cannot be read past the cache.
///
/// # Errors
/// What the system says.
pub(super) fn holds(disk: &Disk, path: &Path, bytes: &[u8]) -> io::Result<Option<bool>> {
    let Some(mut file) = open(|options| disk.open_with(path, options))? else { return Ok(None) };
    if file.metadata()?.len() != bytes.len() as u64 {
        return Ok(Some(false));
    }
    let mut step = Step::new();
    for some in bytes.chunks(STEP) {
        let there = match file.read(step.bytes()) {
            Ok(there) if there >= some.len() => there.min(some.len()),
            // One that stops short would go on where it must not.
            Ok(_) => return Ok(None),
            Err(e) if e.kind() == ErrorKind::InvalidInput => return Ok(None),
            Err(e) => return Err(e),
        };
        if step.bytes()[..there] != *some {
            return Ok(Some(false));
        }
        give_way();
    }
    Ok(Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_past_the_cache_is_there_for_everybody() {
        let folder = std::env::temp_dir().join(format!("pelton-direct-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (path, disk) = (folder.join("object"), Disk::default());
        let lengths = [1, ALIGNED - 1, ALIGNED, STEP, STEP + 1, 3 * STEP + 5 * ALIGNED + 17];
        for (length, skipped) in lengths.into_iter().flat_map(|length| [(length, 0), (length, 16)]) {
            let mut memory: Vec<u8> = (0..length + 2 * ALIGNED).map(|at| (at % 251) as u8).collect();
            let start = memory.as_ptr().align_offset(ALIGNED) + skipped;
            let bytes = &mut memory[start..start + length];
            // Where this file system cannot, nothing is said.
            let Some(file) = write(&disk, &path, bytes).unwrap() else { break };
            file.sync().unwrap();
            assert!(std::fs::read(&path).unwrap() == bytes, "{length} bytes");
            assert_ne!(holds(&disk, &path, bytes).unwrap(), Some(false), "{length} bytes");
            bytes[length - 1] ^= 1;
            assert_ne!(holds(&disk, &path, bytes).unwrap(), Some(true), "the last of {length} bytes");
            let fewer = &bytes[..length - 1];
            assert_ne!(holds(&disk, &path, fewer).unwrap(), Some(true), "one of {length} bytes less");
            assert_eq!(write(&disk, &path, fewer).err().map(|e| e.kind()), Some(ErrorKind::AlreadyExists));
            std::fs::remove_file(&path).unwrap();
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
