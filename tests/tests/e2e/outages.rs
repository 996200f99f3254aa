//! Outages: what a caller is told, and that everything goes on without a restart.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use cfgupdater_tests::{Options, Remote, Service, app_sha, eventually, images};
use serde_json::json;

/// Takes the remote away until it is dropped.
struct Away {
    from: PathBuf,
    to: PathBuf,
}

impl Away {
    fn take(remote: &Remote) -> Self {
        let from = remote.path().to_owned();
        let to = from.with_extension("away");
        std::fs::rename(&from, &to).unwrap();
        Self { from, to }
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        std::fs::rename(&self.to, &self.from).unwrap();
    }
}

/// A server that scans what is pushed to auto, and declines the images of build 13.
fn scan_for_build_13(remote: &Remote) {
    let script = format!(
        "while read old new ref; do
  [ \"$ref\" = refs/heads/auto ] || continue
  for commit in $(git rev-list \"$new\" --not --all); do
    if git show \"$commit:images/staging/tags.json\" | grep -q {}; then
      echo 'push blocked: secret found' >&2
      exit 1
    fi
  done
done
",
        app_sha(13)
    );
    remote.install_hook("pre-receive", &script);
}

fn land(service: &Service, n: u32) {
    let told = service.announce(n);
    service.status(told["commit"].as_str().unwrap(), "ci", "success");
    assert_eq!(service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
}

#[test]
fn while_the_remote_is_away_nothing_is_promised_and_then_it_goes_on() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let refs = remote.refs();
    let away = Away::take(&remote);
    eventually("readiness to end, with the reason", || {
        let reply = service.get("/readyz");
        (reply.status == 503 && reply.text.contains("cfg-app: can't list the references")).then_some(())
    });
    assert_eq!(service.get("/healthz").status, 200);
    let started = std::time::Instant::now();
    let reply = service.announce_reply(1);
    assert!(reply.retry_after.is_some(), "{reply:?}");
    reply.refused(503);
    assert!(started.elapsed().as_secs() < 25, "the call's limit");
    drop(away);
    eventually("readiness", || (service.get("/readyz").status == 200).then_some(()));
    assert_eq!(remote.refs(), refs, "nothing was half done");
    land(&service, 1);
}

#[test]
fn a_service_that_starts_without_its_remote_serves_once_it_is_there() {
    let remote = Remote::new();
    let away = Away::take(&remote);
    let service = Service::unready(&remote, &Options::default());
    assert_eq!(service.get("/readyz").status, 503);
    let detail = service.announce_reply(1).refused(503);
    assert!(detail.contains("not open yet"), "{detail}");
    drop(away);
    eventually("readiness", || (service.get("/readyz").status == 200).then_some(()));
    land(&service, 1);
}

#[test]
fn a_declined_announcement_is_refused_and_the_others_are_not() {
    let remote = Remote::new();
    scan_for_build_13(&remote);
    let service = Service::start(&remote);
    let replies = std::thread::scope(|scope| {
        let calls = [12, 13, 14].map(|n| {
            scope.spawn({
                let service = &service;
                move || service.announce_reply(n)
            })
        });
        calls.map(|call| call.join().unwrap())
    });
    let [fine, bad, also_fine] = replies;
    assert_eq!((fine.status, also_fine.status), (200, 200), "{fine:?} {also_fine:?}");
    let detail = bad.refused(422);
    assert!(detail.contains("secret found"), "{detail}");
    let path = format!("/v1/repos/cfg-app/images?app_sha={}", app_sha(13));
    service.server().post(&path, &images(&["Service1", "Service2"], 13)).refused(422);
}

#[test]
fn of_what_was_accepted_the_guilty_intent_alone_is_refused() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let hold = |action: &str| {
        let path = format!("/v1/repos/cfg-app/waves/staging/{action}");
        service.server().post(&path, &json!({"reason": "maintenance"})).ok();
    };
    hold("hold");
    let bad = service.announce(13)["intent"].as_str().unwrap().to_owned();
    let good = service.announce(14)["intent"].as_str().unwrap().to_owned();
    scan_for_build_13(&remote);
    hold("release");
    let end = service.end_of(&bad);
    assert_eq!(end["end"], "refused");
    assert!(end["reason"].as_str().unwrap().contains("secret found"), "{end}");
    service.status(&remote.auto(), "ci", "success");
    assert_eq!(service.end_of(&good)["end"], "landed");
}

#[test]
fn a_protected_stable_branch_is_left_alone_and_everything_else_goes_on() {
    let remote = Remote::new();
    remote.install_hook(
        "update",
        "[ \"$1\" = refs/heads/master ] && { echo 'GH006: Protected branch update failed' >&2; exit 1; }\nexit 0\n",
    );
    let service = Service::start(&remote);
    let before = remote.master();
    let told = service.announce(1);
    service.status(told["commit"].as_str().unwrap(), "ci", "success");
    service.eventually_why("GH006");
    assert_eq!(service.announce(2)["outcome"], "committed");
    assert_eq!(remote.master(), before);
    let pushes = || service.get("/metrics").text;
    let declined = |text: String| {
        let line =
            text.lines().find(|line| line.contains("declined") && !line.starts_with('#')).unwrap().to_owned();
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    assert!(declined(pushes()) < 10.0, "no hot retry");
    std::fs::remove_file(remote.path().join("hooks/update")).unwrap();
    service.status(&remote.auto(), "ci", "success");
    eventually("the landing", || (remote.master() == remote.auto()).then_some(()));
}

#[test]
fn a_lost_mirror_is_fetched_afresh() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    land(&service, 1);
    let mirror = service.data_directory().join("mirrors/cfg-app.git");
    for damage in [remove as fn(&Path), truncate_packs] {
        damage(&mirror);
        let n = if mirror.exists() { 2 } else { 3 };
        service.repo();
        land(&service, n);
    }
    remote.fsck();
}

fn remove(mirror: &Path) {
    std::fs::remove_dir_all(mirror).unwrap();
}

fn truncate_packs(mirror: &Path) {
    for entry in std::fs::read_dir(mirror.join("objects/pack")).into_iter().flatten() {
        let path = entry.unwrap().path();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::fs::File::create(&path).unwrap();
    }
}

/// A small file system, gone when it is dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Mounts one; `None` where that isn't allowed.
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(directory.path())
            .status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(directory))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A process that still ends may hold it; it goes with it then.
        let _ = std::process::Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[test]
fn on_a_full_disk_nothing_is_promised_and_with_space_it_goes_on() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("skipped: not allowed here: mounting a small file system");
        return;
    };
    let remote = Remote::new();
    let options = Options { data_dir: Some(disk.0.path().join("data")), alone: true, ..Options::default() };
    let service = Service::with(&remote, &options);
    land(&service, 1);
    let filler = disk.0.path().join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
    drop(file);
    let refs = remote.refs();
    let reply = service.announce_reply(2);
    assert!(reply.retry_after.is_some(), "{reply:?}");
    reply.refused(503);
    assert_eq!(remote.refs(), refs);
    std::fs::remove_file(&filler).unwrap();
    eventually("an answer", || (service.announce_reply(2).status == 200).then_some(()));
    remote.fsck();
    drop(service);
}
