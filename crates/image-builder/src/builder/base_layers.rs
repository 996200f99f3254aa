//! [`BaseLayers`]: layers of bases that had to pass through here.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cfgupdater_core::{Descriptor, Error, ImageDigest};
use tokio::sync::{Mutex, OnceCell};

use crate::client::{BlobSource, Pushed, RegistryClient, Repository};

/// A layer at a registry.
type Key = (String, ImageDigest);

/// Where layers are that had to pass through here: the first image that needs one brings it, and the others take it from
/// that one's repository.
#[derive(Debug, Default)]
pub(super) struct BaseLayers {
    brought: Mutex<BTreeMap<Key, Arc<OnceCell<Repository>>>>,
}

impl BaseLayers {
    /// Takes a base's layer over. Only where the registry can't do that itself does its content pass through here, by the
    /// file `passing`.
    pub(super) async fn bring(
        &self,
        client: &RegistryClient,
        target: &Repository,
        base: &Repository,
        layer: &Descriptor,
        passing: &Path,
    ) -> Result<Pushed, Error> {
        if let Some(mounted) = client.mount_blob(target, layer, base).await? {
            return Ok(mounted);
        }
        let key = (target.host().to_owned(), layer.digest.clone());
        let cell = Arc::clone(self.brought.lock().await.entry(key).or_default());
        let mut own = None;
        let first = cell.get_or_try_init(|| async {
            own = Some(pass(client, target, base, layer, passing).await?);
            Ok(target.clone())
        });
        let first = first.await?;
        if let Some(pushed) = own {
            return Ok(pushed);
        }
        match client.mount_blob(target, layer, first).await? {
            Some(mounted) => Ok(mounted),
            None => pass(client, target, base, layer, passing).await,
        }
    }
}

async fn pass(
    client: &RegistryClient,
    target: &Repository,
    base: &Repository,
    layer: &Descriptor,
    passing: &Path,
) -> Result<Pushed, Error> {
    client.fetch_blob(base, layer, passing).await?;
    let pushed = client.push_blob(target, layer, &BlobSource::File(passing.to_owned())).await;
    // It goes with its directory in any case; a large base must not wait for that.
    let _ = tokio::fs::remove_file(passing).await;
    pushed
}
