//! Logins: tokens, passwords, private authorities.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cfgupdater_core::{ErrorKind, Registry};
use cfgupdater_image_builder::{Pushed, RegistryClient, RegistrySettings};
use cfgupdater_testkit::{Demands, DockerRegistry};

use crate::double::Double;
use crate::http_server::{Answer, Reaction, Request};
use crate::support::{blob, hasty, push_image};

/// "me:canary" in base 64.
const AUTH: &str = "bWU6Y2FuYXJ5";

/// The same, as `htpasswd -nbB me canary` writes it.
const HTPASSWD: &str = "me:$2b$05$p6VcV8/ll40t88.iWcJViuw0OyeswILwlWUJ8DFGrorPnWjKIfJWW\n";

fn auth_file(host: &str, dir: &Path) -> std::path::PathBuf {
    let file = dir.join("config.json");
    std::fs::write(&file, format!(r#"{{"auths":{{"{host}":{{"auth":"{AUTH}"}}}}}}"#)).unwrap();
    file
}

/// A registry and its token server in one. A token is good for `uses` requests and names its scopes.
fn token_registry(uses: usize) -> Double {
    let issued = Arc::new(AtomicUsize::new(0));
    let used = AtomicUsize::new(0);
    Double::start().with_fault(move |request| {
        if request.path == "/token" {
            used.store(0, Ordering::SeqCst);
            return Reaction::Answer(issue(request, issued.fetch_add(1, Ordering::SeqCst)));
        }
        let shown = request.header("authorization").and_then(|text| text.strip_prefix("Bearer "));
        let newest = format!("token-{}", issued.load(Ordering::SeqCst));
        if shown == Some(newest.as_str()) && used.fetch_add(1, Ordering::SeqCst) < uses {
            return Reaction::Serve;
        }
        let challenge = r#"Bearer realm="/token",service="double",scope="ignored""#;
        Reaction::Answer(Answer::status(401).with("www-authenticate", challenge))
    })
}

fn issue(request: &Request, before: usize) -> Answer {
    if request.header("authorization") != Some(&format!("Basic {AUTH}")) {
        return Answer::status(401);
    }
    assert_eq!(request.parameter("service").as_deref(), Some("double"));
    Answer::status(200).body(format!(r#"{{"token":"token-{}","expires_in":300}}"#, before + 1))
}

#[tokio::test]
async fn tokens_are_had_once_and_renewed_in_the_middle_of_a_push() {
    let dir = tempfile::tempdir().unwrap();
    let double = token_registry(2);
    let settings = hasty().with_auth_file(auth_file(&double.address, dir.path()));
    let client = RegistryClient::new(settings);
    push_image(&client, &double.repository("team/web"), "v1", b"x").await;
    let tokens: Vec<Request> = double.seen().into_iter().filter(|request| request.path == "/token").collect();
    // HEAD, POST | PUT, PUT manifest: four requests, two a token.
    assert_eq!(tokens.len(), 2);
    assert!(tokens.iter().all(|t| t.parameter("scope").unwrap() == "repository:team/web:pull,push"));
}

#[tokio::test]
async fn a_mount_asks_for_both_repositories() {
    let dir = tempfile::tempdir().unwrap();
    let double = token_registry(usize::MAX);
    let settings = hasty().with_auth_file(auth_file(&double.address, dir.path()));
    let client = RegistryClient::new(settings);
    let (descriptor, _) = blob(b"x");
    double.put_blob("base", b"x");
    let mounted = client.mount_blob(&double.repository("a"), &descriptor, &double.repository("base")).await;
    assert_eq!(mounted.unwrap(), Some(Pushed::Mounted));
    let tokens = double.seen().into_iter().filter(|request| request.path == "/token");
    let asked: Vec<String> =
        tokens.map(|request| request.query.replace("%3A", ":").replace("%2C", ",")).collect();
    assert!(
        asked.last().unwrap().ends_with("scope=repository:a:pull,push&scope=repository:base:pull"),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_wrong_login_is_refused_once_and_not_repeated() {
    let double = token_registry(usize::MAX);
    let client = RegistryClient::new(RegistrySettings::anonymous());
    let error = client.resolve(&double.repository("a").tagged("v1").unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    assert_eq!(double.asked(), ["HEAD /v2/a/manifests/v1", "GET /token"]);
}

#[tokio::test]
async fn no_secret_is_shown_by_the_client_or_its_errors() {
    let dir = tempfile::tempdir().unwrap();
    let double = token_registry(0);
    let settings = hasty().with_auth_file(auth_file(&double.address, dir.path()));
    let client = RegistryClient::new(settings);
    let error = client.resolve(&double.repository("a").tagged("v1").unwrap()).await.unwrap_err();
    let shown = format!("{client:?} {error} {error:?}");
    assert!(!shown.contains("token-") && !shown.contains(AUTH) && !shown.contains("canary"), "{shown}");
}

#[tokio::test]
async fn a_password_opens_debians_registry() {
    let dir = tempfile::tempdir().unwrap();
    let htpasswd = dir.path().join("htpasswd");
    std::fs::write(&htpasswd, HTPASSWD).unwrap();
    let Some(registry) = DockerRegistry::demanding(&Demands::default().htpasswd(htpasswd)) else {
        return;
    };
    let repository = format!("{}/team/web", registry.host()).parse().unwrap();
    let settings = hasty().with_auth_file(auth_file(registry.host(), dir.path()));
    push_image(&RegistryClient::new(settings), &repository, "v1", b"x").await;
    let stranger = RegistryClient::new(hasty());
    let error = stranger.resolve(&repository.tagged("v1").unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
}

/// Makes an authority and has it issue a certificate.
fn sign(host: &str, authority: &Path, certificate: &Path, key: &Path) {
    let root_key = rcgen::KeyPair::generate().unwrap();
    let mut root = rcgen::CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    std::fs::write(authority, root.self_signed(&root_key).unwrap().pem()).unwrap();
    let issuer = rcgen::Issuer::new(root, root_key);
    let leaf_key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap();
    std::fs::write(certificate, leaf.signed_by(&leaf_key, &issuer).unwrap().pem()).unwrap();
    std::fs::write(key, leaf_key.serialize_pem()).unwrap();
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let [authority, certificate, key] = ["ca.pem", "tls.crt", "tls.key"].map(|name| dir.path().join(name));
    sign("127.0.0.1", &authority, &certificate, &key);
    let Some(registry) = DockerRegistry::demanding(&Demands::default().tls(&certificate, &key)) else {
        return;
    };
    let repository = format!("{}/team/web", registry.host()).parse().unwrap();
    let settings = hasty().with_https(registry.host());
    let stranger = RegistryClient::new(settings.clone());
    push_image(&RegistryClient::new(settings.with_ca_file(&authority)), &repository, "v1", b"x").await;
    let error = stranger.resolve(&repository.tagged("v1").unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("authority"), "{error}");
}
