//! Brings the parts of an image to its registry, and then its manifest.

use std::path::{Path, PathBuf};

use cfgupdater_core::{Descriptor, Error, Manifest};

use super::base_image::BaseImage;
use super::base_layers::BaseLayers;
use crate::client::{BlobSource, Pushed, RegistryClient, Repository, Taken};

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
    passed: &BaseLayers,
    target: &Repository,
    parts: &Parts<'_>,
    passing: &Path,
) -> Result<Sent, Error> {
    let mut sent = Sent::default();
    if let Some(base) = parts.base {
        for layer in &base.layers {
            sent.count(passed.bring(client, target, &base.repository, layer, passing).await?, layer);
        }
    }
    if let Some((layer, file)) = &parts.layer {
        sent.count(client.push_blob(target, layer, &BlobSource::File(file.clone())).await?, layer);
    }
    let (config, source) = parts.config;
    sent.count(client.push_blob(target, config, source).await?, config);
    Ok(sent)
}

/// Names a pushed image by its tags. The commit's comes first: the branch's must never lead to what is not there.
///
/// Tells whether the registry has all that the image is made of; where it lost some of that, no tag was moved.
pub(super) async fn push_tags(
    client: &RegistryClient,
    target: &Repository,
    manifest: &Manifest,
    tags: &[&str],
) -> Result<Taken, Error> {
    for tag in tags {
        let taken = client.offer_manifest(target, Some(tag), manifest).await?;
        if let Taken::PartsMissing(_) = taken {
            return Ok(taken);
        }
    }
    Ok(Taken::Yes)
}
