//! The signed word by which an App says who it is.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cfgupdater_core::{Error, ErrorKind, Timestamp};
use cfgupdater_forge_http::{Secret, SecretSource};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

/// How far in the past it is dated, for clocks that are behind ours.
const EARLIER: i64 = 60;

/// How long it holds, in seconds; GitHub takes ten minutes at most.
const VALID: i64 = 9 * 60;

/// Signs that the holder of `key` is the App, at `now`.
pub(crate) fn sign(app: u64, key: &SecretSource, now: Timestamp) -> Result<Secret, Error> {
    let pair = key_pair(key)?;
    let now = now.as_seconds();
    let claims = serde_json::json!({ "iat": now - EARLIER, "exp": now + VALID, "iss": app.to_string() });
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let signed = format!("{}.{}", encode(r#"{"alg":"RS256","typ":"JWT"}"#), encode(&claims.to_string()));
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|_| Error::new(ErrorKind::Other, "the App's key could not sign; try again"))?;
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    Ok(Secret::new(token).expect("a token is not empty"))
}

/// Reads the key anew, so that it can be exchanged while the service runs.
fn key_pair(source: &SecretSource) -> Result<RsaKeyPair, Error> {
    let wrong = || {
        let message = format!(
            "{} is not an RSA private key in PEM; copy the file that GitHub made for the App, whole",
            source.name()
        );
        Error::new(ErrorKind::Unauthenticated, message)
    };
    let text = source.text()?;
    let key = PrivateKeyDer::from_pem_slice(text.expose().as_bytes()).map_err(|_| wrong())?;
    match &key {
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
        _ => return Err(wrong()),
    }
    .map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    /// A key made for these tests alone, in both forms that GitHub and people use.
    const PKCS1: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/github/keys/app-pkcs1.pem");
    const PKCS8: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/github/keys/app-pkcs8.pem");

    #[test]
    fn the_token_is_signed_by_the_key_and_holds_for_less_than_ten_minutes() {
        for path in [PKCS1, PKCS8] {
            let source = SecretSource::file(path);
            let token = sign(17, &source, Timestamp::from_millis(1_700_000_000_500)).unwrap();
            let (signed, signature) = token.expose().rsplit_once('.').unwrap();
            let public = key_pair(&source).unwrap().public().as_ref().to_vec();
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
                .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
                .unwrap();
            let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.').unwrap().1).unwrap();
            let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
            assert_eq!(
                claims,
                serde_json::json!({ "iat": 1_699_999_940, "exp": 1_700_000_540, "iss": "17" })
            );
        }
    }

    #[test]
    fn what_is_no_key_is_named_and_not_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for text in ["canary", "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n"] {
            std::fs::write(file.path(), text).unwrap();
            let error = sign(17, &SecretSource::file(file.path()), Timestamp::default()).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("is not an RSA private key"), "{shown}");
            assert!(!shown.contains("canary") && !shown.contains("Y2FuYXJ5"), "{shown}");
        }
    }
}
