//! The signature of Flux's `generic-hmac` provider: `sha256=` and the HMAC-SHA256 of the raw body in hexadecimal digits.

use cfgupdater_forge_http::{Form, Secret, sign_hmac, verify_hmac};

/// Tells whether one of the secrets signed the body. The digests are compared in constant time. The header names the
/// hash, and no other than SHA-256 is accepted.
pub fn is_signed(header: &str, body: &[u8], secrets: &[String]) -> bool {
    let secrets: Vec<Secret> = secrets.iter().filter_map(Secret::new).collect();
    verify_hmac(&secrets, body, header.trim(), Form::Prefixed).is_ok()
}

/// Signs a body as Flux does; `None` without a secret.
pub fn sign(body: &[u8], secret: &str) -> Option<String> {
    Some(sign_hmac(&Secret::new(secret)?, body, Form::Prefixed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(all: &[&str]) -> Vec<String> {
        all.iter().map(|secret| (*secret).to_owned()).collect()
    }

    fn signed(body: &[u8], secret: &str) -> String {
        sign(body, secret).unwrap()
    }

    #[test]
    fn the_digest_is_that_of_rfc_4231() {
        // Test case 2.
        let digest = signed(b"what do ya want for nothing?", "Jefe");
        assert_eq!(digest, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn the_current_secret_and_the_next_one_are_right_and_no_other() {
        let (body, known) = (b"{}".as_slice(), secrets(&["one", "two"]));
        assert!(
            is_signed(&signed(body, "one"), body, &known) && is_signed(&signed(body, "two"), body, &known)
        );
        assert!(!is_signed(&signed(body, "three"), body, &known));
        assert!(!is_signed(&signed(body, "one"), body, &[]));
        assert_eq!(sign(body, " "), None);
    }

    #[test]
    fn what_is_no_signature_of_this_body_is_refused() {
        let (body, known) = (b"{}".as_slice(), secrets(&["one"]));
        let right = signed(body, "one");
        for wrong in [
            "",
            "sha256=",
            &right[7..],
            &right[..70],
            &format!("{right}00"),
            &right.replace("sha256=", "sha1="),
            &right.replace("sha256=", "sha512="),
            &format!("sha256={}", "ö".repeat(32)),
        ] {
            assert!(!is_signed(wrong, body, &known), "{wrong}");
        }
        assert!(!is_signed(&right, b"{ }", &known));
    }
}
