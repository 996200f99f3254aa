//! Bodies that GitLab never sends.

use std::collections::BTreeSet;

use cfgupdater_core::WebhookMeaning;
use cfgupdater_tests_forge_server::{mutate, seed};
use fastrand::Rng;

use crate::payloads::{deliver, forge_of, payloads};
use crate::site::Site;

/// How many bodies are tried.
const BODIES: usize = 100_000;

#[tokio::test]
async fn no_body_does_more_than_make_us_look() {
    let directory = tempfile::tempdir().unwrap();
    let forge = forge_of(&"gitlab-org/gitlab-test".parse().unwrap(), &[], &directory);
    let payloads = payloads();
    let seed = seed();
    let mut rng = Rng::with_seed(seed);
    let mut meanings = BTreeSet::new();
    for n in 0..BODIES {
        let (_, mut body) = payloads[rng.usize(0..payloads.len())].clone();
        mutate(&mut rng, &mut body);
        let meaning = deliver(&forge, "Pipeline Hook", &body);
        let meaning = meaning.unwrap_or_else(|e| panic!("body {n} of CFGUPDATER_TEST_SEED={seed}: {e}"));
        meanings.insert(meaning == WebhookMeaning::Look);
    }
    assert_eq!(meanings.len(), 2, "some still say look and some say nothing, of CFGUPDATER_TEST_SEED={seed}");
}

#[tokio::test]
async fn nothing_that_is_delivered_asks_or_writes_anything() {
    let site = Site::new();
    let mut rng = Rng::with_seed(seed());
    for (_, mut body) in payloads() {
        mutate(&mut rng, &mut body);
        deliver(&site.forge, "Pipeline Hook", &body).unwrap();
    }
    assert!(site.gitlab.world().requests.is_empty());
}
