//! What holds for every [`Registry`]: run it on yours with [`registry_conformance!`](crate::registry_conformance).
//!
//! A case is given a [`RegistryHarness`], which does what a `Registry` can't: push, move a tag, delete. Cases use
//! repositories of their own, so that they may share one registry and run side by side; where a harness can cause trouble,
//! each case needs a registry of its own.

mod faults;

use std::time::Duration;

use async_trait::async_trait;
use cfgupdater_core::{Descriptor, ErrorKind, ImageDigest, ImageRef, Manifest, Registry};

pub use super::forge::Unable;
pub use faults::{
    a_rate_limit_carries_advice, a_refused_login_is_an_error, an_outage_is_no_absence,
    bytes_of_another_digest_are_refused,
};

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// What a registry may do wrong, or be unable to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// It is away, or fails in passing.
    Outage,
    /// It takes our login no more.
    RefusedLogin,
    /// It has enough of us, and asks for a pause.
    RateLimit(Duration),
    /// It sends manifests that are not those of their digests.
    OtherBytes,
}

/// A registry to be examined, and the means to put something into it.
///
/// What can't be done is a failed test: methods panic.
#[async_trait]
pub trait RegistryHarness: Send + Sync {
    /// Returns what is examined.
    fn registry(&self) -> &dyn Registry;

    /// Returns what references to images there begin with, such as `127.0.0.1:5000`.
    fn host(&self) -> String;

    /// Sees to it that a repository has this blob.
    async fn put_blob(&self, repository: &str, bytes: &[u8]);

    /// Pushes a manifest by its digest and, where there is one, under a tag, which is moved if it exists.
    async fn put_manifest(&self, repository: &str, tag: Option<&str>, manifest: &Manifest);

    /// Deletes a manifest and with it the tags that name it.
    async fn delete_manifest(&self, repository: &str, digest: &ImageDigest);

    /// Has the registry be in trouble until it is cured. Without it, the cases that need trouble show nothing: an adapter's
    /// tests need one registry that can be in it.
    ///
    /// # Errors
    /// Says that this can't be done.
    async fn cause(&self, _trouble: Trouble) -> Result<(), Unable> {
        Err(Unable::to("cause trouble"))
    }

    /// Ends all trouble.
    async fn cure(&self) {}
}

/// Makes a test of every case, on what the expression gives: an `Option` of a [`RegistryHarness`], `None` to skip the
/// tests where there is no such registry to be had. The expression may await. Needs `tokio` with its macros.
///
/// ```
/// use cfgupdater_testkit::memory::MemoryRegistry;
/// use cfgupdater_testkit::registry_conformance;
///
/// registry_conformance!(in_memory, Some(MemoryRegistry::new("registry.test")));
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! registry_conformance {
    ($name:ident, $harness:expr) => {
        mod $name {
            use super::*;

            $crate::registry_conformance! { @cases $harness;
                what_is_not_there_is_none
                a_tag_names_a_manifest
                a_digest_names_a_manifest
                a_moved_tag_names_the_new_manifest
                a_reference_with_both_goes_by_its_digest
                a_reference_without_either_is_refused
                existing_is_being_resolved
                bytes_are_kept_as_they_were_pushed
                an_index_is_resolved_as_itself
                dockers_forms_are_kept
                what_was_deleted_is_none
                repositories_are_apart
                the_longest_names_are_found
                many_questions_at_once_have_the_same_answer
                an_outage_is_no_absence
                a_refused_login_is_an_error
                a_rate_limit_carries_advice
                bytes_of_another_digest_are_refused
            }
        }
    };
    (@cases $harness:expr; $($case:ident)*) => {
        $(
            #[::tokio::test]
            async fn $case() {
                if let Some(harness) = $harness {
                    $crate::conformance::registry::$case(&harness).await;
                }
            }
        )*
    };
}

/// Builds a reference to something in the registry that is examined.
fn at(harness: &dyn RegistryHarness, repository: &str, rest: &str) -> ImageRef {
    format!("{}/{repository}{rest}", harness.host()).parse().expect("it is a reference")
}

