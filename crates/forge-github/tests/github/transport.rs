//! Private certificate authorities and proxies.

use std::io::Write;

use cfgupdater_core::{ErrorKind, Forge, explain};
use cfgupdater_forge_github::GithubForge;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::site::{Site, commit, settings};

/// Forwards plain requests to where their request line says, and counts them.
async fn proxy() -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let count = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
    let seen = std::sync::Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                stream.read_line(&mut line).await.unwrap();
                let url: http::Uri = line.split(' ').nth(1).unwrap().parse().unwrap();
                let mut onward = TcpStream::connect(url.authority().unwrap().as_str()).await.unwrap();
                onward.write_all(line.as_bytes()).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
            });
        }
    });
    (address, count)
}

#[tokio::test]
async fn a_proxy_is_used_where_one_is_named() {
    let (proxy, count) = proxy().await;
    let site = Site::with(|settings| settings.proxy = Some(proxy));
    site.github.world().status(&commit(1).to_string(), "ci", "success", "octocat");
    assert_eq!(site.runs(commit(1)).await.len(), 1);
    assert!(count.load(std::sync::atomic::Ordering::SeqCst) > 0);
}

#[tokio::test]
async fn a_proxy_that_is_away_is_an_outage() {
    let site = Site::with(|settings| settings.proxy = Some("http://127.0.0.1:1".to_owned()));
    let error = site.forge.checks(&[commit(1)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", explain(&error));
}

/// Ends TLS before a plain server.
async fn tls_before(address: String, certificate: &rcgen::CertifiedKey<rcgen::KeyPair>) -> String {
    use rustls::pki_types::PrivatePkcs8KeyDer;
    let key = PrivatePkcs8KeyDer::from(certificate.signing_key.serialize_der());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, address) = (acceptor.clone(), address.clone());
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut onward = TcpStream::connect(address).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
            });
        }
    });
    format!("https://localhost:{port}")
}

#[tokio::test]
async fn an_enterprise_server_with_a_private_authority_is_trusted_by_its_file_alone() {
    let site = Site::new();
    site.github.world().run(&commit(1).to_string(), "ci", "success", 1);
    let certificate = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let plain = site.github.api_url();
    let plain = plain.trim_start_matches("http://").trim_end_matches("/api/v3").to_owned();
    let mut private = settings(&site.github, &site.directory);
    private.api_url = format!("{}/api/v3", tls_before(plain, &certificate).await);
    let error = GithubForge::new(private.clone()).unwrap().checks(&[commit(1)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(certificate.cert.pem().as_bytes()).unwrap();
    private.ca_file = Some(file.path().to_owned());
    let checks = GithubForge::new(private).unwrap().checks(&[commit(1)]).await.unwrap();
    assert_eq!(checks[&commit(1)].len(), 1);
}

#[tokio::test]
async fn what_is_no_address_is_refused_at_once() {
    let site = Site::new();
    for url in ["github.com", "ftp://github.com", "", "https://"] {
        let mut settings = settings(&site.github, &site.directory);
        settings.api_url = url.to_owned();
        assert_eq!(GithubForge::new(settings).unwrap_err().kind(), ErrorKind::Invalid, "{url}");
    }
}
