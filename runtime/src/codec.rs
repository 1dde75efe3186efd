//! stub
#![allow(missing_docs)]
use std::fmt;
#[derive(Debug)]
pub struct CodecError { what: String, at: usize }
impl CodecError { pub fn new(what: impl Into<String>, at: usize) -> Self { CodecError { what: what.into(), at } } }
impl fmt::Display for CodecError { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{} at byte {}", self.what, self.at) } }
impl std::error::Error for CodecError {}
pub struct Reader<'a> { bytes: &'a [u8], at: usize }
impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self { Reader { bytes, at: 0 } }
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], CodecError> { let r = self.bytes.get(self.at..self.at + n).ok_or_else(|| CodecError::new("short", self.at))?; self.at += n; Ok(r) }
}
