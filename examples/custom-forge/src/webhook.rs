//! Webhooks: signed in bare hex, told apart by the configured repository.

use cfgupdater_core::{Error, ErrorKind, WebhookDelivery, WebhookMeaning};
use cfgupdater_forge_http::{Form, SecretSource, check_delivery, verify_hmac};
use serde::Deserialize;

/// The part of every body that is looked at.
#[derive(Deserialize)]
struct Body {
    repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}

// [decode]
/// Reads a delivery for one repository. `X-Gitea-Delivery` is another one for every attempt, so it identifies nothing;
/// `X-GitHub-Event`, which Gitea sends too, says nothing of who sent it.
pub(crate) fn decode(
    delivery: &WebhookDelivery<'_>,
    secret: Option<&SecretSource>,
    project: &str,
) -> Result<WebhookMeaning, Error> {
    check_delivery(delivery)?;
    let secrets = secret.map(SecretSource::values).transpose()?.unwrap_or_default();
    let signature = delivery.header("x-gitea-signature").unwrap_or_default();
    verify_hmac(&secrets, delivery.body, signature, Form::Bare)?;
    let body: Body = serde_json::from_slice(delivery.body).map_err(|error| {
        let message = "the webhook is no JSON; choose the content type application/json in Gitea";
        Error::new(ErrorKind::Invalid, message).with_source(error)
    })?;
    // Gitea doesn't tell names apart by case.
    let ours = body.repository.is_some_and(|ours| ours.full_name.eq_ignore_ascii_case(project));
    let event = delivery.header("x-gitea-event").unwrap_or_default();
    let concerns = ours && ["push", "status"].contains(&event);
    Ok(if concerns { WebhookMeaning::Look } else { WebhookMeaning::Ignore })
}
// [/decode]
