//! [`KnownLayers`]: what layers were compressed to on this machine before.

use std::path::{Path, PathBuf};

use cfgupdater_core::ImageDigest;
use serde::{Deserialize, Serialize};

use super::gzip::COMPRESSOR;
use super::layer_file::LayerFile;

/// A directory with a small file for each layer that was made here, named by the digest of its uncompressed content. Each
/// compressor has its own: what another one made is of no use.
///
/// It saves compressing what didn't change. What it says is only ever compared with what the registry has: a wrong or
/// missing entry costs a compression and changes no image.
#[derive(Debug, Clone)]
pub(super) struct KnownLayers {
    directory: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Compressed {
    digest: ImageDigest,
    size: u64,
}

impl KnownLayers {
    pub(super) fn within(directory: &Path) -> Self {
        Self { directory: directory.join("layers").join(COMPRESSOR) }
    }

    /// Tells whether it is worth asking.
    pub(super) fn is_empty(&self) -> bool {
        std::fs::read_dir(&self.directory).map_or(true, |mut entries| entries.next().is_none())
    }

    /// Returns what this content was compressed to.
    pub(super) fn find(&self, diff_id: &ImageDigest) -> Option<LayerFile> {
        let text = std::fs::read(self.directory.join(diff_id.hex())).ok()?;
        let Compressed { digest, size } = serde_json::from_slice(&text).ok()?;
        Some(LayerFile { digest, size, diff_id: diff_id.clone() })
    }

    /// Keeps what a layer was compressed to. That it can't be kept is no failure of the build.
    pub(super) fn keep(&self, layer: &LayerFile) {
        if let Err(error) = self.write(layer) {
            tracing::debug!(%error, "{} can't be written", self.directory.display());
        }
    }

    fn write(&self, layer: &LayerFile) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.directory)?;
        let text = serde_json::to_vec(&Compressed { digest: layer.digest.clone(), size: layer.size })?;
        // Another build may read meanwhile: a file is there whole or not at all.
        let part = tempfile::NamedTempFile::new_in(&self.directory)?;
        std::fs::write(part.path(), text)?;
        part.persist(self.directory.join(layer.diff_id.hex()))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer() -> LayerFile {
        LayerFile { digest: ImageDigest::of(b"compressed"), size: 7, diff_id: ImageDigest::of(b"content") }
    }

    #[test]
    fn what_is_kept_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let known = KnownLayers::within(directory.path());
        assert!(known.is_empty() && known.find(&layer().diff_id).is_none());
        known.keep(&layer());
        known.keep(&layer());
        assert!(!known.is_empty());
        assert_eq!(known.find(&layer().diff_id), Some(layer()));
        assert_eq!(known.find(&ImageDigest::of(b"other")), None);
    }

    #[test]
    fn damage_is_as_if_nothing_was_kept() {
        let directory = tempfile::tempdir().unwrap();
        let known = KnownLayers::within(directory.path());
        known.keep(&layer());
        for damage in ["", "{", r#"{"digest":"x","size":1}"#] {
            std::fs::write(known.directory.join(layer().diff_id.hex()), damage).unwrap();
            assert_eq!(known.find(&layer().diff_id), None, "{damage}");
        }
    }

    #[test]
    fn a_directory_that_can_not_be_written_fails_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let known = KnownLayers::within(file.path());
        known.keep(&layer());
        assert!(known.is_empty());
    }
}
