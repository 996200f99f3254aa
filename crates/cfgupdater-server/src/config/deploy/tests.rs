use super::super::Config;

const BASE: &str = r#"[server]
[[repo]]
name = "cfg-app"
url = "file:///srv/git/cfg-app.git"
[repo.forge]
kind = "local"
[[repo.image_set]]
name = "app"
[[repo.wave]]
name = "staging"
targets = ["staging-1", "staging-2"]
[[repo.wave]]
name = "production"
targets = ["prod-1"]
"#;

fn said(sections: &str) -> String {
    match Config::parse(&format!("{BASE}{sections}"), "c.toml") {
        Ok(_) => String::new(),
        Err(errors) => errors.to_string(),
    }
}

const ARGO_CD: &str = r#"[[repo.deploy]]
name = "argocd"
kind = "argocd"
[[repo.deploy.map]]
application = "cfg-{wave}-{target}"
namespace = "argocd"
[repo.deploy.pull]
api = "argocd"
url = "https://argocd.example.com"
token_file = "argocd-token"
ca_file = "ca.pem"
interval = "30s"
per_minute = 30
"#;

const FLUX: &str = r#"[[repo.deploy]]
name = "flux"
kind = "flux"
secret_file = "flux-hmac"
[[repo.deploy.map]]
kustomization = "apps"
metadata = { cluster = "{target}" }
"#;

/// Limits a section to one wave.
fn beside(section: &str, wave: &str) -> String {
    section.replace("[[repo.deploy.map]]\n", &format!("[[repo.deploy.map]]\nwave = \"{wave}\"\n"))
}

#[test]
fn both_tools_can_be_configured_together() {
    let (staging, production) = (beside(ARGO_CD, "staging"), beside(FLUX, "production"));
    assert_eq!(said(&format!("{staging}{production}")), "");
    let both = said(&format!("{ARGO_CD}{FLUX}"));
    assert!(
        both.contains("and so does application `cfg-staging-staging-1` of an earlier deploy tool"),
        "{both}"
    );
    let in_cluster = ARGO_CD
        .replace("api = \"argocd\"\nurl = \"https://argocd.example.com\"\ntoken_file = \"argocd-token\"\nca_file = \"ca.pem\"", "api = \"kubernetes\"");
    assert_eq!(said(&in_cluster), "");
}

#[test]
fn mistakes_are_named_with_their_line() {
    for (section, from, to, says) in [
        (
            ARGO_CD,
            "cfg-{wave}-{target}",
            "cfg-{wave}",
            "c.toml:18: application `cfg-staging` can be staging/staging-1",
        ),
        (ARGO_CD, "cfg-{wave}-{target}", "cfg-{cluster}", "brace"),
        (ARGO_CD, "namespace = \"argocd\"", "wave = \"nowhere\"", "wave `nowhere` is not configured"),
        (ARGO_CD, "namespace = \"argocd\"", "target = \"mars\"", "target `mars`"),
        (ARGO_CD, "namespace = \"argocd\"", "set = \"db\"", "image set `db`"),
        (ARGO_CD, "cfg-{wave}-{target}", "*-{target}", "may be several senders"),
        (ARGO_CD, "\nnamespace = \"argocd\"", "\nseveral = true", "contradict each other"),
        (ARGO_CD, "application =", "kustomization =", "belongs to a section of kind = \"flux\""),
        (ARGO_CD, "kind = \"argocd\"", "kind = \"argocd\"\nsecret_file = \"x\"", "Argo CD can't sign"),
        (ARGO_CD, "https://", "http://", "must be https"),
        (ARGO_CD, "url = \"https://argocd.example.com\"\n", "", "name the url"),
        (ARGO_CD, "interval = \"30s\"", "interval = \"1ms\"", "interval must be"),
        (ARGO_CD, "per_minute", "per_minuet", "did you mean `per_minute`"),
        (FLUX, "secret_file = \"flux-hmac\"\n", "", "has neither secret_file"),
        (FLUX, "metadata = { cluster = \"{target}\" }\n", "", "can be staging/staging-1 as well as"),
        (FLUX, "kustomization = \"apps\"\n", "", "exactly one of"),
        (
            FLUX,
            "[[repo.deploy.map]]\nkustomization = \"apps\"\nmetadata = { cluster = \"{target}\" }\n",
            "",
            "speaks for no target",
        ),
        (
            FLUX,
            "\"{target}\" }",
            "\"{target}\" }\n[repo.deploy.pull]\napi = \"kubernetes\"",
            "needs a namespace",
        ),
        (
            FLUX,
            "\"{target}\" }",
            "\"{target}\" }\nnamespace = \"x\"\n[repo.deploy.pull]\napi = \"kubernetes\"",
            "would be asked about",
        ),
    ] {
        assert!(section.contains(from), "{from}");
        let found = said(&section.replace(from, to));
        assert!(found.contains(says), "{to}: {found:?}");
    }
}

#[test]
fn an_application_means_one_target_in_all_sections() {
    let other =
        ARGO_CD.replace("name = \"argocd\"\nkind", "name = \"other\"\nkind").replace("{target}", "*{target}");
    let other =
        other[..other.find("[repo.deploy.pull]").unwrap()].replace("namespace", "several = true\nnamespace");
    assert!(said(&format!("{ARGO_CD}{other}")).contains("overlaps with"), "{other}");
    assert!(said(&format!("{ARGO_CD}{ARGO_CD}")).contains("configured twice"));
}

#[test]
fn whoever_signs_with_one_secret_is_one_installation_of_flux() {
    let other = FLUX.replace("\"flux\"\nkind", "\"flux-2\"\nkind");
    let (staging, production) = (beside(FLUX, "staging"), beside(&other, "production"));
    assert_eq!(said(&format!("{staging}{production}")), "");
    let apart =
        |metadata: &str| said(&format!("{staging}{}", production.replace(metadata, "target = \"prod-1\"")));
    let found = apart("metadata = { cluster = \"{target}\" }");
    assert!(found.contains("overlaps with `apps` of an earlier rule for staging/staging-1"), "{found}");
    let fixed = production.replace("metadata = { cluster = \"{target}\" }", "target = \"prod-1\"");
    assert_eq!(said(&format!("{staging}{}", fixed.replace("flux-hmac", "other-hmac"))), "");
    assert!(said(&format!("{FLUX}{other}")).contains("and so does"));
}
