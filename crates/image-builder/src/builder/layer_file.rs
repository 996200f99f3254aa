//! [`LayerFile`]: a compressed layer, in a file.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use cfgupdater_core::{Error, ImageDigest};
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

use super::entry::Entries;
use super::layer::{Hashing, unwritable, write_archive};
use super::scan::Sources;

/// How hard the compressor tries. Level 6 takes a third longer and saves next to nothing. Another level makes other
/// digests.
const LEVEL: u32 = 5;

/// The header's "unknown" operating system: the real one is nobody's business.
const NO_SYSTEM: u8 = 255;

/// How much the compressor is given at a time.
const CHUNK: usize = 64 * 1024;

/// A compressed layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LayerFile {
    /// The digest of the compressed bytes.
    pub(super) digest: ImageDigest,
    /// The number of compressed bytes.
    pub(super) size: u64,
    /// The digest of the archive within.
    pub(super) diff_id: ImageDigest,
}

/// Writes a layer's archive, compressed, into a new file.
pub(super) fn write_layer(
    entries: &Entries,
    sources: &Sources,
    epoch: u64,
    file: &Path,
) -> Result<LayerFile, Error> {
    let file = std::fs::File::create(file).map_err(unwritable)?;
    let compressed = Hashing::new(BufWriter::with_capacity(CHUNK, file));
    let builder = GzBuilder::new().mtime(0).operating_system(NO_SYSTEM);
    let encoder = builder.write(compressed, Compression::new(LEVEL));
    let mut archive = Hashing::new(Chunks::new(encoder));
    write_archive(entries, sources, epoch, &mut archive)?;
    let (diff_id, _, chunks) = archive.finish();
    let compressed = chunks.finish().and_then(GzEncoder::finish).map_err(unwritable)?;
    let (digest, size, mut file) = compressed.finish();
    file.flush().map_err(unwritable)?;
    Ok(LayerFile { digest, size, diff_id })
}

/// Passes on what is written in pieces of one size, so that the compressor never sees how it came.
struct Chunks<W> {
    inner: W,
    buffer: Vec<u8>,
}

impl<W: Write> Chunks<W> {
    fn new(inner: W) -> Self {
        Self { inner, buffer: Vec::with_capacity(CHUNK) }
    }

    fn finish(mut self) -> io::Result<W> {
        self.inner.write_all(&self.buffer)?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for Chunks<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == CHUNK {
            self.inner.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
