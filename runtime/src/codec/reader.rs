//! [`Reader`]: takes a byte form apart, front to back. It never panics, never reads past the end, and says how much
//! room a count can justify before anyone allocates it.

use super::{CodecError, CodecErrorKind};

/// How deep lists, maps and boxes may be nested in one value. A derived record nests as deep as its type is written;
/// the bound is for hand-written recursive ones, whose depth the bytes decide.
pub const MAX_DEPTH: u32 = 128;

/// How many bytes of memory may be set aside in advance for each byte that is left to read.
const MEMORY_PER_BYTE: usize = 8;

/// A checked cursor over bytes. Cheap to make; on an error its position is where the mistake was noticed.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
    depth: u32,
}

impl<'a> Reader<'a> {
    /// Reads from the first of these bytes on.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes, length: bytes.len(), depth: 0 }
    }

    /// Reads bytes that are a part of something larger: `at` bytes stand in front of them, so that errors name the
    /// right place.
    pub(crate) fn starting_at(at: usize, bytes: &'a [u8]) -> Self {
        Reader { rest: bytes, length: at + bytes.len(), depth: 0 }
    }

    /// How many bytes have been read.
    #[inline]
    pub fn at(&self) -> usize {
        self.length - self.rest.len()
    }

    /// How many bytes are left.
    #[inline]
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// An error at the present position: the bytes mean no value of the type. `what` is a sentence without a full stop.
    #[cold]
    pub fn invalid(&self, what: impl Into<String>) -> CodecError {
        CodecError::new(CodecErrorKind::Invalid, self.at(), what)
    }

    /// An error at the present position: no variant of the enum `of` has this index.
    #[cold]
    pub fn no_variant(&self, of: &'static str, index: u16) -> CodecError {
        self.invalid(format!("`{of}` has no variant number {index}"))
    }

    #[cold]
    fn short(&self, wanted: usize) -> CodecError {
        let missing = wanted - self.left();
        CodecError::new(CodecErrorKind::Short, self.at(), format!("the bytes end {missing} short of {wanted}"))
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// If there are fewer.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        match self.rest.split_first_chunk::<N>() {
            Some((chunk, rest)) => {
                self.rest = rest;
                Ok(*chunk)
            }
            None => Err(self.short(N)),
        }
    }

    /// The next byte.
    ///
    /// # Errors
    /// If there is none.
    #[inline]
    pub fn byte(&mut self) -> Result<u8, CodecError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// The next `n` bytes, borrowed.
    ///
    /// # Errors
    /// If there are fewer.
    #[inline]
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], CodecError> {
        match self.rest.split_at_checked(n) {
            Some((head, rest)) => {
                self.rest = rest;
                Ok(head)
            }
            None => Err(self.short(n)),
        }
    }

    /// A length or a count, as [`put_length`](super::put_length) writes it.
    ///
    /// # Errors
    /// If it is cut off, longer than it need be, or too large for this machine.
    #[inline]
    pub fn length(&mut self) -> Result<usize, CodecError> {
        match self.rest.split_first() {
            Some((&byte, rest)) if byte < 0x80 => {
                self.rest = rest;
                Ok(byte as usize)
            }
            _ => self.long_length(),
        }
    }

    fn long_length(&mut self) -> Result<usize, CodecError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(self.invalid("a length of more than 64 bits"));
            }
            value |= bits << shift;
            if byte < 0x80 {
                if byte == 0 && shift > 0 {
                    return Err(self.invalid("a length that is not in its shortest form"));
                }
                return usize::try_from(value).map_err(|_| self.invalid(format!("a length of {value}")));
            }
        }
        Err(self.invalid("a length of more than 64 bits"))
    }

    /// A count of elements that take at least `least` bytes each (0 counts as 1, see the [module](super)), checked
    /// against the bytes that are left.
    ///
    /// # Errors
    /// If it is no count, or claims more elements than the bytes could hold.
    #[inline]
    pub fn count(&mut self, least: usize) -> Result<usize, CodecError> {
        let count = self.length()?;
        if count > self.left() / least.max(1) { Err(self.too_many(count, least.max(1))) } else { Ok(count) }
    }

    #[cold]
    fn too_many(&self, count: usize, least: usize) -> CodecError {
        let left = self.left();
        CodecError::new(
            CodecErrorKind::Short,
            self.at(),
            format!("{count} elements of at least {least} bytes are claimed, and {left} bytes are left"),
        )
    }

    /// How many elements of `size` bytes in memory to make room for in advance, when `count` are claimed: all of them
    /// if the bytes that are left justify it, else fewer, and the rest as they turn out to be there.
    #[inline]
    pub fn room(&self, count: usize, size: usize) -> usize {
        count.min(self.left().saturating_mul(MEMORY_PER_BYTE) / size.max(1))
    }

    /// Bytes with their length in front, borrowed.
    ///
    /// # Errors
    /// If they are cut off.
    #[inline]
    pub fn bytes(&mut self) -> Result<&'a [u8], CodecError> {
        let n = self.length()?;
        self.take(n)
    }

    /// Text with its length in front, borrowed.
    ///
    /// # Errors
    /// If it is cut off or not UTF-8.
    #[inline]
    pub fn str(&mut self) -> Result<&'a str, CodecError> {
        let bytes = self.bytes()?;
        simdutf8::basic::from_utf8(bytes).map_err(|_| self.invalid("text that is not UTF-8"))
    }

    /// Reads what is nested in the value at hand. Whatever may contain itself reads its parts through this.
    ///
    /// # Errors
    /// What `read` says, or that values are nested deeper than [`MAX_DEPTH`].
    #[inline]
    pub fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, CodecError>) -> Result<T, CodecError> {
        if self.depth == MAX_DEPTH {
            return Err(CodecError::new(
                CodecErrorKind::TooDeep,
                self.at(),
                format!("values are nested deeper than {MAX_DEPTH}"),
            ));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    /// Says that the value ends here.
    ///
    /// # Errors
    /// If there are bytes left.
    #[inline]
    pub fn end(&self) -> Result<(), CodecError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(CodecError::new(CodecErrorKind::Trailing, self.at(), format!("{} bytes behind the value", self.left())))
    }
}

