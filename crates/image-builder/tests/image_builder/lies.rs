//! Registries that lie, break off, and ask to be left alone.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cfgupdater_core::{ErrorKind, ImageDigest, Registry, Retry};
use cfgupdater_image_builder::{BlobSource, Pushed, RegistryClient};

use crate::double::Double;
use crate::http_server::{Answer, Reaction, Request};
use crate::support::{OCI_MANIFEST, anonymous, blob, hasty, push_image};

fn hasty_client() -> RegistryClient {
    RegistryClient::new(hasty())
}

/// Applies `fault` to the first `times` requests that `matches`.
fn first(
    times: usize,
    matches: impl Fn(&Request) -> bool + Send + Sync,
    fault: impl Fn() -> Reaction + Send + Sync,
) -> impl Fn(&Request) -> Reaction + Send + Sync {
    let seen = AtomicUsize::new(0);
    move |request| {
        let hit = matches(request) && seen.fetch_add(1, Ordering::SeqCst) < times;
        if hit { fault() } else { Reaction::Serve }
    }
}

fn is_push(request: &Request) -> bool {
    request.method == "PUT" && request.path.contains("/blobs/uploads/")
}

#[tokio::test]
async fn a_manifest_with_another_digest_is_refused() {
    let asked = ImageDigest::of(b"{}");
    let double = Double::start()
        .with_fault(|_| Reaction::Answer(Answer::status(200).with("content-type", OCI_MANIFEST).body("{ }")));
    let image = double.repository("a").at(&asked).unwrap();
    let error = hasty_client().manifest(&image).await.unwrap_err();
    assert!(error.to_string().contains("altered"), "{error}");
}

#[tokio::test]
async fn a_digest_that_the_registry_claims_must_be_true() {
    let double = Double::start().with_fault(|_| {
        let answer = Answer::status(200).with("content-type", OCI_MANIFEST).body("{}");
        Reaction::Answer(answer.with("docker-content-digest", ImageDigest::of(b"x").to_string()))
    });
    let repository = double.repository("a");
    assert!(hasty_client().manifest(&repository.tagged("v1").unwrap()).await.is_err());
    let asked = repository.at(&ImageDigest::of(b"y")).unwrap();
    let error = hasty_client().resolve(&asked).await.unwrap_err();
    assert!(error.to_string().contains("is about"), "{error}");
}

#[tokio::test]
async fn a_registry_that_tells_no_digest_is_read() {
    let double = Double::start()
        .with_fault(|_| Reaction::Answer(Answer::status(200).with("content-type", OCI_MANIFEST).body("{}")));
    let image = double.repository("a").tagged("v1").unwrap();
    let found = hasty_client().resolve(&image).await.unwrap().unwrap();
    assert_eq!((found.digest, found.size), (ImageDigest::of(b"{}"), 2));
}

#[tokio::test]
async fn what_is_no_manifest_is_refused() {
    for (media_type, body) in [("text/html", "<html>"), ("application/json", "{}"), ("application/json", "")]
    {
        let double = Double::start().with_fault(move |_| {
            Reaction::Answer(Answer::status(200).with("content-type", media_type).body(body))
        });
        let error = hasty_client().manifest(&double.repository("a").tagged("v").unwrap()).await.unwrap_err();
        assert!(error.to_string().contains("is it a registry?"), "{error}");
    }
}

#[tokio::test]
async fn an_endless_manifest_is_not_read_to_its_end() {
    let double = Double::start().with_fault(|_| {
        let answer = Answer::status(200).with("content-type", OCI_MANIFEST);
        Reaction::Answer(answer.with("content-length", "99999999999").body("{"))
    });
    let error = hasty_client().manifest(&double.repository("a").tagged("v").unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("longer than 4194304 bytes"), "{error}");
}

#[tokio::test]
async fn a_blob_that_is_not_what_its_name_says_is_refused() {
    for lie in ["sOme content", "some", "some content and more"] {
        let double = Double::start().with_fault(move |_| Reaction::Answer(Answer::status(200).body(lie)));
        let (descriptor, _) = blob(b"some content");
        let error = hasty_client().read_blob(&double.repository("a"), &descriptor, 100).await.unwrap_err();
        assert_eq!(error.retry(), Retry::Never, "{lie}: {error}");
    }
}

#[tokio::test]
async fn a_download_that_breaks_off_is_begun_again() {
    let broken = || Reaction::Answer(Answer::status(200).with("content-length", "12").body("some"));
    let double = Double::start().with_fault(first(2, |request| request.method == "GET", broken));
    double.put_blob("a", b"some content");
    let (descriptor, _) = blob(b"some content");
    let read = anonymous().read_blob(&double.repository("a"), &descriptor, 100).await.unwrap();
    assert_eq!(read, b"some content");
}

