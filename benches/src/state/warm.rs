//! Memory that is there. A virtual machine may be given a page by its host when it touches it for the first time: 17 us and more for 4 KiB
//! where these figures were taken, 3 for one that it has had before. What takes new memory in its first minutes, as a snapshot does and
//! a run without one does not, would be charged for the start of the machine. A host that takes free pages back does so after some seconds: there
//! nothing helps for long.

use memmap2::MmapMut;
use std::time::Instant;

/// What stays free.
const REST: u64 = 3 << 30;

/// What a figure needs for each key of a large state, with what a snapshot takes.
const PER_KEY: u64 = 512;

/// Touches as much memory as the figures need that nobody has, and gives it back.
pub fn warm(keys: u64) {
    let needed = free().map_or(0, |free| free.saturating_sub(REST)).min(keys * PER_KEY);
    let Some(bytes) = Some(needed).filter(|bytes| *bytes > 0) else { return };
    let begun = Instant::now();
    match usize::try_from(bytes).map_err(std::io::Error::other).and_then(MmapMut::map_anon) {
        Ok(mut memory) => memory.iter_mut().step_by(4096).for_each(|byte| *byte = 1),
        Err(error) => return eprintln!("memory is not touched before: {error}"),
    }
    eprintln!("{:.1} GB of memory touched in {:.1} s", bytes as f64 / 1e9, begun.elapsed().as_secs_f64());
}

/// Bytes that could be had, where the system says so.
fn free() -> Option<u64> {
    let said = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = said.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? << 10)
}
