//! Webhooks that are signed as the Standard Webhooks specification says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cfgupdater_core::{ErrorKind, Forge, WebhookDelivery, WebhookMeaning};
use cfgupdater_forge_gitlab::GitlabForge;
use cfgupdater_forge_http::{SecretSource, now};
use cfgupdater_testkit::conformance::forge::{Webhook, WebhookEvent};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::conformance::webhook;
use crate::site::{Site, settings};

/// Two keys, the current and the next, as GitLab shows them.
const KEYS: [&[u8]; 2] = [b"canary-of-the-current-key", b"canary-of-the-next-key"];

fn shown(key: &[u8]) -> String {
    format!("whsec_{}", STANDARD.encode(key))
}

fn forge_of(site: &Site, secrets: &[String]) -> GitlabForge {
    let file = site.directory.path().join("signing");
    std::fs::write(&file, secrets.join("\n")).unwrap();
    let mut settings = settings(&site.gitlab, &site.directory);
    settings.webhook_secret = Some(SecretSource::file(file));
    GitlabForge::new(settings).unwrap()
}

/// Signs a webhook by an implementation of its own.
fn sign(mut webhook: Webhook, keys: &[&[u8]], seconds: i64) -> Webhook {
    let (id, sent) = ("msg_1", seconds.to_string());
    let signed = |key: &&[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(format!("{id}.{sent}.").as_bytes());
        mac.update(&webhook.body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    };
    let signatures: Vec<String> = keys.iter().map(signed).collect();
    for (name, value) in
        [("webhook-id", id), ("webhook-timestamp", &sent), ("webhook-signature", &signatures.join(" "))]
    {
        webhook.headers.push((name.to_owned(), value.to_owned()));
    }
    webhook
}

fn decode(forge: &GitlabForge, webhook: &Webhook) -> Result<WebhookMeaning, ErrorKind> {
    forge.decode_webhook(&WebhookDelivery::new(&webhook.headers, &webhook.body)).map_err(|error| error.kind())
}

fn event() -> Webhook {
    webhook(WebhookEvent::CheckChanged).unwrap()
}

#[tokio::test]
async fn either_key_proves_a_delivery_of_now() {
    let site = Site::new();
    let forge = forge_of(&site, &KEYS.map(shown));
    let at = now().as_seconds();
    for keys in [&KEYS[..1], &KEYS[1..], &[b"old".as_slice(), KEYS[0]][..]] {
        assert_eq!(decode(&forge, &sign(event(), keys, at)), Ok(WebhookMeaning::Look));
    }
    for far in [at - 1000, at + 1000] {
        assert_eq!(decode(&forge, &sign(event(), &KEYS, far)), Err(ErrorKind::Unauthenticated));
    }
}

#[tokio::test]
async fn a_changed_body_is_refused_and_a_token_proves_nothing() {
    let site = Site::new();
    let forge = forge_of(&site, &[shown(KEYS[0]), "plain-token".to_owned()]);
    let mut changed = sign(event(), &KEYS[..1], now().as_seconds());
    changed.body.push(b' ');
    assert_eq!(decode(&forge, &changed), Err(ErrorKind::Unauthenticated));
    for token in [shown(KEYS[0]), "plain-token".to_owned()] {
        let mut with_token = event();
        with_token.headers.push(("x-gitlab-token".to_owned(), token));
        assert_eq!(decode(&forge, &with_token), Err(ErrorKind::Unauthenticated));
        let mut both = sign(with_token, &[b"other"], now().as_seconds());
        both.headers.rotate_right(1);
        assert_eq!(decode(&forge, &both), Err(ErrorKind::Unauthenticated));
    }
}
