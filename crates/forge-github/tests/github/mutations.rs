//! Bodies that GitHub never sends.

use std::collections::BTreeSet;

use cfgupdater_core::{ErrorKind, Forge, WebhookDelivery, WebhookMeaning};
use cfgupdater_tests_forge_server::{mutate, seed};
use fastrand::Rng;

use crate::payloads::{deliver, examples, forge_of};
use crate::site::Site;

/// How many bodies are tried.
const BODIES: usize = 100_000;

#[tokio::test]
async fn no_body_does_more_than_make_us_look() {
    let directory = tempfile::tempdir().unwrap();
    let forge = forge_of("Codertocat/Hello-World", &directory);
    // Short ones, so that a change hits something.
    let seeds: Vec<(String, Vec<u8>)> = examples()
        .into_iter()
        .flat_map(|(event, payloads)| {
            payloads.into_iter().map(move |payload| (event.clone(), payload.to_string().into_bytes()))
        })
        .filter(|(_, body)| body.len() < 12_000)
        .collect();
    let seed = seed();
    let mut rng = Rng::with_seed(seed);
    let mut meanings = BTreeSet::new();
    for n in 0..BODIES {
        let (event, mut body) = seeds[rng.usize(0..seeds.len())].clone();
        mutate(&mut rng, &mut body);
        let meaning = deliver(&forge, &event, &body);
        let meaning = meaning.unwrap_or_else(|e| panic!("body {n} of CFGUPDATER_TEST_SEED={seed}: {e}"));
        meanings.insert(meaning == WebhookMeaning::Look);
    }
    assert_eq!(meanings.len(), 2, "some still say look and some say nothing, of CFGUPDATER_TEST_SEED={seed}");
}

#[tokio::test]
async fn nothing_that_is_delivered_writes_anything() {
    let site = Site::new();
    let mut rng = Rng::with_seed(seed());
    for (event, payloads) in examples() {
        for payload in payloads {
            let mut body = payload.to_string().into_bytes();
            mutate(&mut rng, &mut body);
            deliver(&site.forge, &event, &body).unwrap();
        }
    }
    assert!(site.github.world().requests.is_empty());
}

#[tokio::test]
async fn a_changed_body_is_not_authentic() {
    let directory = tempfile::tempdir().unwrap();
    let forge = forge_of("Codertocat/Hello-World", &directory);
    let mut rng = Rng::with_seed(seed());
    let body = examples()["status"][0].to_string().into_bytes();
    let signature = {
        use cfgupdater_forge_http::{Form, Secret, sign_hmac};
        sign_hmac(&Secret::new(crate::site::SECRETS[1]).unwrap(), &body, Form::Prefixed)
    };
    let headers =
        [("x-github-event".to_owned(), "status".to_owned()), ("x-hub-signature-256".to_owned(), signature)];
    assert_eq!(forge.decode_webhook(&WebhookDelivery::new(&headers, &body)).unwrap(), WebhookMeaning::Look);
    for _ in 0..1000 {
        let mut changed = body.clone();
        mutate(&mut rng, &mut changed);
        if changed != body {
            let error = forge.decode_webhook(&WebhookDelivery::new(&headers, &changed)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        }
    }
}
