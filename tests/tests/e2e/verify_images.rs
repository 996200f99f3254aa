//! Announced images are looked up in their registry before anything is accepted.

use std::path::Path;
use std::process::Command;

use cfgupdater_core::ImageDigest;
use cfgupdater_image_builder::{RegistryClient, RegistrySettings};
use cfgupdater_testkit::{Demands, DockerRegistry};
use cfgupdater_tests::{Options, Pushing, Remote, Reply, Service, app_sha, binary};
use serde_json::{Value, json};

/// The login "me" with the password "canary", as `config.json` has it and as `htpasswd -nbB` writes it.
const AUTH: &str = "bWU6Y2FuYXJ5";
const HTPASSWD: &str = "me:$2b$05$p6VcV8/ll40t88.iWcJViuw0OyeswILwlWUJ8DFGrorPnWjKIfJWW\n";

fn verifying(remote: &Remote, image_set: &'static str, registry: &str) -> Service {
    let server = format!("[[registry]]\n{registry}\n");
    Service::with(remote, &Options { image_set, server, ..Options::default() })
}

/// Writes an announcement of one service.
fn announcement(host: &str, tag: &str, digest: &ImageDigest) -> Value {
    json!({"Web": {"Digest": format!("{host}/team/web@{digest}"), "Tag": format!("{host}/team/web:{tag}")}})
}

fn announce(service: &Service, n: u32, body: &Value) -> Reply {
    service.server().post(&format!("/v1/repos/cfg-app/images?app_sha={}", app_sha(n)), body)
}

#[test]
fn a_tag_must_name_the_digest_that_is_announced() {
    let Some(registry) = DockerRegistry::start() else { return };
    let (host, pushing) = (registry.host(), Pushing::to(registry.host()));
    let (first, second) =
        (pushing.image("team/web", "v1", "first"), pushing.image("team/web", "v2", "second"));
    let remote = Remote::new();
    let service = verifying(&remote, "verify_images = \"tag-matches\"", &format!("host = {host:?}"));
    let refs = remote.refs();

    let mixed = announce(&service, 1, &announcement(host, "v1", &second)).refused(422);
    for said in ["service `Web`", host, first.as_str(), second.as_str(), "push the tag again"] {
        assert!(mixed.contains(said), "{said}: {mixed}");
    }
    let unknown = announce(&service, 1, &announcement(host, "v1", &ImageDigest::of(b"none"))).refused(422);
    assert!(unknown.contains(&format!("is not in registry {host}; push it before")), "{unknown}");
    let untagged = announce(&service, 1, &announcement(host, "v3", &first)).refused(422);
    assert!(untagged.contains(&format!("the tag {host}/team/web:v3 is not in registry")), "{untagged}");
    assert_eq!(remote.refs(), refs, "nothing was written");

    let good = announcement(host, "v1", &first);
    assert_eq!(announce(&service, 1, &good).ok()["outcome"], "committed");
    pushing.image("team/web", "v1", "a third one takes the tag");
    assert_eq!(announce(&service, 1, &good).ok()["outcome"], "duplicate", "what was accepted stays accepted");
}

#[test]
fn where_only_existence_counts_tags_may_move() {
    let Some(registry) = DockerRegistry::start() else { return };
    let (host, pushing) = (registry.host(), Pushing::to(registry.host()));
    let first = pushing.image("team/web", "v1", "first");
    let remote = Remote::new();
    let service = verifying(&remote, "verify_images = \"exists\"", &format!("host = {host:?}"));
    let refs = remote.refs();
    let nothing = announcement(host, "v1", &ImageDigest::of(b"none"));
    announce(&service, 1, &nothing).refused(422);
    let dry = format!("/v1/repos/cfg-app/images?app_sha={}&dry_run=true", app_sha(1));
    service.server().post(&dry, &nothing).refused(422);
    assert_eq!(remote.refs(), refs, "nothing was written");
    assert_eq!(announce(&service, 1, &announcement(host, "any", &first)).ok()["outcome"], "committed");
}

#[test]
fn no_other_registry_is_asked() {
    let Some(registry) = DockerRegistry::start() else { return };
    let foreign = DockerRegistry::start().unwrap();
    let digest = Pushing::to(foreign.host()).image("team/web", "v1", "content");
    let remote = Remote::new();
    let known = format!("host = {:?}", registry.host());
    let service = verifying(&remote, "verify_images = \"exists\"", &known);
    let why = announce(&service, 1, &announcement(foreign.host(), "v1", &digest)).refused(422);
    assert!(why.contains("is not one of the service's") && why.contains(registry.host()), "{why}");
}

