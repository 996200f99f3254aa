//! What a build asks of its registry, and what it believes of it.

use cfgupdater_core::{ImageDigest, ImageRef, Manifest, Registry};
use cfgupdater_image_builder::{BuildOptions, CacheMode, Change, RegistryClient, RegistrySettings};
use serde_json::{Value, json};

use crate::app::{App, changes, digests, options};
use crate::double::Double;
use crate::support::{OCI_MANIFEST, anonymous, blob};

fn caching(n: u32, cache: CacheMode) -> BuildOptions {
    let mut options = options(n);
    options.cache = cache;
    options
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_change_takes_two_requests_an_image() {
    for cache in [CacheMode::Verify, CacheMode::Trust] {
        let double = Double::start();
        let app = App::new(&double.address);
        let first = app.build(&anonymous(), &options(1)).await.unwrap();
        let before = double.asked().len();
        let client = anonymous();
        let second = app.build(&client, &caching(2, cache)).await.unwrap();
        assert_eq!(digests(&first), digests(&second));
        let asked = double.asked().split_off(before);
        assert_eq!(asked.len(), 6, "{asked:?}");
        let count = |start: &str| asked.iter().filter(|line| line.starts_with(start)).count();
        assert_eq!((count("GET"), count("PUT")), (3, 3), "{asked:?}");
        assert!(client.traffic().sent < 3000 && client.traffic().requests == 6, "{:?}", client.traffic());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_tagged_by_commit_and_by_branch() {
    let double = Double::start();
    let app = App::new(&double.address);
    let built = app.build(&anonymous(), &options(1)).await.unwrap();
    for image in &built {
        for tag in [&image.tag, "main"] {
            let found = anonymous().resolve(&image.repository.tagged(tag).unwrap()).await.unwrap().unwrap();
            assert_eq!(found.digest, image.digest);
        }
        image.image().check().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_branch_there_is_no_branchs_tag() {
    let double = Double::start();
    let app = App::new(&double.address);
    let mut detached = options(1);
    detached.revision.branch_tag = None;
    app.build(&anonymous(), &detached).await.unwrap();
    let tagged =
        double.asked().into_iter().filter(|line| line.starts_with("PUT") && line.contains("/manifests/"));
    assert!(tagged.into_iter().all(|line| line.ends_with(&"00000001".repeat(5))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_must_not_push_only_reads() {
    let double = Double::start();
    let app = App::new(&double.address);
    let mut dry = options(1);
    dry.push = false;
    let built = app.build(&anonymous(), &dry).await.unwrap();
    assert_eq!(built.len(), 3);
    assert!(double.asked().iter().all(|line| line.starts_with("GET") || line.starts_with("HEAD")));
}

/// Puts an image under `main` that says it holds what the first one does, but has another layer.
async fn poison(client: &RegistryClient, image: &ImageRef) -> ImageDigest {
    let manifest = client.manifest(image).await.unwrap().unwrap();
    let mut value: Value = serde_json::from_slice(manifest.bytes()).unwrap();
    let repository = cfgupdater_image_builder::Repository::of(image);
    let (evil, source) = blob(b"evil");
    client.push_blob(&repository, &evil, &source).await.unwrap();
    value["layers"][0]["digest"] = json!(evil.digest);
    value["layers"][0]["size"] = json!(evil.size);
    let poisoned = Manifest::new(OCI_MANIFEST, serde_json::to_vec(&value).unwrap());
    client.put_manifest(&repository, Some("main"), &poisoned).await.unwrap();
    poisoned.descriptor().digest.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_image_is_noticed_unless_it_is_trusted() {
    let double = Double::start();
    let app = App::new(&double.address);
    let first = app.build(&anonymous(), &options(1)).await.unwrap();
    let image = first[0].repository.tagged("main").unwrap();
    let evil = poison(&anonymous(), &image).await;
    let trusting = app.build(&anonymous(), &caching(2, CacheMode::Trust)).await.unwrap();
    assert_eq!((trusting[0].digest.clone(), trusting[0].change), (evil.clone(), Change::Unchanged));
    let verifying = app.build(&anonymous(), &caching(3, CacheMode::Verify)).await.unwrap();
    assert_eq!(digests(&verifying), digests(&first));
    assert_eq!(verifying[0].change, Change::Replaced);
    let found = anonymous().resolve(&image).await.unwrap().unwrap();
    assert_eq!(found.digest, first[0].digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_machine_remembers_verifies_and_is_not_fooled() {
    let double = Double::start();
    let app = App::new(&double.address);
    let cache = tempfile::tempdir().unwrap();
    let remembering = |n: u32| {
        let mut options = caching(n, CacheMode::Verify);
        options.cache_directory = Some(cache.path().to_owned());
        options
    };
    let first = app.build(&anonymous(), &remembering(1)).await.unwrap();
    let second = app.build(&anonymous(), &remembering(2)).await.unwrap();
    assert_eq!(digests(&first), digests(&second));
    assert!(second.iter().all(|built| built.change == Change::Unchanged));
    app.write("out/web", b"another web binary");
    let third = app.build(&anonymous(), &remembering(3)).await.unwrap();
    assert_eq!(changes(&third)[1..], [("Web", Change::Changed), ("Worker", Change::Unchanged)]);
    poison(&anonymous(), &third[0].repository.tagged("main").unwrap()).await;
    let fourth = app.build(&anonymous(), &remembering(4)).await.unwrap();
    assert_eq!((digests(&fourth), fourth[0].change), (digests(&third), Change::Replaced));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_remembered_wrongly_changes_no_image() {
    let double = Double::start();
    let app = App::new(&double.address);
    let cache = tempfile::tempdir().unwrap();
    let mut options = caching(1, CacheMode::Verify);
    options.cache_directory = Some(cache.path().to_owned());
    let first = app.build(&anonymous(), &options).await.unwrap();
    let kept = std::fs::read_dir(cache.path().join("layers")).unwrap().next().unwrap().unwrap().path();
    let wrong = format!(r#"{{"digest":"{}","size":1}}"#, ImageDigest::of(b"wrong"));
    for entry in std::fs::read_dir(kept).unwrap() {
        std::fs::write(entry.unwrap().path(), &wrong).unwrap();
    }
    let second = app.build(&anonymous(), &options).await.unwrap();
    assert_eq!(digests(&first), digests(&second));
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_under_the_branchs_tag_is_no_previous_image() {
    let double = Double::start();
    let app = App::new(&double.address);
    let repository = double.repository("team/app-cd-web");
    let index = Manifest::new("application/vnd.oci.image.index.v1+json", br#"{"manifests":[]}"#.to_vec());
    anonymous().put_manifest(&repository, Some("main"), &index).await.unwrap();
    let built = app.build(&anonymous(), &options(1)).await.unwrap();
    assert_eq!(changes(&built)[1], ("Web", Change::New));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_cache_the_registry_is_still_not_sent_what_it_has() {
    let double = Double::start();
    let app = App::new(&double.address);
    app.build(&anonymous(), &options(1)).await.unwrap();
    let built = app.build(&anonymous(), &caching(2, CacheMode::Off)).await.unwrap();
    assert!(built.iter().all(|image| image.blobs_sent == 0 && image.change == Change::New));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_registry_is_told_for_each_image() {
    let app = App::new("127.0.0.1:1");
    let client = RegistryClient::new(RegistrySettings::anonymous().with_retry_for(std::time::Duration::ZERO));
    let error = app.build(&client, &options(1)).await.unwrap_err().to_string();
    assert_eq!(error.lines().count(), 3, "{error}");
    assert!(error.starts_with("Api: can't read the manifest"), "{error}");
}
