//! Content that no single request may hold.

use cfgupdater_core::{Descriptor, ErrorKind};
use cfgupdater_image_builder::{BlobSource, Pushed, RegistryClient};
use cfgupdater_testkit::DockerRegistry;
use tempfile::TempDir;

use crate::double::Double;
use crate::http_server::{Answer, Reaction, Request};
use crate::support::{anonymous, blob, hasty};

const MIB: usize = 1024 * 1024;

/// Makes a file of this length that is not the same everywhere.
fn file(length: usize) -> (TempDir, Descriptor, BlobSource, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..251).step_by(7).cycle().take(length).collect();
    std::fs::write(dir.path().join("layer"), &content).unwrap();
    let source = BlobSource::File(dir.path().join("layer"));
    (dir, blob(&content).0, source, content)
}

/// Takes no request with more than this many bytes, as a proxy would.
fn narrow(limit: usize) -> impl Fn(&Request) -> Reaction + Send + Sync {
    move |request| {
        let length = request.header("content-length").and_then(|text| text.parse().ok());
        if length.unwrap_or(0) > limit { Reaction::Answer(Answer::status(413)) } else { Reaction::Serve }
    }
}

fn lengths(double: &Double, method: &str) -> Vec<usize> {
    let sent = double.seen().into_iter().filter(|request| request.method == method);
    sent.map(|request| request.header("content-length").unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn what_was_too_large_for_one_request_is_sent_in_pieces() {
    let double = Double::start().with_fault(narrow(5 * MIB));
    let (_dir, descriptor, source, content) = file(10 * MIB);
    let pushed = anonymous().push_blob(&double.repository("a"), &descriptor, &source).await.unwrap();
    assert_eq!(pushed, Pushed::Uploaded);
    assert_eq!(double.blob("a", &descriptor.digest).unwrap(), content);
    assert_eq!(lengths(&double, "PATCH"), [4 * MIB, 4 * MIB, 2 * MIB]);
}

#[tokio::test]
async fn where_not_even_pieces_fit_the_limit_is_told() {
    let double = Double::start().with_fault(narrow(100));
    for length in [101, 5 * MIB] {
        let (_dir, descriptor, source, _) = file(length);
        let error = anonymous().push_blob(&double.repository("a"), &descriptor, &source).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(error.to_string().contains("raise the registry's limit"), "{error}");
    }
}

#[tokio::test]
async fn pieces_are_as_long_as_the_registry_asks() {
    let double = Double::start().with_fault(|request| match request.method.as_str() {
        "POST" => Reaction::Answer(
            Answer::status(202)
                .with("location", "/v2/a/blobs/uploads/x")
                .with("oci-chunk-min-length", "5000"),
        ),
        _ => Reaction::Serve,
    });
    let (_dir, descriptor, source, content) = file(12_000);
    let client = RegistryClient::new(hasty().with_longest_request(1000));
    client.push_blob(&double.repository("a"), &descriptor, &source).await.unwrap();
    assert_eq!(lengths(&double, "PATCH"), [5000, 5000, 2000]);
    assert_eq!(double.blob("a", &descriptor.digest).unwrap(), content);
}

#[tokio::test]
async fn debians_registry_puts_pieces_together() {
    let Some(registry) = DockerRegistry::start() else { return };
    let client = RegistryClient::new(hasty().with_longest_request(MIB as u64));
    let repository = format!("{}/a", registry.host()).parse().unwrap();
    let (_dir, descriptor, source, content) = file(3 * MIB + 1);
    client.push_blob(&repository, &descriptor, &source).await.unwrap();
    assert_eq!(client.read_blob(&repository, &descriptor, u64::MAX).await.unwrap(), content);
    let (bytes, source) = blob(&content[..2 * MIB]);
    client.push_blob(&repository, &bytes, &source).await.unwrap();
    assert!(client.has_blob(&repository, &bytes.digest).await.unwrap());
}
