//! [`append`]: bytes that nobody reads soon go to memory past the processor's cache. `unsafe` is used for the instructions that do it.
//!
//! A store to a line that is not in the cache fetches it first, and takes the place of others there: whoever fills a buffer of some MB reads
//! all of it, to write it over. Whole lines can go past the cache. Measured where a worker saves its state beside the rows that it works on, whose slots
//! are fetched from memory, too, and wait for the same few places in which a fetch may be under way.
#![allow(unsafe_code)]

/// Bytes of a line.
const LINE: usize = 64;

/// Appends the first of these bytes, as many of them as end with a line of memory, and gives how many that are. Where there is no room, they
/// take the usual way.
pub(crate) fn append(to: &mut Vec<u8>, bytes: &[u8]) -> usize {
    let start = to.as_ptr().addr() + to.len();
    let end = (start + bytes.len()) / LINE * LINE;
    let (some, _) = bytes.split_at(end.saturating_sub(start).min(bytes.len()));
    if to.capacity() - to.len() < some.len() {
        // All of it moves, and will begin elsewhere.
        to.extend_from_slice(some);
        return some.len();
    }
    // Up to the next line, and the lines.
    let (head, lines) = some.split_at((start.next_multiple_of(LINE) - start).min(some.len()));
    to.extend_from_slice(head);
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_sfence, _mm_stream_si128};
        let (from, into) = (lines.as_ptr().cast::<__m128i>(), to.spare_capacity_mut().as_mut_ptr().cast::<__m128i>());
        // SAFETY: every such processor has these instructions. `lines` is a multiple of 64 bytes, and there is room for it, which nothing else
        // refers to; it begins with a line behind `head`, for which there was room too, so that nothing has moved and the stores are aligned.
        // Behind the fence all of it is there for other threads as if it had been written the usual way, and the bytes are initialized.
        unsafe {
            for at in 0..lines.len() / size_of::<__m128i>() {
                _mm_stream_si128(into.add(at), _mm_loadu_si128(from.add(at)));
            }
            _mm_sfence();
            to.set_len(to.len() + lines.len());
        }
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    to.extend_from_slice(lines);
    some.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_are_there_wherever_they_begin() {
        let bytes: Vec<u8> = (0..5000).map(|at| (at % 251) as u8).collect();
        for before in 0..130 {
            for length in [0, 1, 63, 64, 65, 127, 128, 200, 4096, 5000] {
                let mut memory = Vec::with_capacity(6000);
                memory.resize(before, 9);
                let taken = append(&mut memory, &bytes[..length]);
                assert!(taken <= length && length - taken < LINE, "{taken} of {length}");
                assert!(memory[..before].iter().all(|byte| *byte == 9) && memory[before..] == bytes[..taken]);
                assert!(taken == 0 || (memory.as_ptr().addr() + memory.len()) % LINE == 0);
            }
        }
        // While the memory grows, and moves, by whatever steps.
        for step in [1, 5, 63, 64, 100, 1000, 4099] {
            let (mut memory, mut expected, mut near) = (Vec::new(), Vec::new(), Vec::new());
            while expected.len() < 300_000 {
                let some = &bytes[expected.len() % 500..][..step];
                expected.extend_from_slice(some);
                near.extend_from_slice(some);
                let taken = append(&mut memory, &near);
                near.drain(..taken);
            }
            memory.extend_from_slice(&near);
            assert!(memory == expected, "{step}");
        }
        let mut full = Vec::with_capacity(10);
        let taken = append(&mut full, &bytes[..1000]);
        assert_eq!(full, bytes[..taken]);
    }
}