fn by_tag(harness: &dyn RegistryHarness, repository: &str, tag: &str) -> ImageRef {
    at(harness, repository, &format!(":{tag}"))
}

fn by_digest(harness: &dyn RegistryHarness, repository: &str, digest: &ImageDigest) -> ImageRef {
    at(harness, repository, &format!("@{digest}"))
}

fn part(media_type: &str, content: &[u8]) -> String {
    format!(
        r#"{{"mediaType":"{media_type}","digest":"{}","size":{}}}"#,
        ImageDigest::of(content),
        content.len()
    )
}

/// Writes the manifest of an image whose configuration is `{}` and whose only layer is `content`.
fn image(types: [&str; 3], content: &str) -> Manifest {
    let (config, layer) = (part(types[1], b"{}"), part(types[2], content.as_bytes()));
    let text =
        format!(r#"{{"schemaVersion":2,"mediaType":"{}","config":{config},"layers":[{layer}]}}"#, types[0]);
    Manifest::new(types[0], text.into_bytes())
}

fn oci_image(content: &str) -> Manifest {
    image([OCI_MANIFEST, OCI_CONFIG, OCI_LAYER], content)
}

/// Writes an index of images for as many platforms.
fn index(media_type: &str, images: &[&Manifest]) -> Manifest {
    let entry = |(image, architecture): (&&Manifest, &str)| {
        let Descriptor { media_type, digest, size, .. } = image.descriptor();
        format!(
            r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size},"platform":{{"os":"linux","architecture":"{architecture}"}}}}"#
        )
    };
    let entries: Vec<String> = images.iter().zip(["amd64", "arm64"]).map(entry).collect();
    let text =
        format!(r#"{{"schemaVersion":2,"mediaType":"{media_type}","manifests":[{}]}}"#, entries.join(","));
    Manifest::new(media_type, text.into_bytes())
}

/// Pushes an image with its parts.
async fn push(harness: &dyn RegistryHarness, repository: &str, tag: Option<&str>, content: &str) -> Manifest {
    let manifest = oci_image(content);
    push_parts(harness, repository, content).await;
    harness.put_manifest(repository, tag, &manifest).await;
    manifest
}

async fn push_parts(harness: &dyn RegistryHarness, repository: &str, content: &str) {
    harness.put_blob(repository, b"{}").await;
    harness.put_blob(repository, content.as_bytes()).await;
}

async fn resolved(harness: &dyn RegistryHarness, image: &ImageRef) -> Option<Descriptor> {
    harness.registry().resolve(image).await.unwrap_or_else(|error| panic!("{image}: {error}"))
}

async fn read(harness: &dyn RegistryHarness, image: &ImageRef) -> Option<Manifest> {
    harness.registry().manifest(image).await.unwrap_or_else(|error| panic!("{image}: {error}"))
}

/// Checks that a reference names this manifest, by every question there is.
async fn names(harness: &dyn RegistryHarness, image: &ImageRef, manifest: &Manifest) {
    assert_eq!(resolved(harness, image).await.as_ref(), Some(manifest.descriptor()), "{image}");
    assert_eq!(read(harness, image).await.as_ref(), Some(manifest), "{image}");
    assert!(harness.registry().exists(image).await.expect("it can be asked for"), "{image}");
}

/// Checks that a reference names nothing, by every question there is.
async fn names_nothing(harness: &dyn RegistryHarness, image: &ImageRef) {
    assert_eq!(resolved(harness, image).await, None, "{image}");
    assert_eq!(read(harness, image).await, None, "{image}");
    assert!(!harness.registry().exists(image).await.expect("it can be asked for"), "{image}");
}

/// An unknown repository, tag or digest is `None`, never an error.
pub async fn what_is_not_there_is_none(harness: &dyn RegistryHarness) {
    let unknown = ImageDigest::of(b"unknown");
    names_nothing(harness, &by_tag(harness, "absent/none", "v1")).await;
    names_nothing(harness, &by_digest(harness, "absent/none", &unknown)).await;
    push(harness, "absent/one", Some("v1"), "content").await;
    names_nothing(harness, &by_tag(harness, "absent/one", "v2")).await;
    names_nothing(harness, &by_digest(harness, "absent/one", &unknown)).await;
}

