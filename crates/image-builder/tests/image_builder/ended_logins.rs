//! Logins that end while a client lives, and tokens that aren't had.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cfgupdater_core::{ErrorKind, Registry};
use cfgupdater_image_builder::{RegistryClient, Repository};

use crate::double::Double;
use crate::http_server::{Answer, Reaction};
use crate::support::{blob, hasty, push_image};

/// The header that shows the password.
fn basic(password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("me:{password}")))
}

/// Has the file hold this password for a registry.
fn log_in(file: &Path, host: &str, password: &str) {
    let auth = STANDARD.encode(format!("me:{password}"));
    std::fs::write(file, format!(r#"{{"auths":{{"{host}":{{"auth":"{auth}"}}}}}}"#)).unwrap();
}

/// A registry that takes one password and answers others as Amazon's answers a login that has ended: forbidden, without
/// asking for another one. The file of logins gets what `renewed` holds once that happens.
struct Closed {
    double: Double,
    directory: tempfile::TempDir,
    password: Arc<Mutex<&'static str>>,
    renewed: Arc<Mutex<Option<&'static str>>>,
}

impl Closed {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config.json");
        let password = Arc::new(Mutex::new("first"));
        let renewed = Arc::new(Mutex::new(None));
        let double = Double::start();
        let host = double.address.clone();
        log_in(&file, &host, "first");
        let (right, next) = (Arc::clone(&password), Arc::clone(&renewed));
        let double = double.with_fault(move |request| match request.header("authorization") {
            None => Reaction::Answer(Answer::status(401).with("www-authenticate", "Basic realm=\"x\"")),
            Some(shown) if shown == basic(*right.lock().unwrap()) => Reaction::Serve,
            Some(_) => {
                if let Some(password) = *next.lock().unwrap() {
                    log_in(&file, &host, password);
                }
                Reaction::Answer(Answer::status(403))
            }
        });
        Self { double, directory, password, renewed }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("config.json")
    }

    fn client(&self) -> RegistryClient {
        RegistryClient::new(hasty().with_auth_file(self.file()))
    }

    fn web(&self) -> Repository {
        self.double.repository("team/web")
    }
}

#[tokio::test]
async fn a_login_that_is_forbidden_is_looked_up_afresh() {
    let closed = Closed::start();
    let client = closed.client();
    let manifest = push_image(&client, &closed.web(), "v1", b"x").await;
    let image = closed.web().tagged("v1").unwrap();
    *closed.password.lock().unwrap() = "second";
    *closed.renewed.lock().unwrap() = Some("second");
    let before = closed.double.asked().len();
    let found = client.resolve(&image).await.unwrap().unwrap();
    assert_eq!(&found, manifest.descriptor());
    assert_eq!(closed.double.asked().len() - before, 2, "forbidden once, then let in");
}

#[tokio::test]
async fn what_is_forbidden_with_the_same_login_is_not_asked_again() {
    let closed = Closed::start();
    let client = closed.client();
    push_image(&client, &closed.web(), "v1", b"x").await;
    *closed.password.lock().unwrap() = "second";
    let before = closed.double.asked().len();
    let error = client.resolve(&closed.web().tagged("v1").unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    assert_eq!(closed.double.asked().len() - before, 1);
}

#[tokio::test]
async fn a_new_login_in_the_file_is_shown_at_once() {
    let closed = Closed::start();
    let client = closed.client();
    push_image(&client, &closed.web(), "v1", b"x").await;
    *closed.password.lock().unwrap() = "second";
    log_in(&closed.file(), &closed.double.address, "second");
    let before = closed.double.asked().len();
    client.resolve(&closed.web().tagged("v1").unwrap()).await.unwrap();
    assert_eq!(closed.double.asked().len() - before, 1);
}

/// A registry whose token server answers as `issue` says, by the request's body and the scopes asked for.
fn tokens(issue: impl Fn(&crate::http_server::Request) -> Answer + Send + Sync + 'static) -> Double {
    Double::start().with_fault(move |request| {
        if request.path == "/token" {
            return Reaction::Answer(issue(request));
        }
        match request.header("authorization") {
            Some("Bearer good") => Reaction::Serve,
            _ => Reaction::Answer(
                Answer::status(401).with("www-authenticate", r#"Bearer realm="/token",service="double""#),
            ),
        }
    })
}

#[tokio::test]
async fn a_token_that_is_refused_for_a_mount_fails_no_push() {
    for status in [401, 403] {
        let double = tokens(move |request| {
            let scopes = request.query.matches("scope=").count();
            if scopes > 1 { Answer::status(status) } else { Answer::status(200).body(r#"{"token":"good"}"#) }
        });
        let (descriptor, source) = blob(b"x");
        double.put_blob("base", b"x");
        let (client, target) = (RegistryClient::new(hasty()), double.repository("a"));
        let mounted = client.mount_blob(&target, &descriptor, &double.repository("base")).await;
        assert_eq!(mounted.unwrap(), None, "{status}");
        client.push_blob(&target, &descriptor, &source).await.unwrap();
    }
}
