//! Private certificate authorities and proxies.

use std::io::Write;

use cfgupdater_core::{ErrorKind, Forge, explain};
use cfgupdater_forge_github::GithubForge;
use cfgupdater_tests_forge_server::{proxy, tls_before, tunnels};

use crate::site::{Site, commit, settings};

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
async fn a_tunnel_through_a_proxy_ends_at_a_server_that_is_trusted_by_its_file() {
    let site = Site::new();
    site.github.world().run(&commit(1).to_string(), "ci", "success", 1);
    let certificate = rcgen::generate_simple_self_signed(vec!["github.test".to_owned()]).unwrap();
    let plain = site.github.api_url();
    let plain = plain.trim_start_matches("http://").trim_end_matches("/api/v3").to_owned();
    let encrypted = tls_before(plain, &certificate).await.replace("https://localhost", "127.0.0.1");
    let (proxy, asked) = tunnels(encrypted).await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(certificate.cert.pem().as_bytes()).unwrap();
    let mut settings = settings(&site.github, &site.directory);
    (settings.api_url, settings.proxy) = ("https://github.test/api/v3".to_owned(), Some(proxy));
    let untrusted = GithubForge::new(settings.clone()).unwrap().checks(&[commit(1)]).await.unwrap_err();
    assert_eq!(untrusted.kind(), ErrorKind::Unavailable);
    settings.ca_file = Some(file.path().to_owned());
    let checks = GithubForge::new(settings).unwrap().checks(&[commit(1)]).await.unwrap();
    assert_eq!(checks[&commit(1)].len(), 1);
    assert_eq!(*asked.lock().unwrap(), ["github.test:443".to_owned()].into(), "nobody else was asked for");
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
