//! [`Json`], [`Text`], [`Bytes`]: what a value's bytes are as a row, and the other way round.

use crate::source::RowType;
use serde::{Deserialize, Serialize};

/// A value is JSON, as serde reads and writes it.
#[derive(Clone, Copy, Debug)]
pub struct Json;

/// A value is UTF-8 text.
#[derive(Clone, Copy, Debug)]
pub struct Text;

/// A value is bytes, whatever they mean.
#[derive(Clone, Copy, Debug)]
pub struct Bytes;

/// A form in which rows of a source can be read.
pub trait Reads<R: RowType>: 'static {
    /// Reads a row, or says why it is none.
    ///
    /// # Errors
    /// If the value is no row.
    fn read(value: &[u8]) -> Result<R::Row<'_>, String>;
}

/// A form in which a row can be written.
#[diagnostic::on_unimplemented(
    message = "a log cannot hold `{X}` as `{Self}`",
    label = "not a row for this form",
    note = "`.json()` needs `Serialize`, `.text()` something with `AsRef<str>`, `.bytes()` something with `AsRef<[u8]>`"
)]
pub trait Writes<X>: 'static {
    /// Appends the row.
    ///
    /// # Errors
    /// If the form cannot hold it.
    fn write(row: &X, out: &mut Vec<u8>) -> Result<(), String>;
}

impl<R: RowType> Reads<R> for Json
where
    for<'a> R::Row<'a>: Deserialize<'a>,
{
    fn read(value: &[u8]) -> Result<R::Row<'_>, String> {
        serde_json::from_slice(value).map_err(|e| e.to_string())
    }
}

impl<X: Serialize> Writes<X> for Json {
    fn write(row: &X, out: &mut Vec<u8>) -> Result<(), String> {
        serde_json::to_writer(out, row).map_err(|e| e.to_string())
    }
}

impl<R: RowType> Reads<R> for Text
where
    for<'a> R::Row<'a>: From<&'a str>,
{
    fn read(value: &[u8]) -> Result<R::Row<'_>, String> {
        match simdutf8::compat::from_utf8(value) {
            Ok(text) => Ok(text.into()),
            Err(e) => Err(format!("it is not UTF-8 from its byte {} on", e.valid_up_to() + 1)),
        }
    }
}

impl<X: AsRef<str>> Writes<X> for Text {
    fn write(row: &X, out: &mut Vec<u8>) -> Result<(), String> {
        out.extend_from_slice(row.as_ref().as_bytes());
        Ok(())
    }
}

impl<R: RowType> Reads<R> for Bytes
where
    for<'a> R::Row<'a>: From<&'a [u8]>,
{
    fn read(value: &[u8]) -> Result<R::Row<'_>, String> {
        Ok(value.into())
    }
}

impl<X: AsRef<[u8]>> Writes<X> for Bytes {
    fn write(row: &X, out: &mut Vec<u8>) -> Result<(), String> {
        out.extend_from_slice(row.as_ref());
        Ok(())
    }
}

/// What the key of a record is.
pub trait Keys<X>: 'static {
    /// Appends the key; `false` if there is none.
    fn key(&self, row: &X, out: &mut Vec<u8>) -> bool;
}

/// No record has a key.
#[derive(Clone, Copy, Debug)]
pub struct NoKey;

impl<X> Keys<X> for NoKey {
    fn key(&self, _: &X, _: &mut Vec<u8>) -> bool {
        false
    }
}

/// A function gives the key.
#[derive(Clone, Copy, Debug)]
pub struct KeyBy<F>(pub(super) F);

impl<X, K: AsRef<[u8]>, F: Fn(&X) -> K + 'static> Keys<X> for KeyBy<F> {
    fn key(&self, row: &X, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice((self.0)(row).as_ref());
        true
    }
}
