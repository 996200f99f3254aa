//! Images of several platforms, under one name.

use std::process::Command;

use cfgupdater_core::{ImageDigest, ImageRef, Registry};
use cfgupdater_image_builder::{BuiltImage, CacheMode, Change, ImagesFile, Platform, RegistryClient, build};
use cfgupdater_testkit::{DockerRegistry, can_run};
use serde_json::{Value, json};

use crate::app::{App, changes, digests, layout_only, options};
use crate::double::Double;
use crate::support::anonymous;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Makes an application whose binaries are another file on each platform.
fn app(host: &str) -> App {
    let app = App::new(host);
    for architecture in ["amd64", "arm64"] {
        for bin in ["web", "api", "worker"] {
            app.write(&format!("out/{architecture}/{bin}"), format!("{bin} on {architecture}").as_bytes());
        }
        app.write(&format!("lib/{architecture}.so"), format!("a library on {architecture}").as_bytes());
    }
    let text = std::fs::read_to_string(app.path("images.toml")).unwrap();
    let text = text.replace("directory = \"out\"", "directory = \"out/{arch}\"");
    app.write("images.toml", text.replace("lib/shared.so", "lib/{arch}.so").as_bytes());
    app
}

fn for_platforms(app: &App, platforms: &[&str]) -> ImagesFile {
    let platforms: Vec<Platform> = platforms.iter().map(|text| text.parse().unwrap()).collect();
    app.images().with_platforms(&platforms)
}

const BOTH: [&str; 2] = ["linux/amd64", "linux/arm64"];

async fn json_of(client: &RegistryClient, image: &ImageRef) -> Value {
    serde_json::from_slice(client.manifest(image).await.unwrap().unwrap().bytes()).unwrap()
}

