//! Images from Dockerfiles, by the real buildah.

use std::path::Path;

use cfgupdater_core::ErrorKind;
use cfgupdater_image_builder::{Change, DockerfileDriver, ImagesFile, build_dockerfiles};
use cfgupdater_testkit::{DockerRegistry, can_run};
use tempfile::TempDir;

use crate::app::{changes, digests, options};
use crate::support::anonymous;

/// Makes an application with Dockerfiles.
pub(crate) fn app(host: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| std::fs::write(dir.path().join(path), text).unwrap();
    std::fs::create_dir(dir.path().join("out")).unwrap();
    for name in ["web", "worker"] {
        write(&format!("out/{name}"), name);
        write(
            &format!("Dockerfile.{name}"),
            &format!(
                "ARG BIN_IMAGE\nFROM ${{BIN_IMAGE}} AS bins\nFROM scratch\nCMD [\"/{name}\"]\nCOPY --from=bins /app-bins/{name} /{name}\n"
            ),
        );
    }
    write("Dockerfile.base", "FROM scratch\nCOPY out/ /app-bins/\n");
    write(
        "images.toml",
        &format!(
            "registry = \"{host}\"\n[bins]\nimage = \"app-bins\"\ndockerfile = \"Dockerfile.base\"\nfiles = []\n[service.Web]\nimage = \"web\"\ndockerfile = \"Dockerfile.web\"\n[service.Worker]\nimage = \"worker\"\ndockerfile = \"Dockerfile.worker\"\n"
        ),
    );
    dir
}

/// A machine's own buildah, which knows nothing of any other's.
fn buildah(storage: &Path) -> DockerfileDriver {
    let config = storage.join("storage.conf");
    let text = format!(
        "[storage]\ndriver = \"vfs\"\ngraphroot = \"{0}/root\"\nrunroot = \"{0}/run\"\n",
        storage.display()
    );
    std::fs::write(&config, text).unwrap();
    DockerfileDriver::buildah()
        .with_env("CONTAINERS_STORAGE_CONF", config)
        .with_env("BUILDAH_ISOLATION", "chroot")
}

pub(crate) fn images(app: &TempDir) -> ImagesFile {
    ImagesFile::load(&app.path().join("images.toml")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn buildah_builds_pushes_and_tags() {
    if !can_run(&["buildah"]) {
        return;
    }
    let Some(registry) = DockerRegistry::start() else { return };
    let app = app(registry.host());
    let (machine, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let build = async |machine: &TempDir, n: u32| {
        let driver = buildah(machine.path());
        build_dockerfiles(&driver, &images(&app), &anonymous(), &options(n), |_| ()).await.unwrap()
    };
    let first = build(&machine, 1).await;
    assert_eq!(changes(&first), [("app-bins", Change::New), ("Web", Change::New), ("Worker", Change::New)]);
    first[1].image().check().unwrap();
    std::fs::write(app.path().join("out/web"), "another web").unwrap();
    let second = build(&other, 2).await;
    assert_eq!((second[1].change, second[2].change), (Change::Changed, Change::Unchanged));
    assert_eq!(digests(&first)[2], digests(&second)[2]);
}

#[tokio::test]
async fn what_a_driver_can_not_do_is_said_before_anything_is_done() {
    let app = app("127.0.0.1:1");
    let none = DockerfileDriver::docker().with_program("/nowhere/docker");
    let mut dry = options(1);
    dry.push = false;
    let error = build_dockerfiles(&none, &images(&app), &anonymous(), &dry, |_| ()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
}

#[tokio::test]
async fn a_dockerfile_alone_is_not_built_natively() {
    let app = app("127.0.0.1:1");
    let built = cfgupdater_image_builder::build(&images(&app), &anonymous(), &options(1), |_| ()).await;
    assert!(built.unwrap_err().to_string().contains("it has a Dockerfile only"));
}
