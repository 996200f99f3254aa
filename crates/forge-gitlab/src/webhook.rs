//! What a webhook means. Pure: none carries a fact, each says at most "look".

use cfgupdater_core::{Error, ErrorKind, Timestamp, WebhookDelivery, WebhookMeaning};
use cfgupdater_forge_http::{Secret, StandardHeaders, check_delivery, verify_shared, verify_standard};
use serde_json::Value;

use crate::settings::{ProjectName, below, path_of};

/// The header that carries the secret itself.
const TOKEN: &str = "x-gitlab-token";

/// What a secret for signatures begins with.
const SIGNING: &str = "whsec_";

/// What webhooks must be about.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) project: ProjectName,
    /// The path below which GitLab lives.
    pub(crate) subpath: String,
    /// The branches whose movements matter; all where empty.
    pub(crate) branches: Vec<String>,
}

/// Makes sure that a delivery is authentic. Where a signing secret is configured, a delivery must be signed: the token
/// beside it covers nothing of what is sent.
///
/// Source: <https://docs.gitlab.com/user/project/integrations/webhooks/>.
pub(crate) fn authenticate(
    delivery: &WebhookDelivery<'_>,
    secrets: &[Secret],
    now: Timestamp,
) -> Result<(), Error> {
    check_delivery(delivery)?;
    let refused = |message: &str| Error::new(ErrorKind::Unauthenticated, message);
    let signing: Vec<Secret> =
        secrets.iter().filter(|secret| secret.expose().starts_with(SIGNING)).cloned().collect();
    if signing.is_empty() {
        let given = delivery.header(TOKEN).ok_or_else(|| {
            refused("the webhook has no token; give it a secret on GitLab, the same as webhook_secret_file")
        })?;
        return verify_shared(secrets, given);
    }
    let headers = StandardHeaders::of(delivery).ok_or_else(|| {
        refused("the webhook is not signed; give it the signing secret on GitLab, the same as webhook_secret_file")
    })?;
    verify_standard(&signing, headers, delivery.body, now)
}

/// Reads an authentic delivery. What can't be read says nothing: refusing it would make GitLab disable the webhook.
pub(crate) fn read(delivery: &WebhookDelivery<'_>, subject: &Subject) -> WebhookMeaning {
    let Ok(payload) = serde_json::from_slice::<Value>(delivery.body) else { return WebhookMeaning::Ignore };
    if !subject.is_meant(&payload) {
        return WebhookMeaning::Ignore;
    }
    let text = |place: &str| payload.pointer(place).and_then(Value::as_str);
    let concerns = match text("/object_kind") {
        // What others report may be kept in a pipeline of any branch.
        Some("pipeline") => {
            text("/object_attributes/source") == Some("external")
                || subject.follows(text("/object_attributes/ref"))
        }
        Some("build") => subject.follows(text("/ref")),
        Some("push") => {
            let branch = text("/ref").and_then(|name| name.strip_prefix("refs/heads/"));
            branch.is_some() && subject.follows(branch)
        }
        _ => false,
    };
    if concerns { WebhookMeaning::Look } else { WebhookMeaning::Ignore }
}

impl Subject {
    /// Tells whether a payload is about this project. Those of jobs name it by its number and its addresses alone.
    fn is_meant(&self, payload: &Value) -> bool {
        match &self.project {
            ProjectName::Number(number) => {
                let told =
                    ["/project_id", "/project/id"].iter().find_map(|place| payload.pointer(place)?.as_u64());
                told == Some(*number)
            }
            ProjectName::Path(path) => {
                let told = payload.pointer("/project/path_with_namespace").and_then(Value::as_str);
                let address = payload.pointer("/repository/homepage").and_then(Value::as_str);
                told.or_else(|| address.map(|address| self.path_in(address)))
                    .is_some_and(|told| told.eq_ignore_ascii_case(path))
            }
        }
    }