#[cfg(test)]
mod tests {
    use super::super::put_length;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_have_one_form() {
        for (bytes, says) in [
            (&[0x80, 0x00][..], "shortest form"),
            (&[0xff; 9][..], "end 1 short"),
            (&[0xff; 10][..], "more than 64 bits"),
            (&[0x80], "end 1 short"),
            (&[], "end 1 short"),
        ] {
            let error = Reader::new(bytes).length().unwrap_err();
            assert!(error.what().contains(says), "{bytes:x?}: {error}");
        }
    }

    #[test]
    fn a_count_is_checked_against_the_bytes_left() {
        let mut reader = Reader::new(&[3, 0, 0, 0, 0, 0, 0]);
        assert_eq!(reader.clone().count(2).unwrap(), 3);
        assert_eq!(reader.clone().count(0).unwrap(), 3);
        let error = reader.count(4).unwrap_err();
        assert_eq!(error.to_string(), "3 elements of at least 4 bytes are claimed, and 6 bytes are left (byte 1)");
        assert_eq!(Reader::new(&[7, 0, 0, 0, 0, 0, 0]).count(0).unwrap_err().kind(), CodecErrorKind::Short);
    }

    #[test]
    fn nesting_is_bounded() {
        fn down(from: &mut Reader<'_>, levels: u32) -> Result<u32, CodecError> {
            if levels == 0 { Ok(0) } else { from.nested(|from| down(from, levels - 1)).map(|n| n + 1) }
        }
        let mut reader = Reader::new(&[]);
        assert_eq!(down(&mut reader, MAX_DEPTH).unwrap(), MAX_DEPTH);
        assert_eq!(down(&mut reader, MAX_DEPTH + 1).unwrap_err().kind(), CodecErrorKind::TooDeep);
        assert_eq!(down(&mut reader, MAX_DEPTH).unwrap(), MAX_DEPTH, "the depth is given back after an error");
    }

    proptest! {
        #[test]
        fn lengths_round_trip(length: usize) {
            let mut bytes = Vec::new();
            put_length(&mut bytes, length);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.length().unwrap(), length);
            prop_assert!(reader.end().is_ok());
        }

        #[test]
        fn whatever_reads_as_a_length_is_how_it_is_written(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            let mut reader = Reader::new(&bytes);
            if let Ok(length) = reader.length() {
                let mut again = Vec::new();
                put_length(&mut again, length);
                prop_assert_eq!(&again[..], &bytes[..reader.at()]);
            }
        }
    }
}
