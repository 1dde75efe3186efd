//! [`Stream`]: a file read from front to back: one packed with gzip or zstd as the bytes that are packed in it, or a plain one that may
//! change while it is read, and so is not mapped.
//!
//! Several gzip members or zstd frames behind each other are one stream. What is cut off or damaged gives a fault that
//! names the file, and so does a file that is not the one that was found. It knows nothing of records.

use super::files::FileFound;
use crate::error::Fault;
use flate2::read::MultiGzDecoder;
use ruzstd::decoding::FrameDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;
use std::rc::Rc;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    /// By the first bytes of a file; `None` if it is not packed.
    pub(super) fn of(start: &[u8]) -> Option<Packing> {
        match start {
            [0x1f, 0x8b, ..] => Some(Packing::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd] => Some(Packing::Zstd),
            // A zstd file may begin with a frame that is to be skipped.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some(Packing::Zstd),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        }
    }
}

/// A file that is being read.
pub(super) struct Stream {
    file: FileFound,
    packing: Option<Packing>,
    decoder: Decoder,
    read: Rc<Cell<u64>>,
}

enum Decoder {
    Plain(Counted),
    Gzip(Box<MultiGzDecoder<Counted>>),
    Zstd(Box<Frames>),
}

impl Stream {
    /// Reads `file` from its start.
    pub(super) fn new(found: FileFound, packing: Option<Packing>, mut file: File) -> Result<Stream, Fault> {
        file.rewind().map_err(|e| unreadable(&found.path, e))?;
        let read = Rc::new(Cell::new(0));
        let counted = Counted { file, read: Rc::clone(&read), left: found.bytes };
        let decoder = match packing {
            None => Decoder::Plain(counted),
            Some(Packing::Gzip) => Decoder::Gzip(Box::new(MultiGzDecoder::new(counted))),
            Some(Packing::Zstd) => Decoder::Zstd(Box::new(Frames::new(counted))),
        };
        Ok(Stream { file: found, packing, decoder, read })
    }

    /// Fails if it is not the file that was found.
    pub(super) fn check(&self, found: &FileFound) -> Result<(), Fault> {
        if found.is_still(&self.file) { Ok(()) } else { Err(found.changed(self.file.bytes)) }
    }

    /// Fails if the file that was read is no longer the one that was found.
    pub(super) fn ended(&self) -> Result<(), Fault> {
        let file = match &self.decoder {
            Decoder::Plain(counted) => &counted.file,
            Decoder::Gzip(gzip) => &gzip.get_ref().file,
            Decoder::Zstd(zstd) => &zstd.from.get_ref().file,
        };
        let now = FileFound::of(&self.file.path, &file.metadata().map_err(|e| unreadable(&self.file.path, e))?);
        if now == self.file { Ok(()) } else { Err(self.file.changed(now.bytes)) }
    }

    /// Fills the front of `into`, and says how much; 0 at the end.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        loop {
            let got = match &mut self.decoder {
                Decoder::Plain(plain) => plain.read(into),
                Decoder::Gzip(gzip) => gzip.read(into),
                Decoder::Zstd(zstd) => zstd.read(into),
            };
            match got {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.broken(e)),
                Ok(got) => return Ok(got),
            }
        }
    }

    /// Bytes of the file itself that have been read.
    pub(super) fn bytes_read(&self) -> u64 {
        self.read.get()
    }

    fn broken(&self, error: io::Error) -> Fault {
        let Some(packing) = self.packing else { return unreadable(&self.file.path, error) };
        // A file that became another one under our hands is not damaged.
        if let Err(changed) = self.ended() {
            return changed;
        }
        let name = packing.name();
        let all_read = self.read.get() >= self.file.bytes;
        let what = if error.kind() == io::ErrorKind::UnexpectedEof || all_read && packing == Packing::Zstd {
            format!("the {name} file is cut off or damaged at its end")
        } else {
            format!("the {name} file is damaged")
        };
        Fault::new(what)
            .in_file(&self.file.path)
            .because(error)
            .help(format!("get the file again; `{name} --test` says whether it is whole"))
    }
}

/// A file that counts what was read from it, and ends where it ended when it was found.
struct Counted {
    file: File,
    read: Rc<Cell<u64>>,
    left: u64,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let got = self.file.read(into.get_mut(..most).unwrap_or_default())?;
        self.left -= got as u64;
        self.read.set(self.read.get() + got as u64);
        Ok(got)
    }
}

