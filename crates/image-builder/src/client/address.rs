//! Where a registry's interface is, and when plain HTTP will do.

use std::net::IpAddr;

use cfgupdater_core::{Error, ErrorKind};
use reqwest::Url;

use super::repository::Repository;
use super::settings::RegistrySettings;

/// Returns the URL of a registry's interface, with a slash at its end.
pub(super) fn base(host: &str, settings: &RegistrySettings) -> Result<Url, Error> {
    let server = if host == "docker.io" { "registry-1.docker.io" } else { host };
    let told = settings.plain_http.contains(host);
    let url = |scheme: &str| {
        Url::parse(&format!("{scheme}://{server}/v2/")).map_err(|cause| {
            let message = format!("`{host}` can't be a registry's host; check the image's name");
            Error::new(ErrorKind::Invalid, message).with_source(cause)
        })
    };
    let plain = url("http")?;
    if told || (is_loopback(&plain) && !settings.https.contains(host)) { Ok(plain) } else { url("https") }
}

/// Returns the URL of something in a repository. Names come from parsed references and hold nothing to escape.
pub(super) fn within(repository: &Repository, rest: &str, settings: &RegistrySettings) -> Result<Url, Error> {
    let mut url = base(repository.host(), settings)?;
    let path = format!("/v2/{}/{rest}", repository.path());
    url.set_path(&path);
    Ok(url)
}

/// Tells whether a URL leads to this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Tells whether something may be sent to a URL at all: with TLS, or without where nobody is in between or we were
/// told that it is fine.
pub(super) fn is_permitted(url: &Url, settings: &RegistrySettings) -> bool {
    let named = |url: &Url| match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => settings.plain_http.contains(&format!("{host}:{port}")),
        (Some(host), None) => settings.plain_http.contains(host),
        _ => false,
    };
    match url.scheme() {
        "https" => true,
        "http" => is_loopback(url) || named(url),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_left_out_on_loopback_or_when_told() {
        let settings =
            RegistrySettings::anonymous().with_plain_http("r.example.com").with_https("localhost:1");
        let base = |host| base(host, &settings).unwrap().to_string();
        assert_eq!(base("127.0.0.1:5000"), "http://127.0.0.1:5000/v2/");
        assert_eq!(base("r.example.com"), "http://r.example.com/v2/");
        assert_eq!(base("localhost:1"), "https://localhost:1/v2/");
        assert_eq!(base("other.example.com"), "https://other.example.com/v2/");
        assert_eq!(base("docker.io"), "https://registry-1.docker.io/v2/");
    }

    #[test]
    fn nothing_is_sent_in_the_clear_elsewhere() {
        let settings = RegistrySettings::anonymous().with_plain_http("r.example.com:81");
        let permitted = |url: &str| is_permitted(&url.parse().unwrap(), &settings);
        assert!(permitted("https://example.com") && permitted("http://[::1]:5000"));
        assert!(permitted("http://r.example.com:81") && !permitted("http://r.example.com"));
        assert!(!permitted("http://example.com") && !permitted("ftp://localhost"));
    }

    #[test]
    fn paths_are_joined() {
        let repository: Repository = "localhost:5000/a/b".parse().unwrap();
        let url = within(&repository, "manifests/v1", &RegistrySettings::anonymous()).unwrap();
        assert_eq!(url.as_str(), "http://localhost:5000/v2/a/b/manifests/v1");
    }
}
