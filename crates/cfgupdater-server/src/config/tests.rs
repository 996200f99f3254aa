//! The file of the documentation, and every mistake with its line.

use super::*;
use cfgupdater::core::{Landing, Mode};

/// The file of the documentation, word by word.
const DOCUMENTED: &str = r#"[server]
listen = "127.0.0.1:8080"
data_dir = "cfgupdater-data"
[[server.token]]
name = "app-ci"
env = "APP_CI_TOKEN"
scopes = ["announce:app"]

[[repo]]
name = "cfg-app"
url = "file:///srv/git/cfg-app.git"
[repo.forge]
kind = "local"
[repo.checks]
required = ["ci"]
[[repo.image_set]]
name = "app"
[[repo.wave]]
name = "staging"
targets = ["staging-1", "staging-2"]
[[repo.wave]]
name = "internal"
targets = ["internal-1"]
[[repo.wave]]
name = "production"
targets = ["prod-1", { name = "prod-2", sets = ["app"] }]
soak = "30m"
approval = true
freeze = ["Fri 16:00 - Mon 08:00 Europe/Berlin"]
"#;

fn mistakes(text: &str) -> Vec<String> {
    match Config::parse(text, "c.toml") {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_documented_file_becomes_a_policy() {
    let config = Config::parse(DOCUMENTED, "c.toml").unwrap();
    let policy = config.file.repo[0].policy("main".parse().unwrap());
    assert_eq!(policy.stable.as_str(), "main");
    assert_eq!((policy.landing, policy.mode), (Landing::Tip, Mode::Act));
    let production = &policy.waves[2];
    assert!(production.approval && production.soak.as_secs() == 1800 && production.freeze.len() == 1);
    assert_eq!(production.targets[1].sets.len(), 1);
    assert_eq!(policy.required.unwrap().checks.len(), 1);
}

#[test]
fn an_empty_set_of_checks_may_be_allowed_without_naming_any() {
    let text = DOCUMENTED.replace("required = [\"ci\"]", "allow_empty_required = true");
    let policy = Config::parse(&text, "c.toml").unwrap().file.repo[0].policy("main".parse().unwrap());
    assert_eq!(policy.required, None, "what the forge requires still counts");
    assert!(policy.required_with(None).allow_empty);
}

#[test]
fn every_documented_key_is_known() {
    let text = DOCUMENTED
        .replace(
            "[repo.forge]",
            "stable = \"master\"\nauto = \"auto\"\nstate = \"cfgupdater/state\"\nlanding = \"every-commit\"\nresync = \"5m\"\n\
             mode = \"observe\"\ngeneration = 3\nforeign = \"park\"\nbatch_window = \"250ms\"\n[repo.git]\n\
             ssh_key_file = \"k\"\nknown_hosts_file = \"h\"\ntoken_file = \"t\"\nca_file = \"c\"\n[repo.commit]\n\
             name = \"n\"\nemail = \"e\"\n[repo.forge]",
        )
        .replace("required = [\"ci\"]", "required = [\"ci\"]\nnot_started_timeout = \"30m\"\nrunning_timeout = \"2h\"")
        .replace("name = \"app\"\n", "name = \"app\"\npath = \"images/{wave}\"\nwaves = [\"staging\"]\nverify_images = \"tag-matches\"\n")
        + "[[registry]]\nhost = \"r.example.com:5000\"\nauth_file = \"a\"\nca_file = \"c\"\nplain_http = false\n";
    assert_eq!(mistakes(&text), Vec::<String>::new());
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() {
    let found = mistakes(&DOCUMENTED.replace("required =", "requird ="));
    assert!(found[0].starts_with("c.toml:15: unknown key `requird`, did you mean `required`?"), "{found:?}");
}

#[test]
fn each_mistake_has_its_line() {
    let cases = [
        ("targets = [\"internal-1\"]", "targets = []", "c.toml:23: wave `internal` has no targets"),
        ("name = \"internal\"", "name = \"staging\"", "c.toml:22: wave `staging` is configured twice"),
        ("[\"staging-1\", \"staging-2\"]", "[\"a\", \"a\"]", "c.toml:20: target `a` is named twice"),
        ("announce:app", "announce:a/b", "c.toml:7: `a/b` is not a valid image set name"),
        ("env = \"APP_CI_TOKEN\"\n", "", "c.toml:5: token `app-ci` has neither env nor file"),
        (
            "kind = \"local\"",
            "kind = \"gitea\"",
            "c.toml:13: there is no forge of kind \"gitea\"; this service knows local",
        ),
        ("kind = \"local\"", "kind = \"local\"\napp_id = 3", "c.toml:14: `app_id` means nothing to kind"),
        (
            "kind = \"local\"",
            "kind = \"local\"\nrequire_pipeline = true",
            "c.toml:14: `require_pipeline` means nothing to kind",
        ),
        ("sets = [\"app\"]", "sets = [\"web\"]", "names image set `web`, which is not configured"),
        (
            "127.0.0.1:8080\"",
            "0.0.0.0:80\"\nauth = \"none\"",
            "c.toml:2: auth = \"none\" is allowed on a loopback",
        ),
        ("file:///srv", "https://me:secret@host/srv", "c.toml:11:"),
        ("Europe/Berlin", "Mars/Base", "not a freeze window"),
        ("\"30m\"", "\"30\"", "is not a duration"),
        (
            "name = \"app\"\n",
            "name = \"app\"\nverify_images = \"exists\"\n",
            "c.toml:18: verify_images asks the registries that are configured, and there is none",
        ),
        (
            "[[repo]]",
            "[[registry]]\nhost = \"r.example.com/a\"\n[[repo]]",
            "c.toml:10: `r.example.com/a` is not a registry's host",
        ),
        ("[[repo]]", "[[registry]]\nhost = \"example\"\n[[repo]]", "`example` is not a registry's host"),
        (
            "[[repo]]",
            "[[registry]]\nhost = \"r.example.com\"\nca_file = \"c\"\nplain_http = true\n[[repo]]",
            "c.toml:11: ca_file is for TLS",
        ),
        (
            "[[repo]]",
            "[[registry]]\nhost = \"r.io\"\n[[registry]]\nhost = \"r.io\"\n[[repo]]",
            "c.toml:12: registry `r.io` is configured twice",
        ),
        ("[repo.forge]", "foreign = \"carry\"\n[repo.forge]", "foreign = \"carry\" is not available"),
        (
            "[repo.forge]",
            "[repo.commit]\nname = \"A <a>\"\n[repo.forge]",
            "c.toml:13: [repo.commit]: can't write",
        ),
        ("[repo.forge]", "[repo.commit]\nemail = \"a\\nb\"\n[repo.forge]", "hold no control characters"),
        (
            "[repo.forge]",
            "[repo.commit]\nssh_signing_key_file = \"/nowhere\"\n[repo.forge]",
            "c.toml:13: [repo.commit]: the key that signs commits can't be read: /nowhere",
        ),
        ("name = \"cfg-app\"", "name = \"../x\"", "is not a valid repository name"),
        (
            "[repo.forge]",
            "stable = \"master\"\nauto = \"master\"\n[repo.forge]",
            "c.toml:10: the branches `stable` and `auto` are both master",
        ),
        ("[repo.forge]", "probe = \"auto\"\n[repo.forge]", "the branches `auto` and `probe` are both auto"),
        ("[repo.forge]", "auto = \"cfgupdater\"\n[repo.forge]", "in the way of cfgupdater/parked"),
    ];
    for (good, bad, wanted) in cases {
        let text = DOCUMENTED.replacen(good, bad, 1);
        assert_ne!(text, DOCUMENTED, "{good}");
        let found = mistakes(&text);
        assert!(found.iter().any(|error| error.contains(wanted)), "{wanted}: {found:?}");
        assert!(!found.iter().any(|error| error.contains("secret")), "{found:?}");
    }
}

#[test]
#[cfg(feature = "gitlab")]
fn a_project_on_gitlab_is_configured_as_documented() {
    let keys = "kind = \"gitlab\"\ntoken_file = \"t\"\nwebhook_secret_env = \"W\"\nca_file = \"ca\"\n\
                project = 4711\napi_url = \"https://gl.example/git/api/v4\"\npushes_per_minute = 6\n\
                require_pipeline = true";
    assert_eq!(mistakes(&DOCUMENTED.replace("kind = \"local\"", keys)), [""; 0]);
    let found = mistakes(&DOCUMENTED.replace("kind = \"local\"", "kind = \"gitlab\"\napp_id = 3"));
    let says = |wanted: &str| found.iter().any(|error| error.contains(wanted));
    assert!(says("`app_id` means nothing to kind = \"gitlab\""), "{found:?}");
    assert!(says("access token by token_file"), "{found:?}");
}

#[test]
fn all_mistakes_are_found_at_once() {
    let text = DOCUMENTED.replace("[\"internal-1\"]", "[]").replace("kind = \"local\"", "kind = \"gitea\"");
    assert_eq!(mistakes(&text).len(), 2);
}

#[test]
fn two_sets_may_not_write_the_same_files() {
    let text = DOCUMENTED.replace(
        "[[repo.image_set]]\nname = \"app\"",
        "[[repo.image_set]]\nname = \"app\"\n[[repo.image_set]]\nname = \"web\"",
    );
    assert!(mistakes(&text)[0].contains("image sets `app` and `web` have the same path"));
}

#[test]
fn a_release_file_is_in_nobodys_way() {
    let with =
        |keys: &str| mistakes(&DOCUMENTED.replace("name = \"app\"", &format!("name = \"app\"\n{keys}")));
    assert!(with("release_file = \"release\"").is_empty());
    for (keys, says) in [
        ("release_file = \"../x\"", "can't name a release file"),
        ("release_file = \"tags.json\"", "is in the way of images/staging/tags.json"),
        (
            "release_file = \"web\"\n[[repo.image_set]]\nname = \"web\"\npath = \"images/{wave}/web\"",
            "is in the way of images/staging/web/tags.json",
        ),
    ] {
        let found = with(keys);
        assert!(found.len() == 1 && found[0].contains(says), "{keys}: {found:?}");
    }
}

#[test]
fn what_rendering_would_remove_or_never_take_is_refused() {
    let with = |set: &str, render: &str| {
        let text = DOCUMENTED.replace("name = \"app\"", &format!("name = \"app\"\n{set}"));
        mistakes(&text.replacen("[[repo.image_set]]", &format!("{render}\n[[repo.image_set]]"), 1))
    };
    let make = "[repo.render]\nkind = \"command\"\n";
    assert!(with("release_file = \"release\"", make).is_empty());
    let everything = format!("{make}generated = [\"generated/**\", \"images/*/release\"]");
    assert!(with("release_file = \"release.txt\"", &everything).is_empty());
    let found = with("release_file = \"release\"", &everything);
    assert!(found.len() == 1, "{found:?}");
    assert!(
        found[0].contains("c.toml:21: the release file images/staging/release lies under a generated path"),
        "{found:?}"
    );
    let found = with("path = \"generated/images/{wave}\"", make);
    assert!(
        found[0].contains("generated/images/staging/tags.json holds images and can't be generated too"),
        "{found:?}"
    );
    let jsonnet = |directory: &str| {
        format!(
            "[repo.render]\nkind = \"jsonnet\"\n[[repo.render.entry]]\nfile = \"e/{{wave}}.jsonnet\"\ndirectory = \"{directory}\""
        )
    };
    assert!(with("", &jsonnet("generated/{wave}")).is_empty());
    let found = with("", &jsonnet("out/{wave}"));
    assert!(found.len() == 1 && found[0].contains("out/staging is under no generated path"), "{found:?}");
    let two = |directory: &str| {
        format!(
            "{}\n[[repo.render.entry]]\nfile = \"more.jsonnet\"\ndirectory = \"{directory}\"",
            jsonnet("generated/{wave}")
        )
    };
    for overlapping in ["generated/staging", "generated/staging/more", "generated"] {
        let found = with("", &two(overlapping));
        assert!(found.len() == 1 && found[0].contains("would remove each other's files"), "{found:?}");
    }
    assert!(with("", &two("generated/staging-more")).is_empty());
    let found = with("", "[repo.render]\nkind = \"command\"\nreadable = [\"tools\"]");
    assert!(found[0].contains("tools must be an absolute path"), "{found:?}");
}
