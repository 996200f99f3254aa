//! What a webhook means. Pure: none carries a fact, each says at most "look".

use cfgupdater_core::{Error, ErrorKind, WebhookDelivery, WebhookMeaning};
use cfgupdater_forge_http::{Form, Secret, check_delivery, verify_hmac};
use percent_encoding::percent_decode;
use serde_json::Value;

use crate::settings::RepositoryName;

/// The header that carries the signature.
const SIGNATURE: &str = "x-hub-signature-256";

/// What a webhook says, beyond "look".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// Nothing that concerns this repository.
    Nothing,
    /// Something may have changed.
    Look,
    /// The rules of a branch may have changed.
    Rules,
    /// What the App may do here may have changed.
    Rights,
}

impl Word {
    pub(crate) fn meaning(self) -> WebhookMeaning {
        if self == Self::Nothing { WebhookMeaning::Ignore } else { WebhookMeaning::Look }
    }
}

/// What webhooks must be about.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) repository: RepositoryName,
    /// The App's installation, where it was configured.
    pub(crate) installation: Option<u64>,
    /// The branches whose movements matter; all where empty.
    pub(crate) branches: Vec<String>,
}

/// Makes sure that a delivery is authentic.
///
/// Source: <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>.
pub(crate) fn authenticate(delivery: &WebhookDelivery<'_>, secrets: &[Secret]) -> Result<(), Error> {
    check_delivery(delivery)?;
    let unsigned = || {
        let message =
            "the webhook is not signed; give it a secret on GitHub, and the same as webhook_secret_file";
        Error::new(ErrorKind::Unauthenticated, message)
    };
    let signature = delivery.header(SIGNATURE).ok_or_else(unsigned)?;
    verify_hmac(secrets, delivery.body, signature, Form::Prefixed)
}

/// Reads an authentic delivery. What can't be read says nothing: refusing it would make GitHub report a failure for ever.
pub(crate) fn read(delivery: &WebhookDelivery<'_>, subject: &Subject) -> Word {
    let Some(event) = delivery.header("x-github-event") else { return Word::Nothing };
    let Some(payload) = payload(delivery) else { return Word::Nothing };
    if !subject.is_meant(&payload) {
        return Word::Nothing;
    }
    match event {
        "status" | "check_run" | "check_suite" => Word::Look,
        "push" if subject.follows(&payload) => Word::Look,
        "branch_protection_rule" | "branch_protection_configuration" | "repository_ruleset" => Word::Rules,
        "installation" | "installation_repositories" | "installation_target" => Word::Rights,
        _ => Word::Nothing,
    }
}

/// Reads the body, which an App sends as JSON and a careless set-up as a form.
fn payload(delivery: &WebhookDelivery<'_>) -> Option<Value> {
    let form = delivery
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !form {
        return serde_json::from_slice(delivery.body).ok();
    }
    let encoded =
        delivery.body.split(|byte| *byte == b'&').find_map(|part| part.strip_prefix(b"payload="))?;
    let spaced: Vec<u8> = encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let text: Vec<u8> = percent_decode(&spaced).collect();
    serde_json::from_slice(&text).ok()
}

impl Subject {
    /// Tells whether a payload is about this repository, or about its owner's installation as a whole.
    fn is_meant(&self, payload: &Value) -> bool {
        let installation = payload.pointer("/installation/id").and_then(Value::as_u64);
        if let (Some(ours), Some(theirs)) = (self.installation, installation)
            && ours != theirs
        {
            return false;
        }
        if let Some(repository) = payload.get("repository").filter(|repository| !repository.is_null()) {
            return repository
                .get("full_name")
                .and_then(Value::as_str)
                .is_some_and(|name| self.repository.is(name));
        }
        let owners = ["/organization/login", "/installation/account/login", "/account/login"];
        let owner = owners.iter().find_map(|place| payload.pointer(place)?.as_str());
        owner.is_some_and(|owner| self.repository.is_owner(owner))
    }

