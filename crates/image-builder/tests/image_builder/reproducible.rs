//! The same content makes the same images, wherever and however it is built.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use cfgupdater_image_builder::Change;

use crate::app::{App, changes, digests, layout_only, options};
use crate::double::Double;
use crate::support::anonymous;

/// Returns every file of a directory, by its path there.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(next) = pending.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().display().to_string();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Makes an app's files look as if another user had checked them out at another time, in another order.
fn disguise(app: &App) {
    for (n, path) in
        ["README.md", "conf/app/settings.toml", "lib/shared.so", "out/worker", "out/api", "out/web"]
            .into_iter()
            .enumerate()
    {
        let path = app.path(path);
        let content = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 * (n as u64 + 1));
        std::fs::File::options().append(true).open(&path).unwrap().set_modified(time).unwrap();
    }
    std::fs::set_permissions(app.path("conf/app"), std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_machines_that_share_nothing_build_the_same_bytes() {
    let (one, other) = (App::new("r.example.com"), App::new("r.example.com"));
    disguise(&other);
    let layouts = tempfile::tempdir().unwrap();
    let (first, second) = (layouts.path().join("a"), layouts.path().join("b"));
    let built = one.build(&anonymous(), &layout_only(&first, 1)).await.unwrap();
    let again = other.build(&anonymous(), &layout_only(&second, 8)).await.unwrap();
    assert_eq!(digests(&built), digests(&again));
    assert_eq!(files(&first), files(&second));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_image_does_not_hold_does_not_change_it() {
    let double = Double::start();
    let app = App::new(&double.address);
    let first = app.build(&anonymous(), &options(1)).await.unwrap();
    assert_eq!(changes(&first), [("Api", Change::New), ("Web", Change::New), ("Worker", Change::New)]);
    app.write("README.md", b"# App, now with a longer text");
    disguise(&app);
    let second = app.build(&anonymous(), &options(2)).await.unwrap();
    assert_eq!(digests(&first), digests(&second));
    assert!(second.iter().all(|built| built.change == Change::Unchanged && built.blobs_sent == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_library_changes_exactly_its_users() {
    let double = Double::start();
    let app = App::new(&double.address);
    app.build(&anonymous(), &options(1)).await.unwrap();
    app.write("lib/shared.so", b"a library with a fix");
    let built = app.build(&anonymous(), &options(2)).await.unwrap();
    assert_eq!(
        changes(&built),
        [("Api", Change::Changed), ("Web", Change::Changed), ("Worker", Change::Unchanged)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_branch_has_the_digests_of_the_old_one() {
    let double = Double::start();
    let app = App::new(&double.address);
    let on_main = app.build(&anonymous(), &options(1)).await.unwrap();
    let mut branch = options(2);
    branch.revision.branch_tag = Some("topic".to_owned());
    let on_branch = app.build(&anonymous(), &branch).await.unwrap();
    assert_eq!(digests(&on_main), digests(&on_branch));
    assert!(on_branch.iter().all(|built| built.change == Change::New && built.blobs_sent == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_files_is_the_one_thing_to_choose() {
    let app = App::new("r.example.com");
    let layouts = tempfile::tempdir().unwrap();
    let at = |epoch: u64, name: &str| {
        let mut options = layout_only(&layouts.path().join(name), 2);
        options.epoch = epoch;
        options
    };
    let epoch_0 = app.build(&anonymous(), &at(0, "a")).await.unwrap();
    let epoch_1 = app.build(&anonymous(), &at(1, "b")).await.unwrap();
    assert!(digests(&epoch_0).iter().zip(digests(&epoch_1)).all(|(one, other)| *one != other));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layout_keeps_the_images_of_others() {
    let (one, other) = (App::new("r.example.com"), App::new("r.example.com"));
    let names = std::fs::read_to_string(other.path("images.toml")).unwrap();
    other.write("images.toml", names.replace("service.Worker", "service.Runner").as_bytes());
    other.write("out/web", b"another web binary");
    let directory = tempfile::tempdir().unwrap();
    let layout = directory.path().join("layout");
    let first = one.build(&anonymous(), &layout_only(&layout, 2)).await.unwrap();
    let second = other.build(&anonymous(), &layout_only(&layout, 2)).await.unwrap();
    let index = std::fs::read(layout.join("index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let listed: Vec<(&str, &str)> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| {
            let name = image["annotations"]["org.opencontainers.image.ref.name"].as_str().unwrap();
            (name, image["digest"].as_str().unwrap())
        })
        .collect();
    let digest = |built: &[cfgupdater_image_builder::BuiltImage], n: usize| built[n].digest.to_string();
    let expected = [
        ("Worker", digest(&first, 2)),
        ("Api", digest(&second, 0)),
        ("Runner", digest(&second, 1)),
        ("Web", digest(&second, 2)),
    ];
    assert_eq!(listed, expected.each_ref().map(|(name, digest)| (*name, digest.as_str())));

    std::fs::write(layout.join("index.json"), "nonsense").unwrap();
    let error = one.build(&anonymous(), &layout_only(&layout, 2)).await.unwrap_err().to_string();
    assert!(error.contains("index.json is not JSON"), "{error}");
}
