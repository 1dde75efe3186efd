//! [`words`]: the pieces of a line between its blanks.
//!
//! Here and not in a source, because users split text in their closures too. It knows nothing of lines or files.

use wide::u8x16;

/// The words of a line: the pieces between blanks (` ` and `\t`), empty ones left out.
///
/// Nothing is copied, and blanks are searched for 64 bytes at a time.
///
/// ```
/// let found: Vec<&str> = pelton::text::words(" to be\tor  not ").collect();
/// assert_eq!(found, ["to", "be", "or", "not"]);
/// ```
#[inline(always)]
pub fn words(line: &str) -> Words<'_> {
    Words { text: line, start: 0, block: 0, blanks: blanks_at(line.as_bytes(), 0) }
}

/// The iterator that [`words`] gives.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    text: &'a str,
    /// Where the next word may start.
    start: usize,
    /// Where the bytes begin that `blanks` speaks of.
    block: usize,
    /// A bit for each blank in the block that has not been passed yet.
    blanks: u64,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    #[inline(always)]
    fn next(&mut self) -> Option<&'a str> {
        loop {
            while self.blanks == 0 {
                if self.text.len() <= self.block + BLOCK {
                    let last = self.text.get(self.start..)?;
                    // Past the end, so that the next call finds nothing.
                    self.start = self.text.len() + 1;
                    return if last.is_empty() { None } else { Some(last) };
                }
                self.block += BLOCK;
                self.blanks = blanks_at(self.text.as_bytes(), self.block);
            }
            let end = self.block + self.blanks.trailing_zeros() as usize;
            self.blanks &= self.blanks - 1;
            let start = std::mem::replace(&mut self.start, end + 1);
            if start != end {
                // Both ends are blanks, which are whole characters, or the start of the line.
                return self.text.get(start..end);
            }
        }
    }
}

impl std::iter::FusedIterator for Words<'_> {}

const BLOCK: usize = 64;

/// A bit for each blank among the 64 bytes from `at` on; bytes behind the end are none.
#[inline(always)]
fn blanks_at(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    match rest.first_chunk::<BLOCK>() {
        Some(block) => {
            let (sixteens, _) = block.as_chunks::<16>();
            let mut bits = 0;
            for (i, sixteen) in sixteens.iter().enumerate() {
                bits |= u64::from(blanks_of_16(sixteen)) << (16 * i);
            }
            bits
        }
        None => blanks_of_tail(rest),
    }
}

/// The same for fewer than 64 bytes: whole sixteens, then the last sixteen bytes once more if there are so many.
#[inline(always)]
fn blanks_of_tail(rest: &[u8]) -> u64 {
    let (sixteens, odd) = rest.as_chunks::<16>();
    let mut bits = 0;
    for (i, sixteen) in sixteens.iter().enumerate() {
        bits |= u64::from(blanks_of_16(sixteen)) << (16 * i);
    }
    if odd.is_empty() {
        return bits;
    }
    if let Some(last) = rest.last_chunk::<16>() {
        return bits | u64::from(blanks_of_16(last)) << (rest.len() - 16);
    }
    let mut padded = [0; 16];
    for (to, from) in padded.iter_mut().zip(odd) {
        *to = *from;
    }
    u64::from(blanks_of_16(&padded))
}

#[inline(always)]
fn blanks_of_16(bytes: &[u8; 16]) -> u16 {
    let block = u8x16::new(*bytes);
    let found = block.simd_eq(u8x16::splat(b' ')) | block.simd_eq(u8x16::splat(b'\t'));
    found.to_bitmask() as u16
}

#[cfg(test)]
mod tests {
    use super::words;
    use proptest::prelude::*;

    fn plainly(line: &str) -> Vec<&str> {
        line.split([' ', '\t']).filter(|w| !w.is_empty()).collect()
    }

    #[test]
    fn blanks_alone_give_nothing_and_the_end_stays_the_end() {
        for line in ["", " ", "\t \t", &" ".repeat(200)] {
            let mut found = words(line);
            assert_eq!((found.next(), found.next()), (None, None), "{line:?}");
        }
        let mut one = words("word");
        assert_eq!((one.next(), one.next(), one.next()), (Some("word"), None, None));
    }

    #[test]
    fn every_length_around_the_block_is_cut_right() {
        for len in 0..300 {
            for period in [1, 2, 3, 7, 16, 17, 63, 64, 65] {
                let line: String = (0..len).map(|i| if i % period == period - 1 { ' ' } else { 'x' }).collect();
                assert_eq!(words(&line).collect::<Vec<_>>(), plainly(&line), "{line:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn it_splits_as_std_does(line in "[ \t\u{b}a-cäß漢🦀]{0,200}") {
            prop_assert_eq!(words(&line).collect::<Vec<_>>(), plainly(&line));
        }
    }
}
