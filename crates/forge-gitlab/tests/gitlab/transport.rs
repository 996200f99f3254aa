//! Private certificate authorities and proxies.

use std::io::Write;

use cfgupdater_core::{ErrorKind, Forge, explain};
use cfgupdater_forge_gitlab::GitlabForge;
use cfgupdater_tests_forge_server::{proxy, tls_before};

use crate::site::{Site, commit, settings};

#[tokio::test]
async fn a_proxy_is_used_where_one_is_named() {
    let (proxy, count) = proxy().await;
    let site = Site::with(|settings| settings.proxy = Some(proxy));
    site.gitlab.world().status(&commit(1).to_string(), "auto", "scan", "success", "sonar");
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
async fn a_server_of_ones_own_with_a_private_authority_is_trusted_by_its_file_alone() {
    let site = Site::new();
    site.gitlab.world().status(&commit(1).to_string(), "auto", "scan", "success", "sonar");
    let certificate = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let plain = site.gitlab.api_url();
    let plain = plain.trim_start_matches("http://").trim_end_matches("/git/api/v4").to_owned();
    let mut private = settings(&site.gitlab, &site.directory);
    private.api_url = format!("{}/git/api/v4", tls_before(plain, &certificate).await);
    let error = GitlabForge::new(private.clone()).unwrap().checks(&[commit(1)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(certificate.cert.pem().as_bytes()).unwrap();
    private.ca_file = Some(file.path().to_owned());
    let checks = GitlabForge::new(private).unwrap().checks(&[commit(1)]).await.unwrap();
    assert_eq!(checks[&commit(1)].len(), 1);
}

#[tokio::test]
async fn what_is_no_address_is_refused_at_once() {
    let site = Site::new();
    for url in ["gitlab.com", "ftp://gitlab.com", "", "https://"] {
        let mut settings = settings(&site.gitlab, &site.directory);
        settings.api_url = url.to_owned();
        assert_eq!(GitlabForge::new(settings).unwrap_err().kind(), ErrorKind::Invalid, "{url}");
    }
}
