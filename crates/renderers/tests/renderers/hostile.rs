//! Renderers that hang, fork, fill the disk, print without end, write outside, remove everything and follow links.

use std::time::Duration;

use cfgupdater_core::RenderFailureKind::{self, Environment, Limit, Refused, Tree};
use cfgupdater_core::{EntryKind, GitRepo, TreeEdit};
use cfgupdater_renderers::CommandSettings;

use crate::support::{Site, render};

/// Renders a tree whose script is this; then shows that the same renderer still renders another tree.
async fn fails(script: &str, change: impl FnOnce(&mut CommandSettings), kind: RenderFailureKind, says: &str) {
    let site = Site::new();
    let renderer = site.renderer(change);
    let outside = site.place.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("file"), "untouched").unwrap();
    let script = script.replace("OUTSIDE", &outside.display().to_string());
    let tree = site.tree(&[("render.sh", &script), ("generated/a", "1"), ("generated/b", "2")]);
    let failure = render(&renderer, tree).await.unwrap_err();
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.message.contains(says), "{failure}");
    assert!(failure.message.len() < 8 * 1024);
    assert_eq!(std::fs::read_to_string(outside.join("file")).unwrap(), "untouched");
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1);
    let tree = site.tree(&[("render.sh", "echo 3 > generated/a"), ("generated/a", "1")]);
    assert_eq!(render(&renderer, tree).await.unwrap().edits.len(), 1);
}

fn quick(settings: &mut CommandSettings) {
    settings.time = Duration::from_secs(1);
}

#[tokio::test]
async fn one_that_hangs_is_stopped() {
    fails("echo begun; sleep 600", quick, Limit, "longer than 1 s").await;
}

#[tokio::test]
async fn one_that_forks_without_end_is_stopped_with_all_it_started() {
    let fork = "for i in 1 2 3 4 5 6 7 8; do setsid sh -c 'while :; do sleep 600; done' & done; wait";
    fails(fork, quick, Limit, "longer than 1 s").await;
}

#[tokio::test]
async fn one_that_forks_faster_than_anybody_can_count_is_stopped() {
    // Each of them starts two more and ends; a limit keeps this machine usable.
    let bomb = "ulimit -n 64; f() { sleep 0.05; f & f & wait; }; f";
    fails(bomb, quick, Limit, "longer than 1 s").await;
}

#[tokio::test]
async fn one_that_makes_files_without_end_is_stopped() {
    let flood = "i=0; while :; do : > generated/f$i; i=$((i+1)); done";
    fails(flood, |settings| settings.disk = 4_000_000, Limit, "took more than").await;
}

#[tokio::test]
async fn one_that_makes_directories_without_bottom_is_refused() {
    let deep = "i=0; cd generated; while [ $i -lt 300 ]; do mkdir d; cd d; i=$((i+1)); done; exit 0";
    fails(deep, |_| (), Refused, "without end").await;
}

#[tokio::test]
async fn one_that_steals_gets_nothing() {
    if !cfgupdater_commands::confines() {
        eprintln!("skipped: not allowed here: this kernel has no Landlock, so commands can't be confined");
        return;
    }
    let steal = "set -e; cat /proc/$PPID/environ > generated/stolen";
    fails(steal, |_| (), Tree, "ermission denied").await;
    fails("set -e; cat OUTSIDE/file > generated/stolen", |_| (), Tree, "ermission denied").await;
}

#[tokio::test]
async fn a_failure_names_no_directory_of_this_place() {
    let site = Site::new();
    let renderer = site.renderer(|_| ());
    let tree = site.tree(&[("render.sh", "echo in $PWD and $HOME; exit 1")]);
    let failure = render(&renderer, tree).await.unwrap_err();
    assert!(failure.message.contains("in . and $HOME"), "{failure}");
    assert!(!failure.message.contains(&site.place.path().display().to_string()), "{failure}");
}

#[tokio::test]
async fn one_that_fills_the_disk_is_stopped() {
    let fill = "i=0; while :; do head -c 100000 /dev/zero > generated/f$i; i=$((i+1)); done";
    fails(fill, |settings| settings.disk = 4_000_000, Limit, "took more than").await;
}

#[tokio::test]
async fn one_that_fills_its_temporary_directory_is_stopped() {
    let fill = "i=0; while :; do head -c 100000 /dev/zero > $TMPDIR/f$i; i=$((i+1)); done";
    fails(fill, |settings| settings.disk = 4_000_000, Limit, "took more than").await;
}

#[tokio::test]
async fn one_that_prints_a_gigabyte_is_stopped() {
    fails("head -c 1000000000 /dev/zero", |settings| settings.output = 1_000_000, Limit, "printed more than")
        .await;
}

#[tokio::test]
async fn one_that_writes_outside_can_not() {
    if !cfgupdater_commands::confines() {
        eprintln!("skipped: not allowed here: this kernel has no Landlock, so commands can't be confined");
        return;
    }
    fails("set -e; echo stolen > OUTSIDE/file", |_| (), Tree, "ermission denied").await;
    fails("set -e; echo stolen > OUTSIDE/made", |_| (), Tree, "ermission denied").await;
    fails("set -e; echo stolen > ../stolen", |_| (), Tree, "ermission denied").await;
    fails("set -e; ln -s OUTSIDE away; echo stolen > away/file", |_| (), Tree, "ermission denied").await;
}

#[tokio::test]
async fn links_it_makes_are_never_taken() {
    fails("ln -s OUTSIDE/file generated/link", |_| (), Refused, "generated/link a link").await;
    fails("rm -r generated; ln -s OUTSIDE generated", |_| (), Refused, "generated something else").await;
    fails("mkfifo generated/pipe", |_| (), Refused, "special file").await;
}

#[tokio::test]
async fn links_of_the_tree_that_lead_outside_are_not_laid_out() {
    let site = Site::new();
    let renderer = site.renderer(|_| ());
    let base = site.tree(&[("render.sh", "echo stolen > generated/x")]);
    for target in ["/etc/passwd", "../../outside", "x/../../.."] {
        let link = *site.repo.write_blob(target.as_bytes()).unwrap().object_id();
        let edit = TreeEdit::put("generated/x".parse().unwrap(), EntryKind::Symlink, link);
        let tree = site.repo.edit_tree(Some(&base), &[edit]).unwrap();
        let failure = render(&renderer, tree).await.unwrap_err();
        assert!(failure.kind == Tree && failure.message.contains("generated/x leads out"), "{failure}");
    }
}

#[tokio::test]
async fn a_program_that_is_missing_is_the_place_s_fault() {
    let site = Site::new();
    let renderer = site.renderer(|settings| settings.command = vec!["no-such-make".to_owned()]);
    let tree = site.tree(&[("generated/a", "1")]);
    let failure = render(&renderer, tree).await.unwrap_err();
    assert!(failure.kind == Environment && failure.message.contains("install it"), "{failure}");
}

#[tokio::test]
async fn a_tool_that_is_missing_is_told_by_its_name() {
    fails("no-such-jsonnet x", |_| (), Environment, "no-such-jsonnet").await;
}
