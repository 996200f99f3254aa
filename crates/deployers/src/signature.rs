//! The signature of Flux's `generic-hmac` provider: `sha256=` and the HMAC-SHA256 of the raw body in hexadecimal digits.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Tells whether one of the secrets signed the body. The digests are compared in constant time. The header names the
/// hash, and no other than SHA-256 is accepted.
pub fn is_signed(header: &str, body: &[u8], secrets: &[String]) -> bool {
    let Some(tag) = header.trim().strip_prefix("sha256=").and_then(digits) else { return false };
    // Every secret is tried, so that how long it takes doesn't tell which one was right.
    secrets.iter().filter(|secret| !secret.is_empty()).fold(false, |signed, secret| {
        let mut mac = keyed(secret);
        mac.update(body);
        mac.verify_slice(&tag).is_ok() | signed
    })
}

/// Signs a body as Flux does.
pub fn sign(body: &[u8], secret: &str) -> String {
    let mut mac = keyed(secret);
    mac.update(body);
    let tag = mac.finalize().into_bytes();
    format!("sha256={}", tag.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

fn keyed(secret: &str) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length")
}

fn digits(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let digit = |c: u8| char::from(c).to_digit(16);
        let [high, low] = pair else { return None };
        u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
    };
    (text.len() == 64).then(|| pairs.map(byte).collect::<Option<_>>())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(all: &[&str]) -> Vec<String> {
        all.iter().map(|secret| (*secret).to_owned()).collect()
    }

    #[test]
    fn the_digest_is_that_of_rfc_4231() {
        // Test case 2.
        let signed = sign(b"what do ya want for nothing?", "Jefe");
        assert_eq!(signed, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn the_current_secret_and_the_next_one_are_right_and_no_other() {
        let (body, known) = (b"{}".as_slice(), secrets(&["one", "two"]));
        assert!(is_signed(&sign(body, "one"), body, &known) && is_signed(&sign(body, "two"), body, &known));
        assert!(is_signed(&sign(body, "one").to_uppercase().replace("SHA256", "sha256"), body, &known));
        assert!(!is_signed(&sign(body, "three"), body, &known));
        assert!(!is_signed(&sign(body, ""), body, &secrets(&[""])));
        assert!(!is_signed(&sign(body, "one"), body, &[]));
    }

    #[test]
    fn what_is_no_signature_of_this_body_is_refused() {
        let (body, known) = (b"{}".as_slice(), secrets(&["one"]));
        let right = sign(body, "one");
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
