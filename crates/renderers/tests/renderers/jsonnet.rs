//! Jsonnet is evaluated from the tree alone, within limits.

use std::time::Duration;

use cfgupdater_core::RenderFailureKind::{self, Environment, Limit, Tree};
use cfgupdater_core::{GitRepo, RenderFailure, Rendered, TreeId};
use cfgupdater_renderers::{JsonnetEntry, JsonnetRenderer, JsonnetSettings};

use crate::support::{Site, render};

const ENTRY: &str = "local images = import 'images.json'; local lib = import 'lib.libsonnet';
{ [name + '.yml']: std.manifestYamlDoc({ image: images[name], kind: lib.kind }) for name in std.objectFields(images) }";

fn renderer(site: &Site, change: impl FnOnce(&mut JsonnetSettings)) -> JsonnetRenderer {
    let worker = vec![env!("CARGO_BIN_EXE_cfgupdater-jsonnet-worker").to_owned()];
    let entry = JsonnetEntry {
        file: "env/staging.jsonnet".parse().unwrap(),
        directory: "generated/staging".parse().unwrap(),
    };
    let mut settings = JsonnetSettings::new(worker, vec![entry]);
    settings.libraries = vec!["lib".parse().unwrap()];
    change(&mut settings);
    JsonnetRenderer::new(site.repo.clone(), settings)
}

