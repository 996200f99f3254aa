//! What is told of the way to GitLab reaches who goes it.

use std::io::Write;
use std::sync::atomic::Ordering;

use cfgupdater_core::{ErrorKind, Forge};
use cfgupdater_forge_gitlab::GitlabForge;
use cfgupdater_tests_forge_server::{proxy, tls_before};

use crate::site::{Site, commit, settings};

#[tokio::test]
async fn proxies_and_private_authorities_are_handed_through() {
    let (proxy, count) = proxy().await;
    let site = Site::with(|settings| settings.proxy = Some(proxy));
    site.gitlab.world().status(&commit(1).to_string(), "auto", "scan", "success", "sonar");
    assert_eq!(site.runs(commit(1)).await.len(), 1);
    assert!(count.load(Ordering::SeqCst) > 0);
    let certificate = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let plain = site.gitlab.api_url();
    let plain = plain.trim_start_matches("http://").trim_end_matches("/git/api/v4").to_owned();
    let mut private = settings(&site.gitlab, &site.directory);
    private.api_url = format!("{}/git/api/v4", tls_before(plain, &certificate).await);
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
