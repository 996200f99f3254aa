//! What holds for every registry, asked of the double and of Debian's by our client.

use cfgupdater_core::{ErrorKind, ImageDigest};
use cfgupdater_image_builder::{BlobSource, Pushed, RegistryClient, Repository};
use cfgupdater_testkit::{DockerRegistry, registry_conformance};

use crate::double::Double;
use crate::harness::Harness;
use crate::support::{anonymous, blob};

registry_conformance!(double, Some(Harness::of_double()));
registry_conformance!(docker_registry, Harness::of_docker_registry());

/// What the trait doesn't have: content is pushed, mounted and read.
async fn content_conforms(client: &RegistryClient, host: &str) {
    let repository = |path: &str| format!("{host}/{path}").parse::<Repository>().unwrap();
    what_is_not_there_is_told(client, &repository("none/at-all")).await;
    blobs_come_back(client, &repository("team/blobs"), &repository("team/mounted")).await;
    large_files_are_streamed(client, &repository("large")).await;
    client.reach(host).await.unwrap();
}

async fn what_is_not_there_is_told(client: &RegistryClient, repository: &Repository) {
    assert!(!client.has_blob(repository, &ImageDigest::of(b"nothing")).await.unwrap());
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
async fn content_at_the_double_conforms() {
    content_conforms(&anonymous(), &Double::start().address).await;
}

#[tokio::test]
async fn content_at_debians_registry_conforms() {
    let Some(registry) = DockerRegistry::start() else { return };
    content_conforms(&anonymous(), registry.host()).await;
}
