//! What holds for every registry: asked of the double, and of Debian's.

use cfgupdater_core::{ErrorKind, ImageDigest, Registry};
use cfgupdater_image_builder::{BlobSource, Pushed, RegistryClient, Repository};

use crate::debian_registry::DebianRegistry;
use crate::double::Double;
use crate::support::{anonymous, blob, push_image};

async fn conforms(client: &RegistryClient, host: &str) {
    let repository = |path: &str| format!("{host}/{path}").parse::<Repository>().unwrap();
    what_is_not_there_is_none(client, &repository("none/at-all")).await;
    blobs_come_back(client, &repository("team/blobs"), &repository("team/mounted")).await;
    tags_name_manifests(client, &repository("team/tags")).await;
    large_files_are_streamed(client, &repository("large")).await;
}

async fn what_is_not_there_is_none(client: &RegistryClient, repository: &Repository) {
    let digest = ImageDigest::of(b"nothing");
    for image in [repository.tagged("v1").unwrap(), repository.at(&digest).unwrap()] {
        assert_eq!(client.resolve(&image).await.unwrap(), None);
        assert_eq!(client.manifest(&image).await.unwrap(), None);
        assert!(!client.exists(&image).await.unwrap());
    }
    assert!(!client.has_blob(repository, &digest).await.unwrap());
    let (descriptor, _) = blob(b"nothing");
    let error = client.read_blob(repository, &descriptor, 100).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

async fn blobs_come_back(client: &RegistryClient, repository: &Repository, other: &Repository) {
    let content = b"some content";
    let (descriptor, source) = blob(content);
    assert_eq!(client.push_blob(repository, &descriptor, &source).await.unwrap(), Pushed::Uploaded);
    assert_eq!(client.push_blob(repository, &descriptor, &source).await.unwrap(), Pushed::Existed);
    assert_eq!(client.read_blob(repository, &descriptor, 100).await.unwrap(), content);
    let error = client.read_blob(repository, &descriptor, 3).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);

    let mounted = |from| client.mount_blob(other, &descriptor, from);
    assert_eq!(mounted(repository).await.unwrap(), Some(Pushed::Mounted));
    assert_eq!(mounted(repository).await.unwrap(), Some(Pushed::Existed));
    let (unknown, _) = blob(b"unknown");
    assert_eq!(client.mount_blob(other, &unknown, repository).await.unwrap(), None);
}

async fn tags_name_manifests(client: &RegistryClient, repository: &Repository) {
    let first = push_image(client, repository, "v1", b"first").await;
    let second = push_image(client, repository, "v2", b"second").await;
    client.put_manifest(repository, Some("main"), &first).await.unwrap();
    client.put_manifest(repository, Some("main"), &second).await.unwrap();
    let named = |tag: &str| repository.tagged(tag).unwrap();
    let resolved = client.resolve(&named("main")).await.unwrap().unwrap();
    assert_eq!(&resolved, second.descriptor());
    assert_eq!(client.manifest(&named("v1")).await.unwrap().unwrap(), first);
    let by_digest = repository.at(&first.descriptor().digest).unwrap();
    assert_eq!(client.manifest(&by_digest).await.unwrap().unwrap(), first);
    assert!(client.exists(&by_digest).await.unwrap());
}

async fn large_files_are_streamed(client: &RegistryClient, repository: &Repository) {
    let dir = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..3_000_000_u32).map(|n| (n * 7 % 251) as u8).collect();
    std::fs::write(dir.path().join("sent"), &content).unwrap();
    let (descriptor, _) = blob(&content);
    let source = BlobSource::File(dir.path().join("sent"));
    assert_eq!(client.push_blob(repository, &descriptor, &source).await.unwrap(), Pushed::Uploaded);
    let back = dir.path().join("back");
    client.fetch_blob(repository, &descriptor, &back).await.unwrap();
    assert_eq!(std::fs::read(&back).unwrap(), content);
}

#[tokio::test]
async fn the_double_conforms() {
    conforms(&anonymous(), &Double::start().address).await;
}

#[tokio::test]
async fn debians_registry_conforms() {
    let Some(registry) = DebianRegistry::start() else { return };
    conforms(&anonymous(), registry.host()).await;
}
