//! [`Gzip`]: the one compressor, whose every byte is part of the promise.
//!
//! It is `zlib-rs` itself, in a pinned version. A library in between would choose among compressors by the features of
//! whatever else is built with it.

use std::io::{self, Write};

use zlib_rs::{Deflate, DeflateFlush, Status};

/// Names what makes the bytes: layers that another version or level made have other digests.
pub(super) const COMPRESSOR: &str = "zlib-rs-0.6.8-level-2";

/// How hard the compressor tries; see decision 22 for what other levels cost. Another level makes other digests.
const LEVEL: i32 = 2;

/// As far back as a match may be: 32 KiB, the most that the format permits.
const WINDOW_BITS: u8 = 15;

/// What gzip streams begin with (RFC 1952): no name and no time, and 255 for an unknown operating system: the real one is
/// nobody's business.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// How much the compressor is given at a time, and how much room it has for what it makes of that. What it makes depends
/// on both.
const CHUNK: usize = 64 * 1024;

/// Compresses what is written into a gzip stream.
pub(super) struct Gzip<W> {
    inner: W,
    deflate: Deflate,
    checksum: u32,
    /// Modulo 2^32, as the format has it.
    length: u32,
    chunk: Vec<u8>,
    room: Vec<u8>,
}

impl<W: Write> Gzip<W> {
    pub(super) fn new(mut inner: W) -> io::Result<Self> {
        inner.write_all(&HEADER)?;
        Ok(Self {
            inner,
            deflate: Deflate::new(LEVEL, false, WINDOW_BITS),
            checksum: 0,
            length: 0,
            chunk: Vec::with_capacity(CHUNK),
            room: vec![0; CHUNK],
        })
    }

    /// Ends the stream and returns where it went.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.compress(DeflateFlush::Finish)?;
        self.inner.write_all(&self.checksum.to_le_bytes())?;
        self.inner.write_all(&self.length.to_le_bytes())?;
        Ok(self.inner)
    }

    /// Has the compressor take the chunk.
    fn compress(&mut self, flush: DeflateFlush) -> io::Result<()> {
        self.checksum = zlib_rs::crc32::crc32(self.checksum, &self.chunk);
        self.length = self.length.wrapping_add(u32::try_from(self.chunk.len()).unwrap_or_default());
        let mut taken = 0;
        loop {
            let (read, made) = (self.deflate.total_in(), self.deflate.total_out());
            let status = self.deflate.compress(&self.chunk[taken..], &mut self.room, flush);
            let status = status.map_err(|error| io::Error::other(error.as_str()))?;
            taken += usize::try_from(self.deflate.total_in() - read).unwrap_or(CHUNK);
            let made = usize::try_from(self.deflate.total_out() - made).unwrap_or(CHUNK);
            self.inner.write_all(&self.room[..made])?;
            let is_done = match flush {
                DeflateFlush::Finish => status == Status::StreamEnd,
                _ => taken == self.chunk.len() && made < self.room.len(),
            };
            if is_done {
                self.chunk.clear();
                return Ok(());
            }
        }
    }
}

impl<W: Write> Write for Gzip<W> {
    /// Gathers what is written, so that the compressor never sees in what pieces it came.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.chunk.len() == CHUNK {
            self.compress(DeflateFlush::NoFlush)?;
        }
        let taken = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// Content that compresses neither perfectly nor not at all, the same on every machine.
    fn content(length: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 28) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    fn compressed(content: &[u8], pieces: usize) -> Vec<u8> {
        let mut gzip = Gzip::new(Vec::new()).unwrap();
        content.chunks(pieces).for_each(|piece| gzip.write_all(piece).unwrap());
        gzip.finish().unwrap()
    }

    #[test]
    fn others_read_what_is_written() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK] {
            let content = content(length);
            let stream = compressed(&content, 4096);
            let mut read = Vec::new();
            flate2::read::GzDecoder::new(stream.as_slice()).read_to_end(&mut read).unwrap();
            assert!(read == content, "{length}");
            assert!(length < CHUNK || stream.len() < length, "{length}: {}", stream.len());
        }
    }

    #[test]
    fn what_does_not_shrink_is_whole_all_the_same() {
        let mut state = 1_u64;
        let noise = |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        let noise: Vec<u8> = (0..4 * CHUNK + 7).map(noise).collect();
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(compressed(&noise, 1000).as_slice()).read_to_end(&mut read).unwrap();
        assert!(read == noise);
    }

    #[test]
    fn the_compressor_never_sees_how_its_input_came() {
        let content = content(400_000);
        let whole = compressed(&content, content.len());
        assert!([1, 1000, 4096, 65_537].into_iter().all(|pieces| compressed(&content, pieces) == whole));
    }

    #[test]
    fn the_compressors_name_is_that_of_what_is_pinned() {
        let manifest = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
        let manifest: toml::Value = toml::from_str(&std::fs::read_to_string(manifest).unwrap()).unwrap();
        let pinned = manifest["workspace"]["dependencies"]["zlib-rs"]["version"].as_str().unwrap();
        let version = pinned.strip_prefix('=').expect("the compressor is pinned to one version");
        assert_eq!(COMPRESSOR, format!("zlib-rs-{version}-level-{LEVEL}"));
    }
}
