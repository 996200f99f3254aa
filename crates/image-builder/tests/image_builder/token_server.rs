//! [`TokenServer`]: signs tokens that a real registry takes (Docker Registry v2 token specification, ES256).

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cfgupdater_testkit::{Demands, DockerRegistry};
use rcgen::PKCS_ECDSA_P256_SHA256;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http_server::{Answer, Reaction, Request, Service, serve};

const SERVICE: &str = "registry.test";
const ISSUER: &str = "issuer.test";

/// "me:canary" in base 64.
const AUTH: &str = "bWU6Y2FuYXJ5";

/// How long a token is good: in truth, and as its server says. Both in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Life {
    pub(crate) real: i64,
    pub(crate) told: u64,
}

/// A token server that lives as long as the process, and the key that it signs with.
pub(crate) struct TokenServer {
    address: String,
    directory: TempDir,
    inner: Arc<Inner>,
}

struct Inner {
    key: EcdsaKeyPair,
    certificate: Vec<u8>,
    issued: AtomicUsize,
    asked: Mutex<Vec<Request>>,
    life: Box<dyn Fn(usize) -> Life + Send + Sync>,
}

impl TokenServer {
    /// Starts one whose `n`th token, from 0, has this life.
    pub(crate) fn start(life: impl Fn(usize) -> Life + Send + Sync + 'static) -> Self {
        let pair = rcgen::KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let certificate =
            rcgen::CertificateParams::new(vec![ISSUER.to_owned()]).unwrap().self_signed(&pair).unwrap();
        let pkcs8 = pair.serialize_der();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &SystemRandom::new());
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("issuer.pem"), certificate.pem()).unwrap();
        let inner = Arc::new(Inner {
            key: key.unwrap(),
            certificate: certificate.der().to_vec(),
            issued: AtomicUsize::new(0),
            asked: Mutex::default(),
            life: Box::new(life),
        });
        Self { address: serve(Arc::clone(&inner) as Arc<dyn Service>), directory, inner }
    }

    /// Starts a registry that takes these tokens and no others.
    pub(crate) fn registry(&self) -> Option<DockerRegistry> {
        let realm = format!("http://{}/token", self.address);
        let certificates = self.directory.path().join("issuer.pem");
        DockerRegistry::demanding(&Demands::default().token(&realm, SERVICE, ISSUER, &certificates))
    }

    /// Writes the login that is good here, for a registry.
    pub(crate) fn auth_file(&self, host: &str) -> PathBuf {
        let file = self.directory.path().join("config.json");
        std::fs::write(&file, format!(r#"{{"auths":{{"{host}":{{"auth":"{AUTH}"}}}}}}"#)).unwrap();
        file
    }

    /// Returns the scopes that tokens were asked for, several joined by `+`.
    pub(crate) fn scopes(&self) -> Vec<String> {
        self.inner.asked.lock().unwrap().iter().map(|request| scopes(request).join("+")).collect()
    }
}

fn scopes(request: &Request) -> Vec<String> {
    let pairs = request.query.split('&').filter_map(|pair| pair.strip_prefix("scope="));
    pairs.map(|scope| scope.replace("%3A", ":").replace("%2F", "/").replace("%2C", ",")).collect()
}

impl Service for Inner {
    fn react(&self, request: &Request) -> Reaction {
        Reaction::Answer(if request.header("authorization") == Some(&format!("Basic {AUTH}")) {
            self.asked.lock().unwrap().push(request.clone());
            self.issue(request)
        } else {
            Answer::status(401)
        })
    }

    fn answer(&self, _request: &Request, _body: Vec<u8>) -> Answer {
        unreachable!("every request is answered at once")
    }
}

impl Inner {
    #[expect(clippy::disallowed_methods, reason = "a token is no part of an image")]
    fn issue(&self, request: &Request) -> Answer {
        let life = (self.life)(self.issued.fetch_add(1, Ordering::SeqCst));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
        let access: Vec<Value> = scopes(request).iter().map(|scope| granted(scope)).collect();
        let header = json!({"typ": "JWT", "alg": "ES256", "x5c": [STANDARD.encode(&self.certificate)]});
        let claims = json!({
            "iss": ISSUER, "aud": SERVICE, "sub": "me", "jti": "x", "iat": now - 7200, "nbf": now - 7200,
            "exp": now + life.real, "access": access,
        });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        Answer::status(200).body(json!({"token": token, "expires_in": life.told}).to_string())
    }
}

/// Grants exactly what was asked for: `repository:team/web:pull,push`.
fn granted(scope: &str) -> Value {
    let parts: Vec<&str> = scope.split(':').collect();
    let [kind, name, actions] = parts.as_slice() else { panic!("{scope} is no scope") };
    json!({"type": kind, "name": name, "actions": actions.split(',').collect::<Vec<_>>()})
}
