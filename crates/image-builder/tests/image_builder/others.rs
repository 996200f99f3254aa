//! Our images, as other tools see them.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use cfgupdater_testkit::{DockerRegistry, can_run};
use serde_json::Value;

use crate::app::{App, layout_only, options};
use crate::support::anonymous;

/// Runs a tool and returns what it printed.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn skopeo_inspects_and_copies_what_we_push() {
    if !can_run(&["skopeo"]) {
        return;
    }
    let Some(registry) = DockerRegistry::start() else { return };
    let app = App::new(registry.host());
    let built = app.build(&anonymous(), &options(1)).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    for image in &built {
        let source = format!("docker://{}:main", image.repository);
        let told: Value =
            serde_json::from_str(&run("skopeo", &["inspect", "--tls-verify=false", &source])).unwrap();
        assert_eq!(told["Digest"], image.digest.as_str());
        let to = format!("oci:{}:{}", dir.path().join(&image.name).display(), image.name);
        run("skopeo", &["copy", "--insecure-policy", "--src-tls-verify=false", &source, &to]);
        let copied: Value = serde_json::from_str(&run("skopeo", &["inspect", &to])).unwrap();
        assert_eq!(copied["Digest"], image.digest.as_str());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn skopeo_copies_our_layout_into_a_registry() {
    if !can_run(&["skopeo"]) {
        return;
    }
    let Some(registry) = DockerRegistry::start() else { return };
    let app = App::new(registry.host());
    let dir = tempfile::tempdir().unwrap();
    let layout = dir.path().join("layout");
    let built = app.build(&anonymous(), &layout_only(&layout, 2)).await.unwrap();
    let from = format!("oci:{}:Web", layout.display());
    let to = format!("docker://{}/copied:v1", registry.host());
    run("skopeo", &["copy", "--insecure-policy", "--dest-tls-verify=false", &from, &to]);
    let told: Value = serde_json::from_str(&run("skopeo", &["inspect", "--tls-verify=false", &to])).unwrap();
    assert_eq!(told["Digest"], built[1].digest.as_str());
    assert_eq!(told["Env"], serde_json::json!(["LEVEL=info"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn umoci_unpacks_our_layout() {
    if !can_run(&["umoci"]) {
        return;
    }
    let app = App::new("r.example.com");
    let dir = tempfile::tempdir().unwrap();
    let layout = dir.path().join("layout");
    app.build(&anonymous(), &layout_only(&layout, 2)).await.unwrap();
    let (image, bundle) = (format!("{}:Web", layout.display()), dir.path().join("bundle"));
    run("umoci", &["unpack", "--rootless", "--image", &image, &bundle.display().to_string()]);
    let root = bundle.join("rootfs");
    let text = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    assert_eq!(text("web"), "the web binary");
    assert_eq!(text("etc/app/settings.toml"), "level = 1");
    assert_eq!(std::fs::read_link(root.join("usr/lib/shared.so.1")).unwrap(), Path::new("shared.so"));
    let mode = |path: &str| std::fs::metadata(root.join(path)).unwrap().permissions().mode() & 0o7777;
    let modes = ["web", "etc/app/settings.toml", "var/lib/web", "usr"].map(mode);
    assert_eq!(modes, [0o755, 0o644, 0o700, 0o755]);
    assert_eq!(std::fs::metadata(root.join("web")).unwrap().mtime(), 0);
    let config: Value = serde_json::from_slice(&std::fs::read(bundle.join("config.json")).unwrap()).unwrap();
    assert_eq!(config["process"]["args"], serde_json::json!(["/web"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn buildah_starts_from_what_we_push() {
    if !can_run(&["buildah"]) {
        return;
    }
    let Some(registry) = DockerRegistry::start() else { return };
    let app = App::new(registry.host());
    let built = app.build(&anonymous(), &options(1)).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| dir.path().join(name).display().to_string();
    let (root, runroot) = (place("root"), place("run"));
    let storage = ["--storage-driver", "vfs", "--root", &root, "--runroot", &runroot];
    let buildah = |arguments: &[&str]| run("buildah", &[&storage, arguments].concat());
    let image = built[1].image().digest;
    let container = buildah(&["from", "--quiet", "--tls-verify=false", &image]);
    let format = "{{.OCIv1.Config.Entrypoint}}";
    assert_eq!(buildah(&["inspect", "--format", format, container.trim()]).trim(), "[/web]");
}
