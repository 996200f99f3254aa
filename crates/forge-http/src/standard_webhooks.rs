//! Standard Webhooks: signatures that cover an id and a time.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cfgupdater_core::{Error, ErrorKind, Timestamp};
use hmac::Mac;

use crate::headers::Headers;
use crate::secret::Secret;
use crate::signature::{any, mac, refuse};

/// How far the sender's clock may be off, as the specification recommends.
const TOLERANCE: Duration = Duration::from_mins(5);

/// What a secret of this kind begins with.
const KEY_PREFIX: &str = "whsec_";

/// The three fields that a delivery carries.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct StandardHeaders<'a> {
    /// Names the message; the same for each attempt to deliver it.
    pub id: &'a str,
    /// When it was sent, in seconds since the epoch.
    pub timestamp: &'a str,
    /// One or more signatures, separated by spaces.
    pub signature: &'a str,
}

impl<'a> StandardHeaders<'a> {
    /// Reads the fields; `None` where the delivery isn't of this kind.
    pub fn of(headers: &'a (impl Headers + ?Sized)) -> Option<Self> {
        let field = |name| headers.field(name);
        Some(Self {
            id: field("webhook-id")?,
            timestamp: field("webhook-timestamp")?,
            signature: field("webhook-signature")?,
        })
    }
}

/// Makes sure that a delivery was signed with one of the secrets, within five minutes of `now`. A secret is `whsec_` and
/// base64.
///
/// # Errors
/// Fails with [`ErrorKind::Unauthenticated`], and with [`ErrorKind::Invalid`] where a configured secret has not that
/// form.
///
/// Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.
pub fn verify_standard(
    secrets: &[Secret],
    headers: StandardHeaders<'_>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Error> {
    let sent: i64 = headers.timestamp.parse().map_err(|_| refuse("the delivery's timestamp is no number"))?;
    let tolerance = i64::try_from(TOLERANCE.as_secs()).unwrap_or(i64::MAX);
    if now.as_seconds().abs_diff(sent) > tolerance.unsigned_abs() {
        return Err(refuse("the delivery's timestamp is too far from now"));
    }
    let keys: Vec<(Vec<u8>, &Secret)> =
        secrets.iter().map(|secret| Ok((key(secret)?, secret))).collect::<Result<_, Error>>()?;
    let given: Vec<Vec<u8>> = signatures(headers.signature).collect();
    let content: [&[u8]; 5] = [headers.id.as_bytes(), b".", headers.timestamp.as_bytes(), b".", body];
    any(secrets, |secret| {
        let key = keys.iter().find(|(_, of)| *of == secret).map(|(key, _)| key.as_slice());
        let code = mac(key.unwrap_or_default(), &content);
        given.iter().fold(false, |found, given| found | code.clone().verify_slice(given).is_ok())
    })
}

/// Lists the symmetric signatures; those of other versions are passed over.
fn signatures(header: &str) -> impl Iterator<Item = Vec<u8>> {
    header.split(' ').filter_map(|part| STANDARD.decode(part.strip_prefix("v1,")?).ok())
}

fn key(secret: &Secret) -> Result<Vec<u8>, Error> {
    let encoded = secret.expose().strip_prefix(KEY_PREFIX);
    let key = encoded.and_then(|encoded| STANDARD.decode(encoded).ok()).filter(|key| !key.is_empty());
    key.ok_or_else(|| {
        let message = "a signing secret must be `whsec_` and base64, as the forge shows it; copy it whole";
        Error::new(ErrorKind::Invalid, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_614_265_330;

    /// The example of the specification's reference libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn verify(secrets: &[&str], timestamp: &str, signature: &str, now: i64) -> Result<(), Error> {
        let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::new(text).unwrap()).collect();
        let headers =
            [("webhook-id", ID), ("webhook-timestamp", timestamp), ("webhook-signature", signature)];
        let headers = StandardHeaders::of(&headers).unwrap();
        verify_standard(&secrets, headers, BODY, Timestamp::from_millis(now * 1000))
    }

    #[test]
    fn the_example_of_the_specification_is_accepted() {
        verify(&[SECRET], "1614265330", SIGNATURE, NOW).unwrap();
    }

    #[test]
    fn any_secret_and_any_signature_may_fit() {
        let several = format!("v1a,abc v1,AAAA {SIGNATURE} v2,x");
        verify(&["whsec_b3RoZXI=", SECRET], "1614265330", &several, NOW).unwrap();
        verify(&["whsec_b3RoZXI="], "1614265330", &several, NOW).unwrap_err();
    }

    #[test]
    fn old_and_early_deliveries_are_refused() {
        for off in [-301, 301] {
            let error = verify(&[SECRET], "1614265330", SIGNATURE, NOW + off).unwrap_err();
            assert!(error.to_string().contains("too far from now"), "{error}");
        }
        verify(&[SECRET], "1614265330", SIGNATURE, NOW + 299).unwrap();
        verify(&[SECRET], "yesterday", SIGNATURE, NOW).unwrap_err();
        verify(&[SECRET], "-9223372036854775808", SIGNATURE, NOW).unwrap_err();
    }

    #[test]
    fn a_secret_of_another_form_is_the_operators_mistake() {
        for secret in ["plain", "whsec_", "whsec_!"] {
            let error = verify(&[secret], "1614265330", SIGNATURE, NOW).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
        assert_eq!(verify(&[], "1614265330", SIGNATURE, NOW).unwrap_err().kind(), ErrorKind::Unauthenticated);
    }
}
