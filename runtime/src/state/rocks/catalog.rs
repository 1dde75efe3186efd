//! [`Catalog`]: what a checkpoint has of a database besides its tables: their names, and RocksDB's own manifest, which says what the tables
//! are. A checkpoint names the catalog, and right behind it the tables in the same order.
//!
//! ```text
//! catalog   magic "PELTONd\0" | version u16, 6 zero bytes | a record: name and bytes of the manifest, names of the tables
//! ```

use crate::codec::{CodecError, CodecErrorKind};
use crate::error::Fault;
use crate::record::{self, Record as _};
use pelton_macros::Record;
use std::fs;
use std::path::{Path, PathBuf};

/// The first bytes of a catalog.
pub const MAGIC: [u8; 8] = *b"PELTONd\0";
/// The layout that this version writes, and the only one it reads.
const VERSION: u16 = 1;
const HEADER: usize = 16;

/// See the module.
#[derive(Record, Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    /// The name of RocksDB's manifest.
    pub manifest: String,
    /// All of it.
    pub bytes: Vec<u8>,
    /// The names of the tables, in the folder of the database.
    pub tables: Vec<String>,
}

impl Catalog {
    /// As a checkpoint has it.
    pub fn encoded(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.bytes.len() + 16 * self.tables.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.resize(HEADER, 0);
        self.encode(&mut bytes);
        bytes
    }

    /// The inverse.
    ///
    /// # Errors
    /// If it is no catalog, or of another version, or names files outside of its folder.
    pub fn decode(bytes: &[u8]) -> Result<Catalog, CodecError> {
        let other = || CodecError::new(CodecErrorKind::OtherVersion, 0, "this is no catalog of version 1");
        let (head, rest) = bytes.split_at_checked(HEADER).ok_or_else(other)?;
        let version = VERSION.to_le_bytes();
        if !head.starts_with(&MAGIC) || head.get(8..10) != Some(&version[..]) {
            return Err(other());
        }
        let catalog: Catalog = record::whole(rest)?;
        let plain = |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
        if !catalog.tables.iter().chain([&catalog.manifest]).all(plain) {
            return Err(CodecError::new(CodecErrorKind::Invalid, HEADER, "a file of the catalog has no plain name"));
        }
        Ok(catalog)
    }

    /// Makes a folder of a database of it, but for the tables. `entries` says how many each of them has.
    ///
    /// # Errors
    /// If the files cannot be written.
    pub fn lay_out(&self, folder: &Path, entries: Vec<u64>) -> Result<Files, Fault> {
        let cannot =
            |file: &Path, e: std::io::Error| Fault::new("cannot write a file of state").in_file(file).because(e);
        fs::create_dir_all(folder).map_err(|e| cannot(folder, e))?;
        let current = format!("{}\n", self.manifest);
        let write = |file: PathBuf, bytes: &[u8]| fs::write(&file, bytes).map_err(|e| cannot(&file, e));
        write(folder.join(&self.manifest), &self.bytes)?;
        write(folder.join("CURRENT"), current.as_bytes())?;
        // Under this name it goes on to the next checkpoint.
        self.put_beside(folder, entries)
    }

    /// Puts it beside the files that it tells of.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn put_beside(&self, folder: &Path, entries: Vec<u64>) -> Result<Files, Fault> {
        let tables = self.tables.iter().cloned().zip(entries).collect();
        let files = Files { folder: folder.to_owned(), tables };
        let file = files.catalog();
        fs::write(&file, self.encoded())
            .map_err(|e| Fault::new("cannot write a file of state").in_file(&file).because(e))?;
        Ok(files)
    }
}

/// The files of a database of a checkpoint, in a folder of their own.
#[derive(Debug)]
pub struct Files {
    /// The folder.
    pub folder: PathBuf,
    /// The tables' names, and how many entries each has.
    pub tables: Vec<(String, u64)>,
}

impl Files {
    /// The file of the catalog.
    pub fn catalog(&self) -> PathBuf {
        self.folder.join("PELTON-CATALOG")
    }

    /// The files of the tables.
    pub fn tables(&self) -> impl Iterator<Item = PathBuf> {
        self.tables.iter().map(|(name, _)| self.folder.join(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_read_and_nothing_else() {
        let catalog = Catalog {
            manifest: "MANIFEST-000005".into(),
            bytes: vec![1, 2, 3],
            tables: vec!["000007.sst".into(), "000009.sst".into()],
        };
        let bytes = catalog.encoded();
        assert_eq!(Catalog::decode(&bytes).unwrap(), catalog);
        for cut in 0..bytes.len() {
            assert!(Catalog::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        for name in ["../000007.sst", "/etc/passwd", "a/b", "a\\b"] {
            let outside = Catalog { tables: vec![name.into()], ..catalog.clone() };
            assert!(Catalog::decode(&outside.encoded()).is_err(), "{name}");
        }
        let mut later = bytes;
        later[8] = 2;
        assert!(Catalog::decode(&later).is_err());
    }
}
