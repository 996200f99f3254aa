//! Images that are built on others.

use cfgupdater_core::{Descriptor, ImageDigest, Manifest, Registry};
use cfgupdater_image_builder::{RegistryClient, Repository};
use serde_json::{Value, json};

use crate::app::{App, options};
use crate::double::Double;
use crate::support::{OCI_MANIFEST, anonymous, blob, hasty};

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What the base's only layer is; nobody looks into it.
const LAYER: &[u8] = b"the layer of the base";

fn named(media_type: &str, blob: &Descriptor) -> Value {
    json!({"mediaType": media_type, "digest": blob.digest, "size": blob.size})
}

/// Pushes a base for an architecture and returns its digest.
async fn push_base(
    client: &RegistryClient,
    to: &Repository,
    docker: bool,
    architecture: &str,
) -> ImageDigest {
    let config = json!({
        "os": "linux", "architecture": architecture, "config": {"Env": ["PATH=/bin"]},
        "history": [{"created_by": "base"}],
        "rootfs": {"type": "layers", "diff_ids": [ImageDigest::of(b"x")]},
    });
    let (config, config_source) = blob(config.to_string().as_bytes());
    let (layer, layer_source) = blob(LAYER);
    client.push_blob(to, &config, &config_source).await.unwrap();
    client.push_blob(to, &layer, &layer_source).await.unwrap();
    let types = if docker {
        [
            DOCKER_MANIFEST,
            "application/vnd.docker.container.image.v1+json",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ]
    } else {
        [
            OCI_MANIFEST,
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.oci.image.layer.v1.tar+gzip",
        ]
    };
    let manifest = json!({
        "schemaVersion": 2, "mediaType": types[0], "config": named(types[1], &config), "layers": [named(types[2], &layer)],
    });
    let manifest = Manifest::new(types[0], manifest.to_string().into_bytes());
    client.put_manifest(to, None, &manifest).await.unwrap();
    manifest.descriptor().digest.clone()
}

async fn layers(client: &RegistryClient, image: &Repository) -> (String, Vec<Value>) {
    let manifest = client.manifest(&image.tagged("main").unwrap()).await.unwrap().unwrap();
    let value: Value = serde_json::from_slice(manifest.bytes()).unwrap();
    (manifest.descriptor().media_type.clone(), value["layers"].as_array().unwrap().clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_is_mounted_and_never_downloaded() {
    let double = Double::start();
    let client = anonymous();
    let base = double.repository("bases/alpine");
    let digest = push_base(&client, &base, false, "amd64").await;
    let before = double.asked().len();
    let app = App::on_base(&double.address, &format!("{base}@{digest}"));
    let built = app.build(&client, &options(1)).await.unwrap();
    assert!(built.iter().all(|image| image.blobs_sent == 2), "{built:?}");
    let asked = double.asked().split_off(before);
    let layer = ImageDigest::of(LAYER);
    assert!(!asked.iter().any(|line| line.starts_with("GET") && line.ends_with(layer.as_str())), "{asked:?}");
    let configs = asked.iter().filter(|line| line.starts_with("GET /v2/bases/alpine/blobs/"));
    assert_eq!(configs.count(), 1, "one configuration for three images: {asked:?}");
    let (_, layers) = layers(&client, &built[0].repository).await;
    assert_eq!((layers.len(), &layers[0]["digest"]), (2, &json!(layer)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_of_another_registry_is_copied_once() {
    let (double, elsewhere) = (Double::start(), Double::start());
    let client = anonymous();
    let base = elsewhere.repository("bases/alpine");
    let digest = push_base(&client, &base, false, "amd64").await;
    let app = App::on_base(&double.address, &format!("{base}@{digest}"));
    let built = app.build(&client, &options(1)).await.unwrap();
    let mut sent: Vec<usize> = built.iter().map(|image| image.blobs_sent).collect();
    sent.sort_unstable();
    assert_eq!(sent, [2, 2, 3], "the others take it from the first one's repository");
    let layer = ImageDigest::of(LAYER);
    let read = elsewhere
        .asked()
        .into_iter()
        .filter(|line| line.starts_with("GET") && line.ends_with(layer.as_str()));
    assert_eq!(read.count(), 1);
    for image in &built {
        assert_eq!(double.blob(image.repository.path(), &layer).unwrap(), LAYER);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_of_its_bases_family() {
    let double = Double::start();
    let client = anonymous();
    let base = double.repository("bases/alpine");
    let digest = push_base(&client, &base, true, "amd64").await;
    let app = App::on_base(&double.address, &format!("{base}@{digest}"));
    let built = app.build(&client, &options(1)).await.unwrap();
    let (media_type, layers) = layers(&client, &built[0].repository).await;
    assert_eq!(media_type, DOCKER_MANIFEST);
    assert!(layers.iter().all(|layer| layer["mediaType"].as_str().unwrap().contains("docker")));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_index_the_image_of_our_platform_counts() {
    let double = Double::start();
    let client = anonymous();
    let base = double.repository("bases/alpine");
    let mut manifests = Vec::new();
    for architecture in ["arm64", "amd64"] {
        let digest = push_base(&client, &base, false, architecture).await;
        let size = client.resolve(&base.at(&digest).unwrap()).await.unwrap().unwrap().size;
        let mut entry = named(OCI_MANIFEST, &Descriptor::new(OCI_MANIFEST, digest, size));
        entry["platform"] = json!({"os": "linux", "architecture": architecture});
        manifests.push(entry);
    }
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
    let index = Manifest::new(INDEX, index.to_string().into_bytes());
    client.put_manifest(&base, None, &index).await.unwrap();
    let app = App::on_base(&double.address, &format!("{base}@{}", index.descriptor().digest));
    for (platform, fits) in [("linux/amd64", true), ("linux/arm64", true), ("linux/s390x", false)] {
        let file = app.images().with_platforms(&[platform.parse().unwrap()]);
        let outcome = cfgupdater_image_builder::build(&file, &client, &options(1), |_| ()).await;
        assert_eq!(outcome.is_ok(), fits, "{platform}: {outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_that_is_not_there_is_named() {
    let double = Double::start();
    let base = format!("{}@{}", double.repository("none"), ImageDigest::of(b"x"));
    let app = App::on_base(&double.address, &base);
    let error = app.build(&RegistryClient::new(hasty()), &options(1)).await.unwrap_err().to_string();
    assert!(error.contains(&format!("the base {base} is not in its registry")), "{error}");
}
