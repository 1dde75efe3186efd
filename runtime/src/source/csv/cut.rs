//! [`Quotes`]: where csv text can be cut into splits: behind a line end that is not inside quotes.
//!
//! It knows of quotes and separators no more than it must for that; records and fields are found by `scan`.

use super::scan::{BLOCK, QUOTE};
use crate::source::body::BOM;
use crate::source::splits::Cut;
use wide::u8x16;

/// Cuts csv text behind a `\n` that is not inside quotes. It looks at every quote between two cuts, for only so it can
/// know; text without quotes costs one search for them.
pub(super) struct Quotes {
    pub(super) separator: u8,
}

impl Cut for Quotes {
    fn cut(&self, data: &[u8], from: usize, target: usize) -> usize {
        let Some(mut at) = self.outside(data, from, target) else { return data.len() };
        if at.checked_sub(1).and_then(|before| data.get(before)) == Some(&b'\n') {
            return at;
        }
        loop {
            let rest = data.get(at..).unwrap_or_default();
            let Some(found) = memchr::memchr2(QUOTE, b'\n', rest) else { return data.len() };
            at += found;
            match rest.get(found) {
                Some(&b'\n') => return at + 1,
                _ if self.opens(data, at) => at = closed(data, at),
                _ => at += 1,
            }
        }
    }
}

impl Quotes {
    /// The first place outside of quotes that is not in front of `target`; `from` is one. `None` if quotes are open to the
    /// end.
    fn outside(&self, data: &[u8], from: usize, target: usize) -> Option<usize> {
        let mut quotes = EachQuote::new(data, from);
        loop {
            match quotes.next_before(target) {
                Some(quote) if quote < target => {
                    if !self.opens(data, quote) {
                        continue;
                    }
                }
                _ => return Some(target),
            }
            let close = loop {
                let quote = quotes.next_before(data.len())?;
                if data.get(quote + 1) != Some(&QUOTE) {
                    break quote;
                }
                quotes.next_before(data.len());
            };
            if close >= target {
                return Some(close + 1);
            }
        }
    }

    /// Whether a quote outside of quotes stands at the start of a field.
    fn opens(&self, data: &[u8], quote: usize) -> bool {
        match quote.checked_sub(1).and_then(|before| data.get(before)) {
            None => true,
            Some(&before) => {
                before == self.separator
                    || before == b'\n'
                    || before == b'\r'
                    || quote == BOM.len() && data.starts_with(BOM)
            }
        }
    }
}

/// The places of quotes, found 64 bytes at a time: in text where most fields are quoted that is several times as fast as
/// a search for each.
struct EachQuote<'a> {
    data: &'a [u8],
    block: usize,
    bits: u64,
}

impl<'a> EachQuote<'a> {
    fn new(data: &'a [u8], from: usize) -> Self {
        EachQuote { data, block: from, bits: quotes_of(data.get(from..).unwrap_or_default()) }
    }

    /// The next quote. `None` if there is none in front of `limit`; it may lie a little behind.
    #[inline]
    fn next_before(&mut self, limit: usize) -> Option<usize> {
        while self.bits == 0 {
            let next = self.block + BLOCK;
            if next >= limit {
                return None;
            }
            self.block = next;
            self.bits = quotes_of(self.data.get(next..).unwrap_or_default());
        }
        let place = self.block + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(place)
    }
}

/// A bit for each quote in the first 64 bytes of `text`.
#[inline(always)]
fn quotes_of(text: &[u8]) -> u64 {
    let mut padded = [0; BLOCK];
    let block = text.first_chunk::<BLOCK>().unwrap_or_else(|| {
        for (to, from) in padded.iter_mut().zip(text) {
            *to = *from;
        }
        &padded
    });
    let (sixteens, _) = block.as_chunks::<16>();
    let mut bits = 0;
    for (i, sixteen) in sixteens.iter().enumerate() {
        bits |= u64::from(u8x16::new(*sixteen).simd_eq(u8x16::splat(QUOTE)).to_bitmask()) << (16 * i);
    }
    bits
}

/// Behind the quote that closes the one at `open`.
fn closed(data: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    loop {
        match memchr::memchr(QUOTE, data.get(at..).unwrap_or_default()) {
            None => return data.len(),
            Some(found) if data.get(at + found + 1) == Some(&QUOTE) => at += found + 2,
            Some(found) => return at + found + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::tests::{records, text};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn cuts_are_between_records(text in text(), size in 1usize..40) {
            let mut pieces = Vec::new();
            let mut at = 0;
            while at < text.len() {
                let target = at + size;
                let next = if target < text.len() { Quotes { separator: b',' }.cut(&text, at, target) } else { text.len() };
                prop_assert!(next >= target.min(text.len()), "{} {}", next, target);
                pieces.extend(records(&text[at..next], true).0);
                at = next;
            }
            prop_assert_eq!(pieces, records(&text, true).0);
        }
    }
}
