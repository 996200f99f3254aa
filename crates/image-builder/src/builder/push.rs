//! Brings the parts of an image to its registry, and then its manifest.

use std::path::{Path, PathBuf};

use cfgupdater_core::{Descriptor, Error, Manifest};

use super::base_image::BaseImage;
use crate::client::{BlobSource, Pushed, RegistryClient, Repository};

/// The parts of an image that are not in a registry yet.
pub(super) struct Parts<'a> {
    pub(super) base: Option<&'a BaseImage>,
    pub(super) config: (&'a Descriptor, &'a BlobSource),
    /// Our own layer, and the file that it is in.
    pub(super) layer: Option<(&'a Descriptor, PathBuf)>,
}

/// What had to be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) blobs: usize,
    pub(super) bytes: u64,
}

impl std::ops::AddAssign for Sent {
    fn add_assign(&mut self, more: Self) {
        self.blobs += more.blobs;
        self.bytes += more.bytes;
    }
}

impl Sent {
    fn count(&mut self, pushed: Pushed, blob: &Descriptor) {
        if pushed == Pushed::Uploaded {
            self.blobs += 1;
            self.bytes += blob.size;
        }
    }
}

/// Sees to it that a repository has all parts of an image. `passing` is a file for what has to pass through here.
pub(super) async fn push_parts(
    client: &RegistryClient,
    target: &Repository,
    parts: &Parts<'_>,
    passing: &Path,
) -> Result<Sent, Error> {
    let mut sent = Sent::default();
    if let Some(base) = parts.base {
        for layer in &base.layers {
            sent.count(bring(client, target, base, layer, passing).await?, layer);
        }
    }
    if let Some((layer, file)) = &parts.layer {
        sent.count(client.push_blob(target, layer, &BlobSource::File(file.clone())).await?, layer);
    }
    let (config, source) = parts.config;
    sent.count(client.push_blob(target, config, source).await?, config);
    Ok(sent)
}

/// Takes a base's layer over. Only where the registry can't do that itself does its content pass through here.
async fn bring(
    client: &RegistryClient,
    target: &Repository,
    base: &BaseImage,
    layer: &Descriptor,
    passing: &Path,
) -> Result<Pushed, Error> {
    if let Some(mounted) = client.mount_blob(target, layer, &base.repository).await? {
        return Ok(mounted);
    }
    client.fetch_blob(&base.repository, layer, passing).await?;
    let pushed = client.push_blob(target, layer, &BlobSource::File(passing.to_owned())).await;
    // It goes with its directory in any case; a large base must not wait for that.
    let _ = tokio::fs::remove_file(passing).await;
    pushed
}

/// Names a pushed image by its tags. The commit's comes first: the branch's must never lead to what is not there.
pub(super) async fn push_tags(
    client: &RegistryClient,
    target: &Repository,
    manifest: &Manifest,
    tags: &[&str],
) -> Result<(), Error> {
    for tag in tags {
        client.put_manifest(target, Some(tag), manifest).await?;
    }
    Ok(())
}
