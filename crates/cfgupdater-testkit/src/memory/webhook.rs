//! The webhooks of the in-memory forge: JSON of two fields, signed with HMAC-SHA256 in bare hex.

use cfgupdater_core::{Error, ErrorKind, WebhookDelivery, WebhookMeaning};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::conformance::forge::{Webhook, WebhookEvent};

/// The header with the signature.
pub(super) const HEADER: &str = "x-memory-signature";

/// The secrets in force: the current one and the next.
pub(super) const SECRETS: [&str; 2] = ["memory-webhook-secret", "memory-webhook-secret-to-come"];

const REPOSITORY: &str = "memory";

/// Makes the body of a webhook.
pub(super) fn webhook(event: WebhookEvent) -> Webhook {
    let (event, repository) = match event {
        WebhookEvent::CheckChanged => ("check", REPOSITORY),
        WebhookEvent::StableMoved => ("push", REPOSITORY),
        WebhookEvent::RequirementsChanged => ("required", REPOSITORY),
        WebhookEvent::OtherRepository => ("push", "another"),
        WebhookEvent::Unknown => ("starred", REPOSITORY),
    };
    Webhook::new(&[("content-type", "text/plain")], format!("{repository}\n{event}\n"))
}

pub(super) fn sign(body: &[u8], secret: &str) -> String {
    mac(body, secret).finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn decode(delivery: &WebhookDelivery<'_>) -> Result<WebhookMeaning, Error> {
    let given = delivery.header(HEADER).and_then(bytes).unwrap_or_default();
    if !SECRETS.iter().any(|secret| mac(delivery.body, secret).verify_slice(&given).is_ok()) {
        let message = "the webhook is not signed with the secret of this forge; look at its settings there";
        return Err(Error::new(ErrorKind::Unauthenticated, message));
    }
    let text = std::str::from_utf8(delivery.body).ok().and_then(|text| text.split_once('\n'));
    let Some((repository, event)) = text else {
        return Err(Error::new(ErrorKind::Invalid, "the webhook has no two lines; send it as documented"));
    };
    let concerns = repository == REPOSITORY && ["check\n", "push\n", "required\n"].contains(&event);
    Ok(if concerns { WebhookMeaning::Look } else { WebhookMeaning::Ignore })
}

fn mac(body: &[u8], secret: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(body);
    mac
}

/// Reads lower-case hex.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if !hex.len().is_multiple_of(2) || !hex.as_bytes().iter().all(digit) {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}