/// A tag leads to digest, size, form and bytes of what was pushed under it.
pub async fn a_tag_names_a_manifest(harness: &dyn RegistryHarness) {
    let manifest = push(harness, "tag", Some("v1"), "content").await;
    names(harness, &by_tag(harness, "tag", "v1"), &manifest).await;
}

/// A digest leads to the same, also where no tag does.
pub async fn a_digest_names_a_manifest(harness: &dyn RegistryHarness) {
    let tagged = push(harness, "digest", Some("v1"), "content").await;
    let bare = push(harness, "digest", None, "other content").await;
    for manifest in [tagged, bare] {
        names(harness, &by_digest(harness, "digest", &manifest.descriptor().digest), &manifest).await;
    }
}

/// A tag that moves names what it was moved to, at once; what it named before stays.
pub async fn a_moved_tag_names_the_new_manifest(harness: &dyn RegistryHarness) {
    let first = push(harness, "moved", Some("main"), "first").await;
    names(harness, &by_tag(harness, "moved", "main"), &first).await;
    let second = push(harness, "moved", Some("main"), "second").await;
    names(harness, &by_tag(harness, "moved", "main"), &second).await;
    names(harness, &by_digest(harness, "moved", &first.descriptor().digest), &first).await;
    harness.put_manifest("moved", Some("main"), &first).await;
    names(harness, &by_tag(harness, "moved", "main"), &first).await;
}

/// Of a reference with tag and digest, the tag isn't looked at.
pub async fn a_reference_with_both_goes_by_its_digest(harness: &dyn RegistryHarness) {
    let manifest = push(harness, "both", Some("v1"), "content").await;
    let digest = &manifest.descriptor().digest;
    names(harness, &at(harness, "both", &format!(":v1@{digest}")), &manifest).await;
    names(harness, &at(harness, "both", &format!(":other@{digest}")), &manifest).await;
    let unknown = ImageDigest::of(b"unknown");
    names_nothing(harness, &at(harness, "both", &format!(":v1@{unknown}"))).await;
}

/// A reference to a whole repository is a mistake of who asks: there is no default tag.
pub async fn a_reference_without_either_is_refused(harness: &dyn RegistryHarness) {
    push(harness, "bare", Some("latest"), "content").await;
    let bare = at(harness, "bare", "");
    let error = harness.registry().resolve(&bare).await.expect_err("it names no image");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    let error = harness.registry().manifest(&bare).await.expect_err("it names no image");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
}

/// `exists` says what `resolve` says.
pub async fn existing_is_being_resolved(harness: &dyn RegistryHarness) {
    push(harness, "exists", Some("v1"), "content").await;
    for (tag, is_there) in [("v1", true), ("v2", false)] {
        let image = by_tag(harness, "exists", tag);
        assert_eq!(resolved(harness, &image).await.is_some(), is_there);
        assert_eq!(harness.registry().exists(&image).await.expect("it can be asked for"), is_there);
    }
}

/// A manifest comes back byte for byte, whatever a JSON parser would make of it.
pub async fn bytes_are_kept_as_they_were_pushed(harness: &dyn RegistryHarness) {
    push_parts(harness, "bytes", "content").await;
    let text = String::from_utf8(oci_image("content").bytes().to_vec()).expect("it is text");
    let odd = [
        format!("  {text}\n\n"),
        text.replace("\":", "\" :\t"),
        text.replacen('{', "{\"annotations\":{\"\u{e4}\":\"\\u00e4\\/\"},", 1),
    ];
    for (n, text) in odd.into_iter().enumerate() {
        let manifest = Manifest::new(OCI_MANIFEST, text.into_bytes());
        harness.put_manifest("bytes", Some(&format!("v{n}")), &manifest).await;
        names(harness, &by_tag(harness, "bytes", &format!("v{n}")), &manifest).await;
    }
}

