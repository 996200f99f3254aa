//! The engine with a renderer in memory: what is rendered again, and who is blamed where nothing can be.
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

#[path = "../in_memory/mod.rs"]
mod in_memory;
mod place;
mod verify;

use cfgupdater::View;
use cfgupdater::core::{Relation, RenderFailure, RenderFailureKind};

use in_memory::{end, push};
use place::{Place, says};

#[tokio::test]
async fn a_tool_that_vanished_blames_no_intent_although_the_base_was_rendered_before() {
    let place = Place::new(false);
    place.land(1).await;
    // What a make target says of a tool that isn't there can't be told from what it says of a bad tree.
    place.renderer.fail(Some(RenderFailure::new(RenderFailureKind::Tree, "jsonnet: not found")));
    let second = place.announce(2).await;
    assert_eq!((second.commit, second.end), (None, None));
    let view = place.wait_for("why it waits", |view| says(view, "jsonnet: not found")).await;
    assert_eq!(end(&view, second.intent), None);
    let third = place.announce(3).await;
    assert_eq!((third.commit, third.end), (None, None));
    // Once the tool is back, both get onto auto.
    place.renderer.fail(None);
    push(&place.server, "README", "the tool is back\n", "docs: it is back");
    let on_auto = |view: &View| view.snapshot.as_ref().is_some_and(|snapshot| snapshot.chain.len() == 2);
    place.wait_for("both on auto", on_auto).await;
    place.engine.stop().await;
}

#[tokio::test]
async fn what_was_rendered_before_is_not_rendered_again() {
    let place = Place::new(false);
    place.land(1).await;
    let second = place.announce(2).await;
    place.announce(3).await;
    let asked = place.renderer.asked();
    // A person removes what is generated: auto is rebuilt, and nothing else that rendering depends on has changed.
    push(&place.server, "generated/images.json", "by hand\n", "oops");
    let rebuilt = |view: &View| {
        let snapshot = view.snapshot.as_ref().unwrap();
        snapshot.relation == Relation::Ahead
            && snapshot.chain.len() == 2
            && snapshot.chain[0].id != second.commit.unwrap()
    };
    let view = place.wait_for("a rebuilt chain", rebuilt).await;
    assert_eq!(place.renderer.asked(), asked);
    assert!(view.counters.renders_reused >= 2, "{:?}", view.counters);
    // An input that changed is rendered: once for each intent.
    let before = view.snapshot.as_ref().unwrap().chain[0].id;
    push(&place.server, "README", "changed\n", "docs: more");
    let rebuilt = |view: &View| {
        let snapshot = view.snapshot.as_ref().unwrap();
        snapshot.relation == Relation::Ahead && snapshot.chain.len() == 2 && snapshot.chain[0].id != before
    };
    place.wait_for("a chain on the changed input", rebuilt).await;
    assert_eq!(place.renderer.asked(), asked + 2);
    place.engine.stop().await;
}

#[tokio::test]
async fn what_a_rendering_found_is_told_also_where_its_result_is_reused() {
    let place = Place::new(false);
    place.renderer.find(vec!["a stray file".to_owned()]);
    place.announce(1).await;
    place.wait_for("the finding", |view| says(view, "a stray file")).await;
    place.renderer.find(Vec::new());
    let asked = place.renderer.asked();
    push(&place.server, "generated/images.json", "by hand\n", "oops");
    let rebuilt = |view: &View| view.counters.renders_reused > 0 && says(view, "a stray file");
    place.wait_for("the finding once more", rebuilt).await;
    assert_eq!(place.renderer.asked(), asked);
    place.engine.stop().await;
}
