//! The conformance suite, and where this registry is stricter than real ones.

use super::*;
use crate::registry_conformance;

registry_conformance!(conforms, Some(MemoryRegistry::new("registry.test")));

/// Pushes an image's parts and returns its manifest as text.
fn prepared() -> (MemoryRegistry, String) {
    let registry = MemoryRegistry::new("registry.test");
    let pushed = registry.push_image("a", "v1", b"layer");
    let content = registry.lock();
    let manifest = content.repositories["a"].manifests[&pushed.digest].bytes().to_vec();
    drop(content);
    (registry, String::from_utf8(manifest).unwrap())
}

fn refusal(registry: &MemoryRegistry, form: &str, text: &str) -> String {
    let manifest = Manifest::new(form, text.as_bytes().to_vec());
    let error = registry.put_manifest("a", Some("v2"), &manifest).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(!registry.lock().repositories["a"].tags.contains_key("v2"), "nothing was changed");
    error.to_string()
}

#[test]
fn a_manifest_must_say_what_it_is() {
    let (registry, text) = prepared();
    assert!(refusal(&registry, FAMILIES[1][0], &text).contains("says to be"));
    assert!(
        refusal(&registry, FAMILIES[0][0], &text.replace("\"schemaVersion\":2", "\"schemaVersion\":1"))
            .contains("says to be")
    );
    assert!(refusal(&registry, FAMILIES[0][0], "{").contains("can't be read"));
    let unknown = text.replace(FAMILIES[0][0], "text/plain");
    assert!(refusal(&registry, "text/plain", &unknown).contains("unknown form"));
}

#[test]
fn a_manifest_names_only_what_is_there_in_its_size() {
    let (registry, text) = prepared();
    let other = text.replace(ImageDigest::of(b"layer").as_str(), ImageDigest::of(b"other").as_str());
    assert!(refusal(&registry, FAMILIES[0][0], &other).contains("is not there"));
    assert!(
        refusal(&registry, FAMILIES[0][0], &text.replace("\"size\":5", "\"size\":6"))
            .contains("is not there")
    );
    let manifest = Manifest::new(FAMILIES[0][0], text.into_bytes());
    let error = registry.put_manifest("elsewhere", None, &manifest).unwrap_err();
    assert!(error.to_string().contains("is not there"), "blobs belong to their repository: {error}");
}

#[test]
fn forms_are_not_mixed() {
    let (registry, text) = prepared();
    assert!(
        refusal(&registry, FAMILIES[0][0], &text.replace(FAMILIES[0][1], FAMILIES[1][1]))
            .contains("mixes forms")
    );
    let docker_layer =
        text.replace("vnd.oci.image.layer.v1.tar+gzip", "vnd.docker.image.rootfs.diff.tar.gzip");
    assert!(refusal(&registry, FAMILIES[0][0], &docker_layer).contains("mixes forms"));
}

#[test]
fn names_are_those_of_references() {
    let (registry, text) = prepared();
    let manifest = Manifest::new(FAMILIES[0][0], text.into_bytes());
    for (repository, tag) in [("A", "v1"), ("a", "-"), ("a/../b", "v1"), ("a", &"t".repeat(129))] {
        assert!(registry.put_manifest(repository, Some(tag), &manifest).is_err(), "{repository}:{tag}");
    }
}

#[tokio::test]
async fn another_registrys_images_are_not_its_business() {
    let (registry, _) = prepared();
    let error = registry.resolve(&"other.test/a:v1".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(registry.questions(), 1);
}

#[tokio::test]
async fn it_fails_as_long_as_it_is_told_to() {
    let (registry, _) = prepared();
    let image = "registry.test/a:v1".parse().unwrap();
    registry.fail_with(Some(ErrorKind::RateLimited));
    assert_eq!(registry.manifest(&image).await.unwrap_err().kind(), ErrorKind::RateLimited);
    registry.fail_with(None);
    assert!(registry.manifest(&image).await.unwrap().is_some());
}