/// Zstd frames behind each other.
struct Frames {
    from: BufReader<Counted>,
    decoder: FrameDecoder,
    inside: bool,
}

impl Frames {
    fn new(from: Counted) -> Self {
        let mut decoder = FrameDecoder::new();
        // What `zstd --long=27` asks for, the most that the tool itself unpacks without being told to.
        decoder.set_max_window_size(128 << 20);
        Frames { from: BufReader::with_capacity(128 << 10, from), decoder, inside: false }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.inside {
                if self.from.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                match self.decoder.init(&mut self.from) {
                    Ok(()) => self.inside = true,
                    Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                        length, ..
                    })) => {
                        let skipped = io::copy(&mut (&mut self.from).take(u64::from(length)), &mut io::sink())?;
                        if skipped < u64::from(length) {
                            return Err(io::ErrorKind::UnexpectedEof.into());
                        }
                        continue;
                    }
                    Err(e) => return Err(io::Error::other(e)),
                }
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let one = ruzstd::decoding::BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.from, one).map_err(io::Error::other)?;
            }
            let got = Read::read(&mut self.decoder, into)?;
            if got > 0 || into.is_empty() {
                return Ok(got);
            }
            let stored = self.decoder.get_checksum_from_data();
            if stored.is_some() && stored != self.decoder.get_calculated_checksum() {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the checksum does not match"));
            }
            self.inside = false;
        }
    }
}

/// A read that failed in the middle of a file.
pub(super) fn unreadable(path: &Path, error: io::Error) -> Fault {
    Fault::new("cannot read the file").in_file(path).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn unpack(bytes: &[u8], packing: Packing) -> Result<Vec<u8>, Fault> {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pelton-packed-{}-{number}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(Packing::of(&bytes[..bytes.len().min(4)]), Some(packing));
        let found = FileFound::of(&path, &path.metadata().unwrap());
        let mut packed = Stream::new(found, Some(packing), File::open(&path).unwrap()).unwrap();
        std::fs::remove_file(&path).unwrap();
        let (mut all, mut piece) = (Vec::new(), vec![0; 1000]);
        loop {
            match packed.read(&mut piece)? {
                0 => break,
                got => all.extend_from_slice(&piece[..got]),
            }
        }
        assert_eq!(packed.bytes_read(), bytes.len() as u64);
        Ok(all)
    }

    fn pack(bytes: &[u8], packing: Packing) -> Vec<u8> {
        match packing {
            Packing::Gzip => {
                let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                packer.write_all(bytes).unwrap();
                packer.finish().unwrap()
            }
            Packing::Zstd => ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest),
        }
    }

    fn text() -> Vec<u8> {
        (0..4_000u32).flat_map(|i| format!("{},{}\n", i, i.wrapping_mul(2_654_435_761)).into_bytes()).collect()
    }

    #[test]
    fn members_and_frames_behind_each_other_are_one_stream() {
        for packing in [Packing::Gzip, Packing::Zstd] {
            let whole = [pack(&text(), packing), pack(b"", packing), pack(b"the end", packing)].concat();
            assert_eq!(unpack(&whole, packing).unwrap(), [&text()[..], b"the end"].concat());
        }
    }

    #[test]
    fn a_skipped_zstd_frame_is_skipped() {
        let skipped = [0x52, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 7, 7, 7];
        let whole = [&skipped[..], &pack(b"text", Packing::Zstd), &skipped[..]].concat();
        assert_eq!(unpack(&whole, Packing::Zstd).unwrap(), b"text");
    }

    #[test]
    fn a_cut_file_is_a_fault_wherever_it_is_cut() {
        for packing in [Packing::Gzip, Packing::Zstd] {
            let whole = pack(&text(), packing);
            for cut in (5..whole.len()).step_by(997).chain([whole.len() - 1]) {
                let fault = unpack(&whole[..cut], packing).expect_err(&format!("{packing:?} cut at {cut}"));
                assert!(fault.what.contains("cut off"), "{packing:?} cut at {cut}: {fault}");
            }
        }
    }

    #[test]
    fn a_wrong_checksum_is_a_fault() {
        for packing in [Packing::Gzip, Packing::Zstd] {
            let mut whole = pack(&text(), packing);
            // Gzip: checksum, then length. Zstd: the checksum is last.
            let at = whole.len() - if packing == Packing::Gzip { 8 } else { 4 };
            whole[at] ^= 1;
            let fault = unpack(&whole, packing).unwrap_err();
            assert!(fault.to_string().contains("checksum"), "{packing:?}: {fault}");
        }
    }
}