fn tree(site: &Site, entry: &str) -> TreeId {
    site.tree(&[
        ("env/staging.jsonnet", entry),
        ("env/images.json", r#"{"web": "r/web:v1"}"#),
        ("lib/lib.libsonnet", "{ kind: 'Deployment' }"),
        ("generated/staging/old.yml", "stale"),
        ("generated/other/kept.yml", "other"),
    ])
}

fn result(site: &Site, tree: TreeId, rendered: &Rendered) -> TreeId {
    site.repo.edit_tree(Some(&tree), &rendered.edits).unwrap()
}

#[tokio::test]
async fn entries_make_files_and_what_they_no_longer_make_is_removed() {
    let site = Site::new();
    let renderer = renderer(&site, |_| ());
    let one = tree(&site, ENTRY);
    let made = result(&site, one, &render(&renderer, one).await.unwrap());
    let files = site.files(&made);
    assert_eq!(files["generated/staging/web.yml"], "\"image\": \"r/web:v1\"\n\"kind\": \"Deployment\"\n");
    assert!(
        !files.contains_key("generated/staging/old.yml") && files.contains_key("generated/other/kept.yml")
    );
    assert_eq!(render(&renderer, made).await.unwrap().edits, []);
    let next = site.edited(Some(&made), &[("env/images.json", r#"{"web": "r/web:v2", "api": "r/api:v1"}"#)]);
    let next = result(&site, next, &render(&renderer, next).await.unwrap());
    assert!(site.files(&next)["generated/staging/web.yml"].contains("v2"));
    assert!(site.files(&next).contains_key("generated/staging/api.yml"));
    // An edit of a generated file by hand is undone, though no input changed.
    let edited = site.edited(Some(&next), &[("generated/staging/web.yml", "by hand")]);
    assert_eq!(result(&site, edited, &render(&renderer, edited).await.unwrap()), next);
}

#[tokio::test]
async fn a_library_that_appears_beside_the_entry_takes_precedence_also_later() {
    let site = Site::new();
    let renderer = renderer(&site, |_| ());
    let one = tree(&site, ENTRY);
    render(&renderer, one).await.unwrap();
    let shadowed = site.edited(Some(&one), &[("env/lib.libsonnet", "{ kind: 'Job' }")]);
    let made = result(&site, shadowed, &render(&renderer, shadowed).await.unwrap());
    assert!(site.files(&made)["generated/staging/web.yml"].contains("Job"));
}

async fn fails(
    entry: &str,
    change: impl FnOnce(&mut JsonnetSettings),
    kind: RenderFailureKind,
    says: &str,
) -> RenderFailure {
    let site = Site::new();
    let renderer = renderer(&site, change);
    let failure = render(&renderer, tree(&site, entry)).await.unwrap_err();
    assert!(failure.kind == kind && failure.message.contains(says), "{failure:?}");
    // The next tree is rendered as if nothing had been, unless nothing can be.
    let next = render(&renderer, tree(&site, "{ 'a.yml': 'x' }")).await;
    assert!(next.is_ok() || kind == Environment, "{next:?}");
    failure
}

#[tokio::test]
async fn mistakes_are_told_with_their_place() {
    fails("{ a: 1 + }", |_| (), Tree, "env/staging.jsonnet").await;
    let failure =
        fails("local f(x) = error 'no ' + x; { 'a.yml': f('field') }", |_| (), Tree, "no field").await;
    assert!(failure.message.contains("env/staging.jsonnet:1"), "{failure}");
    fails("{ 'a.yml': { b: 1 } }", |_| (), Tree, "`a.yml` is no text").await;
    fails("[]", |_| (), Tree, "must evaluate to an object").await;
    fails("{ '../../x': 'y' }", |_| (), Tree, "can't be one").await;
    fails("import 'nowhere.libsonnet'", |_| (), Tree, "`nowhere.libsonnet` is not in the repository").await;
}

#[tokio::test]
async fn nothing_is_imported_from_outside_the_tree() {
    fails("{ 'a.yml': importstr '/etc/passwd' }", |_| (), Tree, "is absolute").await;
    fails("{ 'a.yml': importstr '../../../../etc/passwd' }", |_| (), Tree, "leads out").await;
    fails("{ 'a.yml': importstr '../.git/config' }", |_| (), Tree, "not in the repository").await;
}

#[tokio::test]
async fn evaluations_without_end_are_ended() {
    let quick = |settings: &mut JsonnetSettings| settings.time = Duration::from_secs(1);
    let exponential = "local f(n) = if n < 2 then 1 else f(n - 1) + f(n - 2); { 'a.yml': '' + f(80) }";
    fails(exponential, quick, Limit, "longer than 1 s").await;
    fails("local f(x) = f(x + 1) + 1; { 'a.yml': '' + f(0) }", |_| (), Tree, "stack overflow").await;
    let large = "local f(s, n) = if n == 0 then s else f(s + s, n - 1); { 'a.yml': f('0123456789', 18) }";
    let small = |settings: &mut JsonnetSettings| settings.output = 1_000_000;
    fails(large, small, Limit, "env/staging.jsonnet makes more than 1000000 bytes").await;
    let memory = |settings: &mut JsonnetSettings| settings.memory = 256 * 1024 * 1024;
    let large = "local f(s, n) = if n == 0 then s else f(s + s, n - 1); { 'a.yml': f('0123456789', 29) }";
    fails(large, memory, Limit, "256 MiB of memory").await;
}

#[tokio::test]
async fn a_worker_that_is_missing_is_the_place_s_fault() {
    fails(ENTRY, |settings| settings.worker = vec!["/nowhere".to_owned()], Environment, "/nowhere").await;
}

#[tokio::test]
async fn what_is_given_up_keeps_the_next_one_waiting_for_no_limit() {
    let site = Site::new();
    let renderer = renderer(&site, |settings| settings.time = Duration::from_hours(1));
    let exponential = "local f(n) = if n < 2 then 1 else f(n - 1) + f(n - 2); { 'a.yml': '' + f(80) }";
    let endless = tree(&site, exponential);
    let next = tree(&site, ENTRY);
    // Before it begins, while it begins and while it evaluates.
    for after in [0, 1, 20, 200].map(Duration::from_millis) {
        let given_up = tokio::time::timeout(after, render(&renderer, endless)).await;
        assert!(given_up.is_err(), "{given_up:?}");
        assert_eq!(render(&renderer, next).await.unwrap().edits.len(), 2);
    }
}
