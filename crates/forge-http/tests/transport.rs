//! Private certificate authorities and proxies, which adapters hand through.

#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

use std::io::Write;
use std::sync::atomic::Ordering;

use cfgupdater_core::{Error, ErrorKind};
use cfgupdater_forge_http::{HttpClient, HttpSettings};
use cfgupdater_tests_forge_server::{Serving, proxy, tls_before};
use http::Request;

/// Starts a server that answers everything with 404.
fn serving() -> Serving {
    Serving::start(|_| axum::Router::new())
}

/// Asks a server, and returns the status of its answer.
async fn ask(base: &str, settings: &HttpSettings) -> Result<u16, Error> {
    let client = HttpClient::new(&base.parse().unwrap(), settings)?;
    let request = Request::get(format!("{base}/api")).body(Vec::new()).unwrap();
    Ok(client.send(request).await?.status)
}

#[tokio::test]
async fn a_proxy_is_used_where_one_is_named() {
    let (server, (proxy, count)) = (serving(), proxy().await);
    let mut settings = HttpSettings::default();
    settings.proxy = Some(proxy);
    assert_eq!(ask(&format!("http://{}", server.address()), &settings).await.unwrap(), 404);
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_proxy_that_is_away_is_an_outage() {
    let server = serving();
    let mut settings = HttpSettings::default();
    settings.proxy = Some("http://127.0.0.1:1".to_owned());
    let error = ask(&format!("http://{}", server.address()), &settings).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_private_authority_is_trusted_by_its_file_alone() {
    let server = serving();
    let certificate = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let base = tls_before(server.address().to_string(), &certificate).await;
    let mut settings = HttpSettings::default();
    assert_eq!(ask(&base, &settings).await.unwrap_err().kind(), ErrorKind::Unavailable);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(certificate.cert.pem().as_bytes()).unwrap();
    settings.ca_file = Some(file.path().to_owned());
    assert_eq!(ask(&base, &settings).await.unwrap(), 404);
}
