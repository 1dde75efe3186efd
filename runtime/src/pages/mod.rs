//! Memory in pages as large as the system has. `unsafe` is used to ask for them, and to give pages back.
//!
//! Each page of memory that is new costs a fault, more than what is then written into it: on a machine that is a guest of another
//! one a worker spent half of its time in them while it saved its state. Of large pages there are five hundred times fewer.
#![allow(unsafe_code)]

pub(crate) mod blocks;
pub(crate) mod past;

/// Bytes of the least page that a system gives; larger ones are multiples of it.
pub(crate) const PAGE: usize = 4 << 10;

/// Empty, with room for so many bytes in large pages, where the system has them. What is not written takes no memory.
pub(crate) fn with_room(bytes: usize) -> Vec<u8> {
    try_with_room(bytes).unwrap_or_else(|| Vec::with_capacity(bytes))
}

/// The same, if there is that much.
pub(crate) fn try_with_room(bytes: usize) -> Option<Vec<u8>> {
    let mut room = Vec::new();
    room.try_reserve_exact(bytes).ok()?;
    #[cfg(target_os = "linux")]
    ask(&room);
    Some(room)
}

/// Gives pages back to the system: what is in them is gone, and they may be written again.
///
/// # Safety
/// They must be owned, and whole pages, and nobody may read what was in them.
pub(crate) unsafe fn let_go(pages: std::ptr::NonNull<u8>, bytes: usize) {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: as the caller says.
        let asked = unsafe { rustix::mm::madvise(pages.as_ptr().cast(), bytes, rustix::mm::Advice::LinuxDontNeed) };
        // They stay where they are if the system will not have them.
        let _ = asked;
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (pages, bytes);
}

#[cfg(target_os = "linux")]
fn ask(room: &Vec<u8>) {
    let memory = room.as_ptr();
    let first = memory.align_offset(PAGE);
    let length = room.capacity().saturating_sub(first) / PAGE * PAGE;
    if length > 0 {
        // SAFETY: the pages lie in what was allocated, and this is a hint that changes nothing of what is in them. Whoever has the memory
        // afterwards may get large pages, too.
        let asked = unsafe {
            rustix::mm::madvise(memory.wrapping_add(first).cast_mut().cast(), length, rustix::mm::Advice::LinuxHugepage)
        };
        // A system without them has small ones.
        let _ = asked;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_of_any_size() {
        for bytes in [0, 1, 4095, 4096, 100_000, (4 << 20) + 17] {
            let mut room = with_room(bytes);
            assert!(room.is_empty() && room.capacity() >= bytes);
            room.resize(bytes, 7);
            assert!(room.iter().all(|byte| *byte == 7));
        }
    }
}
