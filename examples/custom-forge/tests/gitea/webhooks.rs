//! Webhooks as Gitea sends them.

use cfgupdater_core::{Forge, WebhookDelivery, WebhookMeaning};
use cfgupdater_forge_http::{Form, Secret, SecretSource, sign_hmac};
use gitea_forge::{GiteaForge, GiteaSettings};

use crate::server::PROJECT;

/// The headers of a delivery but for its signatures.
pub(crate) fn headers(event: &str) -> [(&str, &str); 6] {
    let delivery = "f6266f16-1bf3-46a5-9ea4-602e06ead473";
    [
        ("content-type", "application/json"),
        ("x-gitea-delivery", delivery),
        ("x-gitea-event", event),
        ("x-gogs-event", event),
        ("x-github-delivery", delivery),
        ("x-github-event", event),
    ]
}

/// The body of a `status` event: the fields that Gitea documents for it.
pub(crate) fn status_event() -> String {
    let repository = serde_json::json!({"id": 1, "name": "example", "full_name": PROJECT});
    let sha = "67b56589a45103f891bdee7c0546e5d40bc02001";
    serde_json::json!({"sha": sha, "state": "success", "context": "ci/build", "repository": repository})
        .to_string()
}

#[tokio::test]
async fn a_real_push_is_taken_with_all_of_its_headers_and_a_new_delivery_id() {
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("secret");
    std::fs::write(&path, "shared").unwrap();
    let mut settings =
        GiteaSettings::new("http://127.0.0.1:1/api/v1", "Example/EXAMPLE", SecretSource::file(&path))
            .unwrap();
    settings.webhook_secret = Some(SecretSource::file(&path));
    let forge = GiteaForge::new(settings).unwrap();
    let body = include_bytes!("payloads/push.json");
    let signature = sign_hmac(&Secret::new("shared").unwrap(), body, Form::Bare);
    for delivery in ["first", "redelivered"] {
        let mut all: Vec<(String, String)> =
            headers("push").iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        all.push(("x-hub-signature-256".to_owned(), format!("sha256={signature}")));
        all.push(("x-gitea-signature".to_owned(), signature.clone()));
        all[1].1 = delivery.to_owned();
        let meaning = forge.decode_webhook(&WebhookDelivery::new(&all, body)).unwrap();
        assert_eq!(meaning, WebhookMeaning::Look);
        all.retain(|(name, _)| name != "x-gitea-signature");
        assert!(
            forge.decode_webhook(&WebhookDelivery::new(&all, body)).is_err(),
            "GitHub's header proves nothing"
        );
    }
}
