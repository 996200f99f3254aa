//! [`LayerFile`]: a compressed layer, in a file.

use std::io::{BufWriter, Write};
use std::path::Path;

use cfgupdater_core::{Error, ImageDigest};

use super::entry::Entries;
use super::gzip::Gzip;
use super::layer::{Hashing, unwritable, write_archive};
use super::scan::Sources;

/// How much is written to a file at a time.
const BUFFER: usize = 64 * 1024;

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
    let compressed = Hashing::new(BufWriter::with_capacity(BUFFER, file));
    let mut archive = Hashing::new(Gzip::new(compressed).map_err(unwritable)?);
    write_archive(entries, sources, epoch, &mut archive)?;
    let (diff_id, _, compressed) = archive.finish();
    let (digest, size, mut file) = compressed.finish().map_err(unwritable)?.finish();
    file.flush().map_err(unwritable)?;
    Ok(LayerFile { digest, size, diff_id })
}

#[cfg(test)]
mod tests;
