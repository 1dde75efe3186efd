//! The first 16 bytes of a short text at once, whatever its length.
//!
//! Words of all lengths come in any order, so a branch on the length of one is a coin toss: on W4 it costs a tenth of the
//! run. Where a text does not end just before a page does, one load reads 16 bytes from its start on, and what lies behind
//! the text is masked off or not looked at. The load is an instruction of its own (`asm!`): the compiler knows nothing
//! of it, so it can draw no conclusions from its reaching beyond the text, and the machine protects whole pages only. libc
//! searches strings in the same way. Elsewhere, and under miri, the bytes are put together by cases. That load is all that
//! `unsafe` is used for.
#![allow(unsafe_code)]

/// What a window takes.
pub(super) const WINDOW: usize = 16;

/// The bytes of a text of each length, among those of a window.
pub(super) const MASKS: [u128; WINDOW + 1] = {
    let mut masks = [u128::MAX; WINDOW + 1];
    let mut length = 0;
    while length < WINDOW {
        masks[length] = (1 << (8 * length)) - 1;
        length += 1;
    }
    masks
};

/// The bytes from the start of a text on; behind its end they are anything. `None` if it is empty or longer, or ends too
/// near to the end of a page.
#[inline(always)]
fn load(text: &[u8]) -> Option<[u8; WINDOW]> {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        const PAGE: usize = 4096;
        let start = text.as_ptr();
        if (1..=WINDOW).contains(&text.len()) && start as usize % PAGE <= PAGE - WINDOW {
            let bytes: std::arch::x86_64::__m128i;
            // SAFETY: the first of the 16 bytes is the text's own, so its page can be read, and all of them lie in that page.
            // Nothing is written. What lies behind the text may change at any time: nobody looks at it.
            unsafe {
                std::arch::asm!(
                    "movdqu {bytes}, xmmword ptr [{start}]",
                    bytes = lateout(xmm_reg) bytes,
                    start = in(reg) start,
                    options(readonly, nostack, preserves_flags),
                );
                return Some(std::mem::transmute::<std::arch::x86_64::__m128i, [u8; WINDOW]>(bytes));
            }
        }
    }
    let _ = text;
    None
}

/// Copies a text to a place that has room for a window, and anything behind it; `false` if it is longer.
#[inline(always)]
pub(super) fn copy(text: &[u8], to: &mut [u8; WINDOW]) -> bool {
    // Two ways and not one value of both, which would pass through other registers.
    if let Some(bytes) = load(text) {
        *to = bytes;
        return true;
    }
    let short = text.len() <= WINDOW;
    if short {
        *to = by_cases(text).to_le_bytes();
    }
    short
}

/// A text with zeroes behind it, little-endian; `None` if it is longer than a window.
#[inline(always)]
pub(super) fn padded(text: &[u8]) -> Option<u128> {
    let mask = MASKS.get(text.len())?;
    Some(load(text).map_or_else(|| by_cases(text), |bytes| u128::from_le_bytes(bytes) & mask))
}

#[inline(always)]
fn by_cases(text: &[u8]) -> u128 {
    let length = text.len();
    let four = |part: &[u8; 4]| u128::from(u32::from_le_bytes(*part));
    // Two reads that overlap where the text is not twice as long; what lies in both is the same in both.
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        return u128::from(u64::from_le_bytes(*first)) | u128::from(u64::from_le_bytes(*last)) << (8 * (length - 8));
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        return four(first) | four(last) << (8 * (length - 4));
    }
    text.iter().rev().fold(0, |all, byte| all << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_text_padded_with_zeroes_wherever_it_lies() {
        // Two pages and a bit, so that texts lie across the end of a page whatever the start is.
        let text: Vec<u8> = (0..3 * 4096u32).map(|i| (i % 251) as u8 + 1).collect();
        for start in 0..2 * 4096 + 64 {
            for length in 0..=WINDOW {
                let part = &text[start..start + length];
                let mut expected = [0; WINDOW];
                expected[..length].copy_from_slice(part);
                assert_eq!(padded(part), Some(u128::from_le_bytes(expected)), "{length} bytes at {start}");
                assert_eq!(by_cases(part), u128::from_le_bytes(expected), "{length} bytes at {start}");
                let mut to = [0; WINDOW];
                assert!(copy(part, &mut to) && to[..length] == *part, "{length} bytes at {start}");
            }
            let longer = &text[start..=start + WINDOW];
            assert_eq!((padded(longer), copy(longer, &mut [0; WINDOW])), (None, false));
        }
        assert_eq!(padded(&[]), Some(0));
        // At the very end of what the allocator gave, too.
        let tail: Box<[u8]> = text[..4096].into();
        assert_eq!(padded(&tail[4093..]).map(|bytes| bytes.to_le_bytes()[..3].to_vec()), Some(tail[4093..].to_vec()));
    }
}