/// Returns the entries of the index that an image is.
async fn entries(client: &RegistryClient, image: &BuiltImage) -> Vec<Value> {
    let index = json_of(client, &image.repository.tagged("main").unwrap()).await;
    assert_eq!(index["mediaType"], INDEX);
    index["manifests"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_platform_has_its_own_files_under_one_digest() {
    let double = Double::start();
    let (app, client) = (app(&double.address), anonymous());
    let built = build(&for_platforms(&app, &BOTH), &client, &options(1), |_| ()).await.unwrap();
    built[1].image().check().unwrap();
    let by_digest = built[1].repository.at(&built[1].digest).unwrap();
    assert_eq!(client.resolve(&by_digest).await.unwrap().unwrap().media_type, INDEX);
    let entries = entries(&client, &built[1]).await;
    assert_eq!(entries.len(), 2);
    for (entry, architecture) in entries.iter().zip(["amd64", "arm64"]) {
        assert_eq!(entry["platform"], json!({"os": "linux", "architecture": architecture}));
        let digest: ImageDigest = entry["digest"].as_str().unwrap().parse().unwrap();
        // The image that is built for this platform alone.
        let alone = for_platforms(&app, &[&format!("linux/{architecture}")]);
        let mut dry = options(2);
        (dry.push, dry.cache) = (false, CacheMode::Off);
        assert_eq!(build(&alone, &client, &dry, |_| ()).await.unwrap()[1].digest, digest);
    }
    assert_ne!(entries[0]["digest"], entries[1]["digest"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_platforms_makes_no_difference() {
    let app = app("r.example.com");
    let layouts = tempfile::tempdir().unwrap();
    let mut built = Vec::new();
    for (name, platforms) in [("a", [BOTH[0], BOTH[1]]), ("b", [BOTH[1], BOTH[0]])] {
        let options = layout_only(&layouts.path().join(name), 2);
        built.push(digests(
            &build(&for_platforms(&app, &platforms), &anonymous(), &options, |_| ()).await.unwrap(),
        ));
    }
    assert_eq!(built[0], built[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_changed_is_sent() {
    for cache in [CacheMode::Verify, CacheMode::Trust] {
        let double = Double::start();
        let (app, client) = (app(&double.address), anonymous());
        let caching = |n: u32| {
            let mut options = options(n);
            options.cache = cache;
            options
        };
        let build =
            async |n: u32| build(&for_platforms(&app, &BOTH), &client, &caching(n), |_| ()).await.unwrap();
        let first = build(1).await;
        let second = build(2).await;
        assert_eq!(digests(&first), digests(&second));
        assert!(second.iter().all(|image| image.change == Change::Unchanged && image.blobs_sent == 0));
        let before = entries(&client, &second[2]).await;
        app.write("out/arm64/worker", b"another worker on arm64");
        let third = build(3).await;
        assert_eq!(
            changes(&third),
            [("Api", Change::Unchanged), ("Web", Change::Unchanged), ("Worker", Change::Changed)]
        );
        let after = entries(&client, &third[2]).await;
        assert_eq!(before[0], after[0], "amd64 is the same");
        assert_eq!(third[2].blobs_sent, 2, "layer and configuration of arm64");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_platform_and_several_follow_each_other() {
    let double = Double::start();
    let (app, client) = (app(&double.address), anonymous());
    let one = build(&for_platforms(&app, &BOTH[..1]), &client, &options(1), |_| ()).await.unwrap();
    let both = build(&for_platforms(&app, &BOTH), &client, &options(2), |_| ()).await.unwrap();
    assert_eq!(both[1].change, Change::Changed);
    let again = build(&for_platforms(&app, &BOTH[..1]), &client, &options(3), |_| ()).await.unwrap();
    assert_eq!(digests(&one), digests(&again));
    let tagged = client.resolve(&again[1].repository.tagged("main").unwrap()).await.unwrap().unwrap();
    assert_eq!(tagged.digest, again[1].digest, "the tag leads to the image, not to the index");
}

#[tokio::test(flavor = "multi_thread")]
async fn skopeo_finds_each_platform() {
    if !can_run(&["skopeo"]) {
        return;
    }
    let Some(registry) = DockerRegistry::start() else { return };
    let app = app(registry.host());
    let layout = tempfile::tempdir().unwrap();
    let mut options = options(1);
    options.oci_layout = Some(layout.path().to_owned());
    let built = build(&for_platforms(&app, &BOTH), &anonymous(), &options, |_| ()).await.unwrap();
    let (remote, local) =
        (format!("docker://{}:main", built[1].repository), format!("oci:{}:Web", layout.path().display()));
    for architecture in ["amd64", "arm64"] {
        let inspect = |from: &str| {
            let asked = ["--override-arch", architecture, "inspect", "--tls-verify=false", from];
            let output = Command::new("skopeo").args(asked).output().unwrap();
            assert!(output.status.success(), "{from}: {}", String::from_utf8_lossy(&output.stderr));
            serde_json::from_slice::<Value>(&output.stdout).unwrap()
        };
        let told = inspect(&remote);
        assert_eq!((&told["Architecture"], &told["Digest"]), (&json!(architecture), &json!(built[1].digest)));
        assert_eq!(inspect(&local)["Layers"], told["Layers"]);
    }
    let copied = layout.path().join("copied");
    let copy = Command::new("skopeo")
        .args(["copy", "--all", "--insecure-policy", "--src-tls-verify=false", &remote])
        .arg(format!("oci:{}:x", copied.display()))
        .output()
        .unwrap();
    assert!(copy.status.success(), "{}", String::from_utf8_lossy(&copy.stderr));
}

#[tokio::test]
async fn a_platform_whose_files_are_missing_is_named() {
    let app = app("r.example.com");
    let layouts = tempfile::tempdir().unwrap();
    let file = for_platforms(&app, &["linux/amd64", "linux/s390x"]);
    let error = build(&file, &anonymous(), &layout_only(layouts.path(), 1), |_| ()).await.unwrap_err();
    assert!(error.to_string().contains("out/s390x"), "{error}");
}
