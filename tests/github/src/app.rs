//! The App's word and its tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls::pki_types::PrivatePkcs1KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;

use crate::{APP, KEY};

/// Tells whether a text is the App's word, signed with its key and holding now for at most ten minutes.
pub(crate) fn is_word(text: &str, now: u64) -> bool {
    let Some((signed, signature)) = text.rsplit_once('.') else { return false };
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    let key = PrivatePkcs1KeyDer::from_pem_file(KEY).expect("the App's key is readable");
    let pair = RsaKeyPair::from_der(key.secret_pkcs1_der()).expect("it is a key");
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    if public.verify(signed.as_bytes(), &signature).is_err() {
        return false;
    }
    let claims = signed.split_once('.').and_then(|(_, claims)| URL_SAFE_NO_PAD.decode(claims).ok());
    let claims: Value = claims.and_then(|claims| serde_json::from_slice(&claims).ok()).unwrap_or_default();
    let (issued, expires) = (claims["iat"].as_u64().unwrap_or(u64::MAX), claims["exp"].as_u64().unwrap_or(0));
    let app = claims["iss"].as_str().and_then(|id| id.parse().ok());
    app == Some(APP) && issued <= now && now < expires && expires - issued <= 600
}
