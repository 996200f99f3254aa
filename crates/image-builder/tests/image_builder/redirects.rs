//! Redirections: followed, but never with a login to another host.

use std::path::Path;

use cfgupdater_image_builder::{RegistryClient, RegistrySettings};

use crate::double::Double;
use crate::http_server::{Answer, Reaction, Request};
use crate::support::{blob, hasty};

/// "me:canary" in base 64.
const AUTH: &str = "bWU6Y2FuYXJ5";

fn with_login(host: &str, dir: &Path) -> RegistrySettings {
    let file = dir.join("config.json");
    std::fs::write(&file, format!(r#"{{"auths":{{"{host}":{{"auth":"{AUTH}"}}}}}}"#)).unwrap();
    hasty().with_auth_file(file)
}

fn wants_login(request: &Request) -> Option<Reaction> {
    let missing = request.header("authorization").is_none();
    missing.then(|| Reaction::Answer(Answer::status(401).with("www-authenticate", "Basic realm=\"r\"")))
}

#[tokio::test]
async fn content_elsewhere_is_read_without_the_login() {
    let elsewhere = Double::start();
    let (descriptor, _) = blob(b"some content");
    elsewhere.put_blob("a", b"some content");
    let to = format!("http://{}/v2/a/blobs/{}", elsewhere.address, descriptor.digest);
    let double = Double::start().with_fault(move |request| {
        wants_login(request)
            .unwrap_or_else(|| Reaction::Answer(Answer::status(307).with("location", to.clone())))
    });
    let dir = tempfile::tempdir().unwrap();
    let client = RegistryClient::new(with_login(&double.address, dir.path()));
    let read = client.read_blob(&double.repository("a"), &descriptor, 100).await.unwrap();
    assert_eq!(read, b"some content");
    assert!(double.seen().last().unwrap().header("authorization").is_some());
    assert!(elsewhere.seen().iter().all(|request| request.header("authorization").is_none()));
}

#[tokio::test]
async fn an_upload_that_goes_on_elsewhere_is_sent_without_the_login() {
    let elsewhere = Double::start();
    let session = format!("http://{}/v2/a/blobs/uploads/1", elsewhere.address);
    let double = Double::start().with_fault(move |request| match request.method.as_str() {
        "POST" => wants_login(request)
            .unwrap_or_else(|| Reaction::Answer(Answer::status(202).with("location", session.clone()))),
        _ => Reaction::Serve,
    });
    let dir = tempfile::tempdir().unwrap();
    let client = RegistryClient::new(with_login(&double.address, dir.path()));
    let (descriptor, source) = blob(b"x");
    client.push_blob(&double.repository("a"), &descriptor, &source).await.unwrap();
    assert_eq!(elsewhere.blob("a", &descriptor.digest).unwrap(), b"x");
    assert!(elsewhere.seen().iter().all(|request| request.header("authorization").is_none()));
}

#[tokio::test]
async fn another_host_that_asks_for_the_login_does_not_get_it() {
    let elsewhere = Double::start().with_fault(|request| wants_login(request).unwrap_or(Reaction::Serve));
    let to = format!("http://{}/v2/a/blobs/x", elsewhere.address);
    let double = Double::start()
        .with_fault(move |_| Reaction::Answer(Answer::status(307).with("location", to.clone())));
    let dir = tempfile::tempdir().unwrap();
    let client = RegistryClient::new(with_login(&double.address, dir.path()));
    let (descriptor, _) = blob(b"x");
    client.read_blob(&double.repository("a"), &descriptor, 100).await.unwrap_err();
    assert_eq!(elsewhere.seen().len(), 1);
    assert!(elsewhere.seen()[0].header("authorization").is_none());
}

#[tokio::test]
async fn going_round_in_circles_ends() {
    let double = Double::start()
        .with_fault(|request| Reaction::Answer(Answer::status(307).with("location", request.path.clone())));
    let (descriptor, _) = blob(b"x");
    let client = RegistryClient::new(hasty());
    let error = client.read_blob(&double.repository("a"), &descriptor, 100).await.unwrap_err();
    assert!(error.to_string().contains("redirection to redirection"), "{error}");
    assert_eq!(double.seen().len(), 6);
}

#[tokio::test]
async fn a_redirection_to_plain_http_elsewhere_is_not_followed() {
    let double = Double::start().with_fault(|_| {
        Reaction::Answer(Answer::status(307).with("location", "http://registry.invalid/v2/x"))
    });
    let (descriptor, _) = blob(b"x");
    let client = RegistryClient::new(hasty());
    let error = client.read_blob(&double.repository("a"), &descriptor, 100).await.unwrap_err();
    assert!(error.to_string().contains("without TLS"), "{error}");
}
