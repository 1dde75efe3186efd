//! [`Scanner`]: where the records and fields of csv text are.
//!
//! Separators, line ends and quotes are found 64 bytes at a time. The rules are those of the `csv` crate: a quote is
//! special at the start of a field only, `""` inside quotes is one, a record ends at `\n`, `\r` or `\r\n`, and blank
//! lines are no records. It knows nothing of names and types.

use wide::u8x16;

pub(super) const QUOTE: u8 = b'"';
pub(super) const BLOCK: usize = 64;
/// The longest record: what a field's place can say. More than that is a quote that nobody closed.
const LONGEST: usize = 1 << 31;
/// Marks a field whose text is in the scratch buffer.
const ESCAPED: u32 = 1 << 31;

/// Where the fields of one record are. Reused from record to record.
#[derive(Default)]
pub(super) struct Fields {
    spans: Vec<(u32, u32)>,
    scratch: Vec<u8>,
}

impl Fields {
    /// Makes a record of these texts, and gives its bytes.
    pub(super) fn put(&mut self, texts: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.spans.clear();
        for text in texts {
            let start = bytes.len() as u32;
            bytes.extend_from_slice(text.as_bytes());
            self.spans.push((start, bytes.len() as u32));
        }
        bytes
    }

    /// The texts of the fields, of a record that began with `record`.
    pub(super) fn of<'a>(&'a self, record: &'a [u8]) -> Record<'a> {
        Record { record, spans: &self.spans, scratch: &self.scratch }
    }
}

/// One record: its fields, lent.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    record: &'a [u8],
    spans: &'a [(u32, u32)],
    scratch: &'a [u8],
}

impl<'a> Record<'a> {
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// The text of a field, without its quotes.
    #[inline(always)]
    pub(super) fn get(&self, field: usize) -> Option<&'a [u8]> {
        let &(start, end) = self.spans.get(field)?;
        if end & ESCAPED == 0 {
            self.record.get(start as usize..end as usize)
        } else {
            self.scratch.get(start as usize..(end & !ESCAPED) as usize)
        }
    }

    /// How far behind the record's start a field begins; for messages.
    pub(super) fn offset(&self, field: usize) -> usize {
        match self.spans.get(field) {
            Some(&(start, end)) if end & ESCAPED == 0 => start as usize,
            _ => 0,
        }
    }
}

/// What came of looking for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scanned {
    /// A record that starts here; the scanner stands behind it.
    Record { start: usize },
    /// The text ends inside a record, and more is to come.
    Short,
    /// Nothing is left.
    End,
    /// A record of 2 GiB or more.
    TooLong { start: usize },
}

/// Goes through csv text from record to record.
pub(super) struct Scanner<'a> {
    text: &'a [u8],
    separator: u8,
    /// Whether nothing comes behind the text.
    complete: bool,
    at: usize,
    /// Where the bytes begin that `bits` speaks of.
    block: usize,
    /// A bit for each separator, line end and quote in the block that has not been passed.
    bits: u64,
}

impl<'a> Scanner<'a> {
    /// `text` starts with a record.
    pub(super) fn new(text: &'a [u8], separator: u8, complete: bool) -> Self {
        let bits = special(text, separator);
        Scanner { text, separator, complete, at: 0, block: 0, bits }
    }

    /// Where the next record may start.
    #[inline(always)]
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next byte that is a separator, a line end or a quote, at `at` or behind it.
    #[inline(always)]
    fn next_special(&mut self) -> Option<(usize, u8)> {
        while self.bits == 0 {
            self.block += BLOCK;
            if self.block >= self.text.len() {
                // Stays there, however often it is asked.
                self.block -= BLOCK;
                return None;
            }
            self.bits = special(self.text.get(self.block..).unwrap_or_default(), self.separator);
        }
        let place = self.block + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some((place, *self.text.get(place)?))
    }

    /// Finds the next record.
    #[inline]
    pub(super) fn record(&mut self, fields: &mut Fields) -> Scanned {
        while let Some(b'\n' | b'\r') = self.text.get(self.at) {
            self.next_special();
            self.at += 1;
        }
        let start = self.at;
        if start >= self.text.len() {
            return Scanned::End;
        }
        fields.spans.clear();
        fields.scratch.clear();
        let mut field = start;
        loop {
            let Some((place, found)) = self.next_special() else {
                if !self.complete {
                    return self.short(start);
                }
                fields.spans.push(((field - start) as u32, (self.text.len() - start) as u32));
                return self.ended(start, self.text.len());
            };
            if found == self.separator {
                fields.spans.push(((field - start) as u32, (place - start) as u32));
                field = place + 1;
            } else if found != QUOTE {
                fields.spans.push(((field - start) as u32, (place - start) as u32));
                return self.ended_by(start, place, found);
            } else if place == field {
                match self.quoted(start, field, fields) {
                    After::Separator(next) => field = next,
                    After::Done(scanned) => return scanned,
                }
            }
        }
    }