/// An index stays an index: nobody picks a platform.
pub async fn an_index_is_resolved_as_itself(harness: &dyn RegistryHarness) {
    let (one, other) =
        (push(harness, "index", None, "one").await, push(harness, "index", None, "other").await);
    let index = index(OCI_INDEX, &[&one, &other]);
    harness.put_manifest("index", Some("v1"), &index).await;
    names(harness, &by_tag(harness, "index", "v1"), &index).await;
    names(harness, &by_digest(harness, "index", &index.descriptor().digest), &index).await;
    names(harness, &by_digest(harness, "index", &one.descriptor().digest), &one).await;
}

/// What was pushed in Docker's forms is not turned into OCI's.
pub async fn dockers_forms_are_kept(harness: &dyn RegistryHarness) {
    push_parts(harness, "docker", "content").await;
    let manifest = image([DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER], "content");
    harness.put_manifest("docker", Some("v1"), &manifest).await;
    names(harness, &by_tag(harness, "docker", "v1"), &manifest).await;
    let list = index(DOCKER_LIST, &[&manifest]);
    harness.put_manifest("docker", Some("list"), &list).await;
    names(harness, &by_tag(harness, "docker", "list"), &list).await;
}

/// What was deleted is gone, under its digest and under its tags; the rest stays.
pub async fn what_was_deleted_is_none(harness: &dyn RegistryHarness) {
    let gone = push(harness, "deleted", Some("v1"), "gone").await;
    let stays = push(harness, "deleted", Some("v2"), "stays").await;
    harness.delete_manifest("deleted", &gone.descriptor().digest).await;
    names_nothing(harness, &by_tag(harness, "deleted", "v1")).await;
    names_nothing(harness, &by_digest(harness, "deleted", &gone.descriptor().digest)).await;
    names(harness, &by_tag(harness, "deleted", "v2"), &stays).await;
}

/// A manifest belongs to its repository, and repositories may be nested.
pub async fn repositories_are_apart(harness: &dyn RegistryHarness) {
    let above = push(harness, "apart", Some("v1"), "above").await;
    let below = push(harness, "apart/below", Some("v1"), "below").await;
    names(harness, &by_tag(harness, "apart", "v1"), &above).await;
    names(harness, &by_tag(harness, "apart/below", "v1"), &below).await;
    names_nothing(harness, &by_digest(harness, "apart", &below.descriptor().digest)).await;
    names_nothing(harness, &by_digest(harness, "apart/below", &above.descriptor().digest)).await;
}

/// Tags of 128 characters and deep repositories are found, and so is every character that names may have.
pub async fn the_longest_names_are_found(harness: &dyn RegistryHarness) {
    for (repository, tag) in [
        ("names/a-b__c.d/e--f0/0", "v1.2-rc_3"),
        ("names/tag", "_"),
        (&"n/".repeat(60)[..119], &"T".repeat(128)),
    ] {
        let manifest = push(harness, repository, Some(tag), tag).await;
        names(harness, &by_tag(harness, repository, tag), &manifest).await;
    }
}

/// One value may be asked from many tasks at once.
pub async fn many_questions_at_once_have_the_same_answer(harness: &dyn RegistryHarness) {
    let manifest = push(harness, "many", Some("v1"), "content").await;
    let image = by_tag(harness, "many", "v1");
    let mut answers: Vec<_> = (0..32).map(|_| harness.registry().resolve(&image)).collect();
    let answers = std::future::poll_fn(|context| {
        // Every question is polled before any is waited for.
        let mut pending = Vec::new();
        for mut answer in std::mem::take(&mut answers) {
            match answer.as_mut().poll(context) {
                std::task::Poll::Ready(answer) => {
                    assert_eq!(answer.expect("it can be asked for").as_ref(), Some(manifest.descriptor()));
                }
                std::task::Poll::Pending => pending.push(answer),
            }
        }
        answers = pending;
        if answers.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    });
    answers.await;
}