#[tokio::test]
async fn a_registry_that_falls_silent_is_not_waited_for_for_ever() {
    let silent = Answer::status(200).with("content-type", OCI_MANIFEST).with("content-length", "9").body("{");
    let double = Double::start().with_fault(move |_| Reaction::Stall(silent.clone()));
    let client = RegistryClient::new(hasty().with_answer_within(Duration::from_millis(20)));
    let error = client.manifest(&double.repository("a").tagged("v1").unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_begun_again() {
    let double = Double::start().with_fault(first(2, is_push, || Reaction::Cut));
    let dir = tempfile::tempdir().unwrap();
    let content = vec![7_u8; 2_000_000];
    std::fs::write(dir.path().join("layer"), &content).unwrap();
    let (descriptor, _) = blob(&content);
    let source = BlobSource::File(dir.path().join("layer"));
    let pushed = anonymous().push_blob(&double.repository("a"), &descriptor, &source).await.unwrap();
    assert_eq!(pushed, Pushed::Uploaded);
    assert_eq!(double.blob("a", &descriptor.digest).unwrap(), content);
}

#[tokio::test]
async fn a_lost_session_is_replaced() {
    let double = Double::start().with_fault(first(1, is_push, || Reaction::Answer(Answer::status(404))));
    let (descriptor, source) = blob(b"x");
    anonymous().push_blob(&double.repository("a"), &descriptor, &source).await.unwrap();
    assert_eq!(double.seen().iter().filter(|request| request.method == "POST").count(), 2);
}

#[tokio::test]
async fn a_manifest_that_is_stored_as_another_is_an_error() {
    let lie = || Reaction::Answer(Answer::status(201).with("docker-content-digest", "sha256:0"));
    let put = |request: &Request| request.path.contains("/manifests/");
    let double = Double::start().with_fault(first(9, put, lie));
    let manifest = cfgupdater_core::Manifest::new(OCI_MANIFEST, b"{}".to_vec());
    let error =
        hasty_client().put_manifest(&double.repository("a"), Some("v1"), &manifest).await.unwrap_err();
    assert!(error.to_string().contains("stored sha256:0 instead"), "{error}");
}

#[tokio::test]
async fn a_busy_registry_is_asked_again() {
    for status in [429, 500, 502, 503, 504] {
        let busy = move || Reaction::Answer(Answer::status(status).with("retry-after", "0"));
        let double = Double::start().with_fault(first(4, |_| true, busy));
        push_image(&anonymous(), &double.repository("a"), "v1", b"x").await;
        assert!(double.asked().len() >= 8, "{:?}", double.asked());
    }
}

#[tokio::test]
async fn a_pause_up_to_a_date_is_kept_to() {
    let over = "Sun, 06 Nov 1994 08:49:37 GMT";
    let busy = move || Reaction::Answer(Answer::status(429).with("retry-after", over));
    let double = Double::start().with_fault(first(4, |_| true, busy));
    push_image(&anonymous(), &double.repository("a"), "v1", b"x").await;
    let far = || Reaction::Answer(Answer::status(503).with("retry-after", "Fri, 06 Nov 2099 08:49:37 GMT"));
    let double = Double::start().with_fault(first(9, |_| true, far));
    let error = anonymous().resolve(&double.repository("a").tagged("v1").unwrap()).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(Duration::from_hours(1)), "as long as any pause may be");
}

#[tokio::test]
async fn a_pause_beyond_our_patience_is_passed_on() {
    let busy = || Reaction::Answer(Answer::status(429).with("retry-after", "600"));
    let double = Double::start().with_fault(first(9, |_| true, busy));
    let error = anonymous().resolve(&double.repository("a").tagged("v1").unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry(), Retry::After(Duration::from_mins(10)));
    assert_eq!(double.asked().len(), 1);
}

#[tokio::test]
async fn a_refusal_is_final_and_tells_the_registrys_words() {
    let double = Double::start().with_fault(|_| {
        Reaction::Answer(Answer::status(403).body(r#"{"errors":[{"code":"DENIED","message":"no push"}]}"#))
    });
    let (descriptor, source) = blob(b"x");
    let client = anonymous();
    // Only the answer to a POST has a body; the first request is a HEAD.
    assert_eq!(
        client.push_blob(&double.repository("a"), &descriptor, &source).await.unwrap_err().kind(),
        ErrorKind::Forbidden
    );
    let error = client.manifest(&double.repository("a").tagged("v1").unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("DENIED no push"), "{error}");
    assert_eq!(double.asked().len(), 2);
}