#[test]
fn a_registry_that_is_away_promises_nothing() {
    let Some(registry) = DockerRegistry::start() else { return };
    let host = registry.host().to_owned();
    let pushing = Pushing::to(&host);
    let (first, second) =
        (pushing.image("team/web", "v1", "first"), pushing.image("team/web", "v2", "second"));
    let remote = Remote::new();
    let service = verifying(&remote, "verify_images = \"tag-matches\"", &format!("host = {host:?}"));
    let accepted = announcement(&host, "v1", &first);
    let intent = announce(&service, 1, &accepted).ok()["intent"].clone();
    drop(registry);
    let refs = remote.refs();
    let reply = announce(&service, 2, &announcement(&host, "v2", &second));
    assert!(reply.retry_after.is_some(), "{reply:?}");
    let why = reply.refused(503);
    assert!(why.contains(&host) && why.contains("nothing was accepted"), "{why}");
    assert_eq!(remote.refs(), refs, "nothing was written");
    let again = announce(&service, 1, &accepted).ok();
    assert_eq!((&again["outcome"], &again["intent"]), (&json!("duplicate"), &intent));
}

/// Starts a registry that asks for a login, and writes a file that holds one.
fn closed(directory: &Path, auth: &str) -> Option<DockerRegistry> {
    let htpasswd = directory.join("htpasswd");
    std::fs::write(&htpasswd, HTPASSWD).unwrap();
    let registry = DockerRegistry::demanding(&Demands::default().htpasswd(htpasswd))?;
    let logins = format!(r#"{{"auths":{{"{}":{{"auth":"{auth}"}}}}}}"#, registry.host());
    std::fs::write(directory.join("logins.json"), logins).unwrap();
    Some(registry)
}

#[test]
fn a_login_that_will_not_do_is_explained_and_none_is_shown() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("logins.json");
    // "me:wrong", until the file is mended.
    let Some(registry) = closed(directory.path(), "bWU6d3Jvbmc=") else { return };
    let host = registry.host();
    let remote = Remote::new();
    let entry = format!("host = {host:?}\nauth_file = {:?}", file.display().to_string());
    let service = verifying(&remote, "verify_images = \"exists\"", &entry);
    let refs = remote.refs();
    let reply = announce(&service, 1, &announcement(host, "v1", &ImageDigest::of(b"x")));
    assert_eq!(reply.retry_after, Some(60), "{reply:?}");
    let why = reply.refused(503);
    assert!(why.contains("doesn't let this service see") && why.contains("auth_file"), "{why}");
    assert_eq!(remote.refs(), refs, "nothing was written");

    std::fs::write(&file, format!(r#"{{"auths":{{"{host}":{{"auth":"{AUTH}"}}}}}}"#)).unwrap();
    let settings = RegistrySettings::anonymous().with_auth_file(&file);
    let digest = Pushing::by(RegistryClient::new(settings), host).image("team/web", "v1", "content");
    assert_eq!(announce(&service, 1, &announcement(host, "v1", &digest)).ok()["outcome"], "committed");
    let log = service.stop();
    assert!(!log.contains("canary") && !log.contains(AUTH) && log.contains("are not accepted"), "{log}");
}

#[test]
fn check_config_asks_each_registry() {
    let directory = tempfile::tempdir().unwrap();
    let Some(registry) = closed(directory.path(), AUTH) else { return };
    let host = registry.host().to_owned();
    let remote = Remote::new();
    let check = |registry: &str| {
        let config = format!(
            "[server]\nauth = \"none\"\n[[registry]]\n{registry}\n[[repo]]\nname = \"a\"\nurl = {:?}\n[repo.forge]\nkind = \"local\"\n\
             [repo.checks]\nrequired = [\"ci\"]\n[[repo.image_set]]\nname = \"app\"\nverify_images = \"exists\"\n\
             [[repo.wave]]\nname = \"w\"\ntargets = [\"t\"]\n",
            remote.url()
        );
        let file = directory.path().join("c.toml");
        std::fs::write(&file, config).unwrap();
        let output = Command::new(binary()).args(["check-config", "--config"]).arg(file).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, said) = check(&format!("host = {host:?}\nauth_file = \"logins.json\""));
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = check(&format!("host = {host:?}"));
    assert!(
        code == Some(0) && said.contains("warning: server: registry") && said.contains("auth_file"),
        "{said}"
    );
    let (code, said) = check(&format!("host = {host:?}\nauth_file = \"none.json\""));
    assert!(code == Some(1) && said.contains("none.json"), "{said}");
    drop(registry);
    let (code, said) = check(&format!("host = {host:?}"));
    assert!(code == Some(1) && said.contains(&format!("registry {host} can't be used")), "{said}");
}
