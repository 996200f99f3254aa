//! Signatures of webhooks: HMAC-SHA256 over the raw body, and plain shared secrets.

use cfgupdater_core::{Error, ErrorKind};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::secret::Secret;

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `sha256=` and hex digits, as GitHub, Bitbucket and newer Gitea send it.
    Prefixed,
    /// Hex digits alone, as Gitea, Forgejo and Gogs send it.
    Bare,
}

const PREFIX: &str = "sha256=";

/// Signs a body.
pub fn sign_hmac(secret: &Secret, body: &[u8], form: Form) -> String {
    let digits: String =
        code(secret, body).finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    match form {
        Form::Prefixed => format!("{PREFIX}{digits}"),
        Form::Bare => digits,
    }
}

/// Makes sure that a body was signed with one of the secrets. Each is compared in constant time.
///
/// # Errors
/// Fails with [`ErrorKind::Unauthenticated`] where none fits, or where there is none to compare with.
pub fn verify_hmac(secrets: &[Secret], body: &[u8], signature: &str, form: Form) -> Result<(), Error> {
    let digits = match form {
        Form::Prefixed => signature.strip_prefix(PREFIX),
        Form::Bare => Some(signature),
    };
    let given = digits.and_then(decode).ok_or_else(|| refuse("the signature has not the expected form"))?;
    let fits = |secret: &Secret| code(secret, body).verify_slice(&given).is_ok();
    any(secrets, fits)
}

/// Makes sure that a header holds one of the secrets itself, for forges that sign nothing.
///
/// # Errors
/// Fails as [`verify_hmac`] does.
pub fn verify_shared(secrets: &[Secret], given: &str) -> Result<(), Error> {
    // Hashes have one length, so that the comparison tells nothing of the secret's.
    let hash = |text: &str| Sha256::digest(text.as_bytes());
    let given = hash(given);
    any(secrets, |secret| hash(secret.expose()).as_slice().ct_eq(given.as_slice()).into())
}

/// Tries every secret, whichever fits.
pub(crate) fn any(secrets: &[Secret], fits: impl Fn(&Secret) -> bool) -> Result<(), Error> {
    if secrets.iter().fold(false, |found, secret| found | fits(secret)) {
        return Ok(());
    }
    Err(refuse("the delivery was not made with the configured secret"))
}

pub(crate) fn refuse(why: &str) -> Error {
    Error::new(ErrorKind::Unauthenticated, format!("{why}; give the forge and this service the same secret"))
}

fn code(secret: &Secret, body: &[u8]) -> Hmac<Sha256> {
    mac(secret.expose().as_bytes(), &[body])
}

pub(crate) fn mac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac
}

fn decode(digits: &str) -> Option<[u8; 32]> {
    let digits = digits.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let value = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(value(pair[0])? << 4 | value(pair[1])?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of GitHub's documentation, "Validating webhook deliveries".
    const DOCUMENTED: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn secret(text: &str) -> Secret {
        Secret::new(text).unwrap()
    }

    #[test]
    fn the_documented_example_is_accepted() {
        let key = secret("It's a Secret to Everybody");
        assert_eq!(sign_hmac(&key, b"Hello, World!", Form::Prefixed), DOCUMENTED);
        verify_hmac(std::slice::from_ref(&key), b"Hello, World!", DOCUMENTED, Form::Prefixed).unwrap();
        verify_hmac(&[key], b"Hello, World!", &DOCUMENTED[7..], Form::Bare).unwrap();
    }

    #[test]
    fn the_current_and_the_next_secret_are_both_valid() {
        let both = [secret("current"), secret("next")];
        for key in &both {
            verify_hmac(&both, b"body", &sign_hmac(key, b"body", Form::Bare), Form::Bare).unwrap();
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let keys = [secret("key")];
        let good = sign_hmac(&keys[0], b"body", Form::Prefixed);
        let other = sign_hmac(&secret("other"), b"body", Form::Prefixed);
        let cases = ["", "sha256=", &good[..70], &good[7..], &other, "sha1=00", "sha256=\u{e9}"];
        for bad in cases.into_iter().map(str::to_owned).chain([format!("{good}0")]) {
            let error = verify_hmac(&keys, b"body", &bad, Form::Prefixed).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        }
        verify_hmac(&keys, b"Body", &good, Form::Prefixed).unwrap_err();
        verify_hmac(&[], b"body", &good, Form::Prefixed).unwrap_err();
    }

    #[test]
    fn a_shared_secret_must_be_the_same() {
        let keys = [secret("current"), secret("next")];
        verify_shared(&keys, "next").unwrap();
        for bad in ["", "nex", "nextt", "other"] {
            verify_shared(&keys, bad).unwrap_err();
        }
        verify_shared(&[], "").unwrap_err();
    }
}