    /// Tells whether a push moved one of our branches.
    fn follows(&self, payload: &Value) -> bool {
        let branch =
            payload.get("ref").and_then(Value::as_str).and_then(|name| name.strip_prefix("refs/heads/"));
        branch.is_some_and(|branch| {
            self.branches.is_empty() || self.branches.iter().any(|known| known == branch)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cfgupdater_forge_http::sign_hmac;

    fn subject() -> Subject {
        Subject {
            repository: "acme/cfg".parse().unwrap(),
            installation: Some(7),
            branches: vec!["master".to_owned(), "auto".to_owned()],
        }
    }

    fn word(event: &str, body: &str) -> Word {
        let headers = [("x-github-event".to_owned(), event.to_owned())];
        read(&WebhookDelivery::new(&headers, body.as_bytes()), &subject())
    }

    const OURS: &str = r#"{"repository":{"full_name":"Acme/cfg"},"installation":{"id":7}}"#;

    #[test]
    fn events_that_concern_us_make_us_look() {
        for event in ["status", "check_run", "check_suite"] {
            assert_eq!(word(event, OURS), Word::Look);
        }
        for event in ["branch_protection_rule", "repository_ruleset"] {
            assert_eq!(word(event, OURS), Word::Rules);
        }
        assert_eq!(
            word("installation_repositories", r#"{"installation":{"id":7,"account":{"login":"ACME"}}}"#),
            Word::Rights
        );
        for event in ["ping", "issues", "something_new"] {
            assert_eq!(word(event, OURS), Word::Nothing);
        }
    }

    #[test]
    fn a_push_of_another_branch_is_nothing() {
        let push = |name: &str| {
            word("push", &format!(r#"{{"ref":"{name}","repository":{{"full_name":"acme/cfg"}}}}"#))
        };
        assert_eq!(push("refs/heads/master"), Word::Look);
        assert_eq!(push("refs/heads/feature"), Word::Nothing);
        assert_eq!(push("refs/tags/master"), Word::Nothing);
    }

    #[test]
    fn what_is_about_others_is_nothing() {
        for body in [
            r#"{"repository":{"full_name":"acme/other"}}"#,
            r#"{"repository":{"full_name":"acme/cfg"},"installation":{"id":8}}"#,
            r#"{"installation":{"id":8,"account":{"login":"acme"}}}"#,
            r#"{"organization":{"login":"other"}}"#,
            r#"{"repository":{"full_name":9}}"#,
            "{}",
            "[]",
            "null",
            "\u{0}",
            "",
        ] {
            assert_eq!(word("status", body), Word::Nothing, "{body}");
        }
        assert_eq!(read(&WebhookDelivery::new(&[], OURS.as_bytes()), &subject()), Word::Nothing, "no event");
    }

    #[test]
    fn a_form_is_read_too() {
        let headers = [("x-github-event", "status"), ("content-type", "application/x-www-form-urlencoded")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let body = b"payload=%7B%22repository%22%3A+%7B%22full_name%22%3A%22acme%2Fcfg%22%7D%7D";
        assert_eq!(read(&WebhookDelivery::new(&headers, body), &subject()), Word::Look);
    }

    #[test]
    fn only_githubs_own_header_proves_anything() {
        let secrets = [Secret::new("s3cret").unwrap()];
        let good = sign_hmac(&secrets[0], OURS.as_bytes(), Form::Prefixed);
        let bare = sign_hmac(&secrets[0], OURS.as_bytes(), Form::Bare);
        let check = |name: &str, value: &str| {
            let headers = [(name.to_owned(), value.to_owned())];
            authenticate(&WebhookDelivery::new(&headers, OURS.as_bytes()), &secrets)
        };
        check("x-hub-signature-256", &good).unwrap();
        for (name, value) in [
            ("x-hub-signature-256", bare.as_str()),
            ("x-hub-signature-256", "sha256="),
            ("x-hub-signature", "sha1=0000"),
            ("x-gitlab-token", "s3cret"),
            ("x-gitea-signature", &bare),
            ("authorization", "Bearer s3cret"),
        ] {
            let error = check(name, value).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{name}");
            assert!(!error.to_string().contains("s3cret"));
        }
    }
}
