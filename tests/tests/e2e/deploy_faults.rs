//! The main job with deploy tools that follow stable: some of their words are lost, doubled or too early.

mod site;

use cfgupdater_tests::Remote;

use crate::deploy_hooks::{introduce, state};
use site::{Fate, Site};

#[test]
fn production_runs_the_release_although_words_are_lost_doubled_and_early() {
    use Fate::{Doubled, Early, Lost, Sent};
    let (remote, directory) = (Remote::new(), tempfile::tempdir().unwrap());
    let mut site = Site::start(&remote, directory.path(), "");
    site.carry(
        1,
        [
            &[("argo-1", Early), ("argo-2", Doubled)],
            &[("helm-1", Early), ("flux-1", Lost)],
            &[("argo-3", Sent), ("flux-2", Doubled), ("helm-2", Lost)],
        ],
    );
    site.carry(
        2,
        [
            &[("argo-2", Early), ("argo-1", Sent)],
            &[("flux-1", Early), ("helm-1", Doubled)],
            &[("argo-3", Lost), ("flux-2", Sent), ("helm-2", Doubled)],
        ],
    );
    let log = site.service.log();
    let asked = |is: bool| {
        log.iter().any(|item| item["record"] == "reported" && item["report"]["asked_at"].is_string() == is)
    };
    assert!(asked(true) && asked(false), "some were heard, the others asked: {log:?}");
    // All that was ever sent or lost arrives now, the newest first: it says nothing that isn't known.
    for target in ["argo-3", "helm-2"] {
        let word = site.of(target).early(target);
        site.send(word);
    }
    let before = state(&remote);
    for word in site.words.clone().into_iter().rev() {
        site.send(word);
    }
    assert_eq!(state(&remote), before, "S11: replayed words change nothing");
    remote.fsck();
}

#[test]
fn an_early_word_that_comes_last_is_taken_back_while_the_release_soaks() {
    let (remote, directory) = (Remote::new(), tempfile::tempdir().unwrap());
    // Longer than any test: nothing may leave the wave meanwhile.
    let mut site = Site::start(&remote, directory.path(), "soak = \"1h\"");
    let stable = introduce(&remote, &site.service, 1);
    site.meet("staging", "argo-1", Fate::Sent);
    site.begin("argo-2");
    let early = site.of("argo-2").early("argo-2");
    site.send(early);
    site.service.eventually_why("soaks in staging");
    // It fails, and nobody says so.
    site.of("argo-2").finish("argo-2", false);
    site.of("argo-2").show("argo-2");
    site.heard("staging", "argo-2", "failed");
    site.service.eventually_why("nothing leaves the wave until it reports success");
    site.roll_out("staging", &[("argo-2", Fate::Lost)]);
    site.heard("staging", "argo-2", "succeeded");
    site.service.eventually_why("soaks in staging");
    assert_eq!((remote.master(), remote.auto()), (stable.clone(), stable));
}
