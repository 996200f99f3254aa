//! Our images and our driver, by a real Docker daemon.

use std::os::unix::fs::PermissionsExt;

use cfgupdater_core::Registry;
use cfgupdater_image_builder::{Change, ImagesFile, build, build_dockerfiles};
use cfgupdater_testkit::{DockerRegistry, can_run};

use crate::app::{changes, digests, options};
use crate::dockerd::Dockerd;
use crate::dockerfiles;
use crate::support::anonymous;

/// A program that needs no library: Debian's package `busybox-static`.
const BUSYBOX: &str = "/bin/busybox";

/// Makes an application of one service: a shell that says what it finds around itself.
fn shell(host: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(BUSYBOX, dir.path().join("busybox")).unwrap();
    std::fs::write(dir.path().join("settings"), "level 1").unwrap();
    std::fs::set_permissions(dir.path().join("busybox"), std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(
        dir.path().join("images.toml"),
        format!(
            r#"registry = "{host}"
[service.Shell]
image = "team/shell"
files = [
  {{ from = "busybox", to = "/bin/", mode = "0755" }},
  {{ from = "settings", to = "/etc/settings" }},
  {{ link = "/bin/sh", target = "busybox" }},
  {{ directory = "/var/lib/shell", mode = "0700", owner = "65532:65532" }},
]
entrypoint = ["/bin/sh", "-c"]
cmd = ["busybox id -u; busybox stat -c '%a %u %Y' /bin/busybox $PWD; busybox cat /etc/settings; echo; echo $LEVEL"]
user = "65532"
workdir = "/var/lib/shell"
env = {{ LEVEL = "info", PATH = "/bin" }}
"#
        ),
    )
    .unwrap();
    dir
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_pulls_and_runs_what_we_push() {
    if !can_run(&["busybox"]) {
        return;
    }
    let (Some(docker), Some(registry)) = (Dockerd::start(), DockerRegistry::start()) else { return };
    let app = shell(registry.host());
    let file = ImagesFile::load(&app.path().join("images.toml")).unwrap();
    let built = build(&file, &anonymous(), &options(1), |_| ()).await.unwrap();
    let image = built[0].image();
    for reference in [&image.digest, &image.tag] {
        docker.docker(&["pull", "--quiet", reference]);
        let known = docker.docker(&["image", "inspect", "--format", "{{index .RepoDigests 0}}", reference]);
        assert_eq!(known.trim(), image.digest);
    }
    let run = |image: &str| docker.docker(&["run", "--rm", "--network", "none", image]);
    let expected = "65532\n755 0 0\n700 65532 0\nlevel 1\ninfo\n";
    assert_eq!(run(&image.digest), expected);

    // Of an index, Docker takes the image of its own platform.
    let here = if cfg!(target_arch = "aarch64") { "linux/arm64" } else { "linux/amd64" };
    let platforms = [here, "linux/s390x"].map(|platform| platform.parse().unwrap());
    let several = build(&file.with_platforms(&platforms), &anonymous(), &options(2), |_| ()).await.unwrap();
    let index = several[0].image();
    assert_ne!(index.digest, image.digest);
    docker.docker(&["pull", "--quiet", &index.tag]);
    assert_eq!(run(&index.tag), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_builds_pushes_and_tags() {
    let (Some(docker), Some(registry)) = (Dockerd::start(), DockerRegistry::start()) else { return };
    let app = dockerfiles::app(registry.host());
    let images = dockerfiles::images(&app);
    let first =
        build_dockerfiles(&docker.driver(), &images, &anonymous(), &options(1), |_| ()).await.unwrap();
    assert_eq!(changes(&first), [("app-bins", Change::New), ("Web", Change::New), ("Worker", Change::New)]);
    for image in &first {
        image.image().check().unwrap();
    }
    // A machine that knows nothing of the first one: the branch's images are the cache.
    let other = Dockerd::start().unwrap();
    std::fs::write(app.path().join("out/web"), "another web").unwrap();
    let second =
        build_dockerfiles(&other.driver(), &images, &anonymous(), &options(2), |_| ()).await.unwrap();
    assert_eq!(second[1].change, Change::Changed);
    assert_eq!(second[1].tag, options(2).revision.sha.to_string());
    assert_eq!((second[2].change, &digests(&second)[2]), (Change::Unchanged, &digests(&first)[2]));

    // Its cache doesn't know this step, but what the step makes is the same.
    let dockerfile = std::fs::read_to_string(app.path().join("Dockerfile.web")).unwrap();
    let other_words = dockerfile.replace("/app-bins/web /web", "/app-bins/web ./web");
    std::fs::write(app.path().join("Dockerfile.web"), other_words).unwrap();
    let third = build_dockerfiles(&other.driver(), &images, &anonymous(), &options(3), |_| ()).await.unwrap();
    assert_eq!((third[1].change, &digests(&third)[1]), (Change::Unchanged, &digests(&second)[1]));
    for tag in [third[1].tag.as_str(), "main"] {
        let found = anonymous().resolve(&third[1].repository.tagged(tag).unwrap()).await.unwrap().unwrap();
        assert_eq!(found.digest, second[1].digest, "{tag}");
    }
}