    /// Reads a field whose opening quote, at `open`, was just passed.
    fn quoted(&mut self, start: usize, open: usize, fields: &mut Fields) -> After {
        let mut doubled = false;
        let close = loop {
            match self.next_special() {
                None if !self.complete => return After::Done(self.short(start)),
                None => break self.text.len(),
                Some((_, found)) if found != QUOTE => {}
                Some((place, _)) => match self.text.get(place + 1) {
                    None if !self.complete => return After::Done(self.short(start)),
                    Some(&QUOTE) => {
                        self.next_special();
                        doubled = true;
                    }
                    _ => break place,
                },
            }
        };
        // What stands between the closing quote and the end of the field belongs to it.
        let end = loop {
            match self.next_special() {
                None if !self.complete => return After::Done(self.short(start)),
                None => break (self.text.len(), None),
                Some((_, QUOTE)) => {}
                Some((place, found)) => break (place, Some(found)),
            }
        };
        let (end, by) = end;
        let inner = self.text.get(open + 1..close).unwrap_or_default();
        let behind = self.text.get(close + 1..end).unwrap_or_default();
        if doubled || !behind.is_empty() {
            let from = fields.scratch.len();
            let mut quotes = 0;
            fields.scratch.extend(inner.iter().filter(|&&b| {
                quotes = if b == QUOTE { quotes + 1 } else { 0 };
                quotes % 2 == 0 || b != QUOTE
            }));
            fields.scratch.extend_from_slice(behind);
            fields.spans.push((from as u32, fields.scratch.len() as u32 | ESCAPED));
        } else {
            fields.spans.push(((open + 1 - start) as u32, (close - start) as u32));
        }
        match by {
            Some(found) if found == self.separator => After::Separator(end + 1),
            Some(found) => After::Done(self.ended_by(start, end, found)),
            None => After::Done(self.ended(start, end)),
        }
    }

    #[inline(always)]
    fn ended_by(&mut self, start: usize, place: usize, found: u8) -> Scanned {
        let mut end = place + 1;
        if found == b'\r' && self.text.get(end) == Some(&b'\n') {
            self.next_special();
            end += 1;
        }
        self.ended(start, end)
    }

    #[inline(always)]
    fn ended(&mut self, start: usize, end: usize) -> Scanned {
        if end - start >= LONGEST {
            return Scanned::TooLong { start };
        }
        self.at = end;
        Scanned::Record { start }
    }

    fn short(&self, start: usize) -> Scanned {
        if self.text.len() - start >= LONGEST { Scanned::TooLong { start } } else { Scanned::Short }
    }
}

enum After {
    Separator(usize),
    Done(Scanned),
}

/// A bit for each separator, line end and quote in the first 64 bytes of `text`.
#[inline(always)]
fn special(text: &[u8], separator: u8) -> u64 {
    match text.first_chunk::<BLOCK>() {
        Some(block) => special_of(block, separator),
        None => {
            let mut block = [0; BLOCK];
            for (to, from) in block.iter_mut().zip(text) {
                *to = *from;
            }
            // What was put behind the text must not count, whatever the separator is.
            special_of(&block, separator) & ((1 << text.len()) - 1)
        }
    }
}

#[inline(always)]
fn special_of(block: &[u8; BLOCK], separator: u8) -> u64 {
    let (sixteens, _) = block.as_chunks::<16>();
    let mut bits = 0;
    for (i, sixteen) in sixteens.iter().enumerate() {
        let bytes = u8x16::new(*sixteen);
        let found = bytes.simd_eq(u8x16::splat(separator))
            | bytes.simd_eq(u8x16::splat(b'\n'))
            | bytes.simd_eq(u8x16::splat(b'\r'))
            | bytes.simd_eq(u8x16::splat(QUOTE));
        bits |= u64::from(found.to_bitmask()) << (16 * i);
    }
    bits
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in crate::source::csv) fn records(text: &[u8], complete: bool) -> (Vec<Vec<Vec<u8>>>, usize) {
        let mut scanner = Scanner::new(text, b',', complete);
        let (mut fields, mut found) = (Fields::default(), Vec::new());
        while let Scanned::Record { start } = scanner.record(&mut fields) {
            let record = fields.of(&text[start..]);
            found.push((0..record.len()).map(|i| record.get(i).unwrap().to_vec()).collect());
        }
        (found, scanner.at())
    }

    fn by_the_csv_crate(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
        reader.byte_records().map(|r| r.unwrap().iter().map(<[u8]>::to_vec).collect()).collect()
    }

    #[test]
    fn quotes_are_taken_off_and_undoubled() {
        let (found, _) = records(b"a,\"b,c\",\"d\"\"e\"\"\"\n\"x\"y\"z,\"\",p\"q\n\n\r\n\"open\n", true);
        let found: Vec<Vec<String>> =
            found.into_iter().map(|r| r.into_iter().map(|f| String::from_utf8(f).unwrap()).collect()).collect();
        assert_eq!(found, [vec!["a", "b,c", "d\"e\""], vec!["xy\"z", "", "p\"q"], vec!["open\n"]]);
    }

    /// Text in which what is special is frequent.
    pub(in crate::source::csv) fn text() -> impl Strategy<Value = Vec<u8>> {
        let pieces = prop::sample::select(vec![
            "a",
            "bc",
            ",",
            ",",
            ",",
            "\n",
            "\n",
            "\r\n",
            "\r",
            "\"",
            "\"",
            "\"\"",
            "\",\"",
            "a long piece of text without anything",
            "\"quoted\nover lines, it\"",
            "ß",
        ]);
        prop::collection::vec(pieces, 0..60).prop_map(|p| p.concat().into_bytes())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn records_are_those_of_the_csv_crate(text in text()) {
            prop_assert_eq!(records(&text, true).0, by_the_csv_crate(&text));
        }

        #[test]
        fn an_incomplete_text_gives_the_records_that_are_whole(text in text(), at in any::<prop::sample::Index>()) {
            let cut = at.index(text.len() + 1);
            let (mut found, done) = records(&text[..cut], false);
            found.extend(records(&text[done..], true).0);
            prop_assert_eq!(found, records(&text, true).0);
        }

    }
}
