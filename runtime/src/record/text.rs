//! Records of text and bytes, and the borrowed rows that become them.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Record, Row, own_rows};
use crate::codec::{CodecError, Reader, put_bytes};
use crate::schema::Schema;

/// Types whose bytes are borrowed from the reader and then owned.
macro_rules! runs {
    ($($type:ty: $schema:ident, |$value:ident| $bytes:expr, |$read:ident| $owned:expr);* $(;)?) => { $(
        impl Record for $type {
            const SCHEMA: &'static Schema = &Schema::$schema;
            #[inline]
            fn encode(&self, out: &mut Vec<u8>) {
                let $value = self;
                put_bytes(out, $bytes);
            }
            #[inline]
            fn decode($read: &mut Reader<'_>) -> Result<Self, CodecError> {
                Ok($owned)
            }
        }
    )* };
}

runs! {
    String: Str, |text| text.as_bytes(), |from| from.str()?.to_owned();
    Box<str>: Str, |text| text.as_bytes(), |from| Box::from(from.str()?);
    Arc<str>: Str, |text| text.as_bytes(), |from| Arc::from(from.str()?);
    Cow<'static, str>: Str, |text| text.as_bytes(), |from| Cow::Owned(from.str()?.to_owned());
    Cow<'static, [u8]>: Bytes, |bytes| bytes, |from| Cow::Owned(from.bytes()?.to_vec());
    Box<[u8]>: Bytes, |bytes| bytes, |from| Box::from(from.bytes()?);
}

own_rows!([] String, [] Box<str>, [] Arc<str>, [] Box<[u8]>, [] PathBuf);

impl Row for &str {
    type Stored = String;
    #[inline]
    fn store(self) -> String {
        self.to_owned()
    }
}

impl Row for &[u8] {
    type Stored = Vec<u8>;
    #[inline]
    fn store(self) -> Vec<u8> {
        self.to_owned()
    }
}

impl Row for Cow<'_, str> {
    type Stored = Cow<'static, str>;
    #[inline]
    fn store(self) -> Cow<'static, str> {
        Cow::Owned(self.into_owned())
    }
}

impl Row for Cow<'_, [u8]> {
    type Stored = Cow<'static, [u8]>;
    #[inline]
    fn store(self) -> Cow<'static, [u8]> {
        Cow::Owned(self.into_owned())
    }
}

/// The path's bytes. Where paths are no bytes (Windows) it is their UTF-8 form, in which what is no Unicode is lost.
impl Record for PathBuf {
    const SCHEMA: &'static Schema = &Schema::Path;
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        #[cfg(unix)]
        put_bytes(out, std::os::unix::ffi::OsStrExt::as_bytes(self.as_os_str()));
        #[cfg(not(unix))]
        put_bytes(out, self.to_string_lossy().as_bytes());
    }
    #[inline]
    fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        #[cfg(unix)]
        let path: OsString = std::os::unix::ffi::OsStringExt::from_vec(from.bytes()?.to_vec());
        #[cfg(not(unix))]
        let path = OsString::from(from.str()?);
        Ok(PathBuf::from(path))
    }
}