    /// Finds a project's path in its address.
    fn path_in<'a>(&self, address: &'a str) -> &'a str {
        below(path_of(address), &self.subpath)
    }

    /// Tells whether a branch is one of ours.
    fn follows(&self, branch: Option<&str>) -> bool {
        self.branches.is_empty()
            || branch.is_some_and(|branch| self.branches.iter().any(|known| known == branch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        Subject {
            project: "acme/cfg".parse().unwrap(),
            subpath: "git".to_owned(),
            branches: vec!["master".to_owned(), "auto".to_owned()],
        }
    }

    fn looks_for(subject: &Subject, body: &str) -> bool {
        read(&WebhookDelivery::new(&[], body.as_bytes()), subject) == WebhookMeaning::Look
    }

    fn looks(body: &str) -> bool {
        looks_for(&subject(), body)
    }

    #[test]
    fn events_of_our_branches_make_us_look() {
        let of = |rest: &str| format!(r#"{{"project":{{"path_with_namespace":"Acme/cfg"}},{rest}}}"#);
        for ours in [
            r#""object_kind":"pipeline","object_attributes":{"ref":"auto","source":"push"}"#,
            r#""object_kind":"pipeline","object_attributes":{"ref":"feature","source":"external"}"#,
            r#""object_kind":"build","ref":"auto""#,
            r#""object_kind":"push","ref":"refs/heads/master""#,
        ] {
            assert!(looks(&of(ours)), "{ours}");
        }
        for other in [
            r#""object_kind":"pipeline","object_attributes":{"ref":"feature","source":"push"}"#,
            r#""object_kind":"pipeline","object_attributes":7"#,
            r#""object_kind":"build","ref":"feature""#,
            r#""object_kind":"push","ref":"refs/heads/feature""#,
            r#""object_kind":"push","ref":"refs/tags/auto""#,
            r#""object_kind":"deployment","ref":"auto""#,
            r#""object_kind":"note""#,
            r#""object_kind":7"#,
        ] {
            assert!(!looks(&of(other)), "{other}");
        }
    }

    #[test]
    fn a_jobs_webhook_names_the_project_by_its_address() {
        let of = |homepage: &str| {
            format!(
                r#"{{"object_kind":"build","ref":"auto","project_id":4711,"repository":{{"homepage":"{homepage}"}}}}"#
            )
        };
        assert!(looks(&of("https://gl.example/git/acme/cfg")));
        assert!(looks(&of("http://inside:8080/acme/cfg")));
        assert!(!looks(&of("https://gl.example/git/acme/other")));
        assert!(!looks(&of("https://gl.example/git/other/acme/cfg")));
        let numbered = |number| Subject { project: ProjectName::Number(number), ..subject() };
        assert!(looks_for(&numbered(4711), &of("https://gl.example/x/y")));
        assert!(!looks_for(&numbered(4712), &of("https://gl.example/x/y")));
    }

    #[test]
    fn what_is_about_others_or_nothing_is_nothing() {
        for body in [
            r#"{"object_kind":"pipeline","project":{"path_with_namespace":"acme/other"}}"#,
            r#"{"object_kind":"pipeline","project":{"path_with_namespace":9}}"#,
            r#"{"object_kind":"push","ref":"refs/heads/auto"}"#,
            "{}",
            "[]",
            "null",
            "\u{0}",
            "",
        ] {
            assert!(!looks(body), "{body}");
        }
    }

    fn check(secrets: &[&str], headers: &[(&str, &str)], now: i64) -> Result<(), Error> {
        let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::new(text).unwrap()).collect();
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let delivery = WebhookDelivery::new(&headers, br#"{"test": 2432232314}"#);
        authenticate(&delivery, &secrets, Timestamp::from_millis(now * 1000))
    }

    #[test]
    fn only_gitlabs_own_header_proves_anything() {
        check(&["s3cret", "next"], &[("x-gitlab-token", "s3cret")], 0).unwrap();
        check(&["s3cret", "next"], &[("x-gitlab-token", "next")], 0).unwrap();
        for (name, value) in [
            ("x-gitlab-token", "s3cre"),
            ("x-gitlab-token", ""),
            ("x-hub-signature-256", "sha256="),
            ("authorization", "Bearer s3cret"),
            ("private-token", "s3cret"),
        ] {
            let error = check(&["s3cret"], &[(name, value)], 0).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{name}");
            assert!(!error.to_string().contains("s3cret"));
        }
    }

    /// The example of the specification's reference libraries.
    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SIGNED: [(&str, &str); 3] = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ];

    #[test]
    fn where_signatures_are_configured_the_token_proves_nothing() {
        check(&[KEY], &SIGNED, 1_614_265_330).unwrap();
        check(&["s3cret", KEY], &SIGNED, 1_614_265_330).unwrap();
        check(&[KEY], &SIGNED, 1_614_266_330).unwrap_err();
        for secret in [KEY, "s3cret"] {
            check(&["s3cret", KEY], &[("x-gitlab-token", secret)], 1_614_265_330).unwrap_err();
        }
        let mut both = vec![("x-gitlab-token", "s3cret")];
        both.extend([SIGNED[0], SIGNED[1], ("webhook-signature", "v1,AAAA")]);
        check(&["s3cret", KEY], &both, 1_614_265_330).unwrap_err();
    }
}
