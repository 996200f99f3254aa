//! `examples/argocd`, `examples/flux` and the same parts of `examples/cfg-app` say what works: their files are read, rendered,
//! run and posted.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cfgupdater::core::Claim;
use cfgupdater_deployers::{SenderKind, flux, sign};
use cfgupdater_testkit::can_run;
use cfgupdater_tests::{Options, Remote, Service, application, check_config};
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

use crate::deploy_hooks::{introduce, promoted};

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples").join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(example(path)).unwrap()
}

/// Reads every document of a file.
fn documents(path: &str) -> Vec<Value> {
    let text = text(path);
    Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}")).iter().map(to_json).collect()
}

pub(crate) fn document(path: &str, kind: &str) -> Value {
    let found = documents(path).into_iter().find(|document| document["kind"] == kind);
    found.unwrap_or_else(|| panic!("{path} holds no {kind}"))
}

pub(crate) fn to_json(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Boolean(value)) => (*value).into(),
        Yaml::Value(Scalar::Integer(value)) => (*value).into(),
        Yaml::Value(Scalar::String(value)) => value.as_ref().into(),
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Sequence(items) => items.iter().map(to_json).collect(),
        Yaml::Mapping(entries) => {
            let entry =
                |(key, value): (&Yaml<'_>, &Yaml<'_>)| (key.as_str().unwrap().to_owned(), to_json(value));
            Value::Object(entries.iter().map(entry).collect::<Map<_, _>>())
        }
        other => panic!("{other:?}"),
    }
}

/// Returns the values of a key in a TOML file, wherever it stands.
fn quoted_after(text: &str, key: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix(key)?.trim().strip_prefix('='));
    lines.flat_map(|rest| rest.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Returns the sections from the first `[[repo.deploy]]` on, without what would be asked: nobody is there.
fn deploy_sections(config: &str) -> String {
    let sections = &config[config.find("\n[[repo.deploy]]").unwrap()..];
    let mut kept = String::new();
    let mut pull = false;
    for line in sections.lines() {
        pull = line == "[repo.deploy.pull]" || pull && !line.starts_with('[');
        if !pull {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Runs kubectl, which has Go's templates and kustomize; `None` where it isn't installed.
fn kubectl(arguments: &[&str], input: &str) -> Option<String> {
    use std::io::Write;
    if !can_run(&["kubectl"]) {
        return None;
    }
    let mut child = Command::new("kubectl")
        .args(arguments)
        .env("KUBECONFIG", "/nonexistent")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Renders the template that is shipped, with Go's own engine, as Argo CD does.
fn rendered(application: &Value) -> Option<String> {
    let config = document("argocd/notifications.yaml", "ConfigMap");
    let template = config["data"]["template.cfgupdater"].as_str().unwrap();
    let Yaml::Mapping(_) = &Yaml::load_from_str(template).unwrap()[0] else { panic!("{template}") };
    let webhook = &to_json(&Yaml::load_from_str(template).unwrap()[0])["webhook"]["cfgupdater"];
    assert_eq!(
        (&webhook["method"], &webhook["path"]),
        (&"POST".into(), &"/v1/repos/cfg-app/hooks/argocd".into())
    );
    let root = json!({"apiVersion": "example.com/v1", "kind": "Notified", "metadata": {"name": "x"}, "app": application});
    let template = format!("go-template={}", webhook["body"].as_str().unwrap());
    kubectl(&["label", "--local", "-f", "-", "a=b", "-o", &template], &root.to_string())
}

#[test]
fn the_template_that_is_shipped_tells_what_applications_run() {
    let remote = Remote::new();
    let deploy = deploy_sections(&text("argocd/cfgupdater.toml")).replace(
        "kind = \"argocd\"",
        "kind = \"argocd\"\nsource_url = \"https://git.example.com/acme/cfg-app.git\"",
    );
    let service = Service::with(&remote, &Options { deploy, ..Options::default() });
    let sha = introduce(&remote, &service, 1);
    let tell = |application: &Value| {
        let body = rendered(application)?;
        assert!(serde_json::from_str::<Value>(&body).is_ok(), "{body}");
        Some(service.server().post_bytes("/v1/repos/cfg-app/hooks/argocd", body.as_bytes()).ok())
    };
    let named = |target: &str| format!("cfg-app-staging-{target}");
    let running = application(&named("staging-1"), &sha, "Running", "Progressing");
    let Some(told) = tell(&running) else { return };
    assert_eq!(told["recorded"], false, "{told}");
    // An application that was never synchronised, as bare as it gets.
    let bare = json!({"metadata": {"name": named("staging-1"), "namespace": "argocd"},
        "status": {"health": {"status": "Missing"}, "sync": {"status": "OutOfSync"}}});
    assert_eq!(tell(&bare).unwrap()["recorded"], false);
    let told = tell(&application(&named("staging-1"), &sha, "Succeeded", "Healthy")).unwrap();
    assert_eq!(told["recorded"], true, "{told}");
    // Several sources, and a synchronisation of some resources that left the whole in sync.
    let mut several = application(&named("staging-2"), "", "Succeeded", "Healthy");
    let revisions = json!(["1.2.3", sha]);
    several["status"]["operationState"]["syncResult"] = json!({"revision": "", "revisions": revisions,
        "sources": [{"repoURL": "https://charts.example.com"}, {"repoURL": "git@git.example.com:acme/cfg-app.git"}]});
    several["status"]["operationState"]["operation"]["sync"]["resources"] =
        json!([{"kind": "Deployment"}, {"kind": "Job"}]);
    several["status"]["sync"] = json!({"status": "OutOfSync", "revisions": revisions});
    assert_eq!(tell(&several).unwrap()["recorded"], false, "a part");
    several["status"]["sync"]["status"] = "Synced".into();
    let told = tell(&several).unwrap();
    assert_eq!(promoted(&told), 1, "{told}");
    // Hostile names stay inside their quotes.
    let hostile = application("x\"}, \"status\": {\"a\": \"\u{1f}\\", &sha, "Succeeded", "Healthy");
    if let Some(body) = rendered(&hostile) {
        let reply = service.server().post_bytes("/v1/repos/cfg-app/hooks/argocd", body.as_bytes());
        assert!(reply.status == 422 || reply.body["recorded"] == false, "{reply:?}");
    }
}

#[test]
fn every_application_of_the_set_is_mapped_and_subscribed() {
    let set = document("argocd/applicationset.yaml", "ApplicationSet");
    let (spec, config) = (&set["spec"], text("argocd/cfgupdater.toml"));
    let template = &spec["template"]["metadata"];
    let elements = spec["generators"][0]["list"]["elements"].as_array().unwrap();
    let fill = |text: &str, element: &Value| {
        text.replace("{{.wave}}", element["wave"].as_str().unwrap())
            .replace("{{.target}}", element["target"].as_str().unwrap())
    };
    let pattern = quoted_after(&config, "application").remove(0);
    for element in elements {
        let name = fill(template["name"].as_str().unwrap(), element);
        let wanted = pattern
            .replace("{wave}", element["wave"].as_str().unwrap())
            .replace("{target}", element["target"].as_str().unwrap());
        assert_eq!(name, wanted);
        let path = fill(spec["template"]["spec"]["source"]["path"].as_str().unwrap(), element);
        assert_eq!(path, format!("clusters/{}", element["target"].as_str().unwrap()));
        assert!(example(&format!("argocd/config/{path}/kustomization.yaml")).is_file(), "{path}");
    }
    let targets: Vec<&str> = elements.iter().map(|element| element["target"].as_str().unwrap()).collect();
    assert_eq!(quoted_after(&config, "targets"), targets);
    assert_eq!(quoted_after(&config, "namespace"), [set["metadata"]["namespace"].as_str().unwrap()]);
    assert_eq!(
        quoted_after(&config, "url")[0],
        spec["template"]["spec"]["source"]["repoURL"].as_str().unwrap()
    );

    let notifications = document("argocd/notifications.yaml", "ConfigMap");
    for annotation in template["annotations"].as_object().unwrap().keys() {
        let rest = annotation.strip_prefix("notifications.argoproj.io/subscribe.").unwrap();
        let (trigger, service) = rest.split_once('.').unwrap();
        assert!(notifications["data"][format!("service.webhook.{service}")].is_string(), "{annotation}");
        let trigger = notifications["data"][format!("trigger.{trigger}")].as_str().unwrap();
        let conditions = to_json(&Yaml::load_from_str(trigger).unwrap()[0]);
        assert!(conditions.as_array().unwrap().iter().all(|known| known["send"] == json!(["cfgupdater"])));
        // The revision that is compared with moves with every commit of the repository.
        assert!(!trigger.contains("status.sync.revision"), "{trigger}");
    }
}

#[test]
fn the_job_reports_the_release_beside_the_images() {
    let remote = Remote::new();
    let options = Options { image_set: "release_file = \"release\"", ..Options::default() };
    let service = Service::with(&remote, &options);
    let sha = introduce(&remote, &service, 1);
    let job = document("argocd/config/report/job.yaml", "Job");
    assert_eq!(job["metadata"]["annotations"]["argocd.argoproj.io/hook"], "PostSync");
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    if !can_run(&["curl"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let (release, header) = (directory.path().join("release"), directory.path().join("authorization"));
    std::fs::write(&release, format!("{}\n", remote.file(&sha, "images/staging/release").unwrap())).unwrap();
    std::fs::write(&header, "Authorization: Bearer token-report\n").unwrap();
    let run = |target: &str, header: &Path| {
        let command: Vec<&str> =
            container["command"].as_array().unwrap().iter().map(|w| w.as_str().unwrap()).collect();
        let script = container["args"][0].as_str().unwrap().replace("--retry 5", "--retry 0");
        let known =
            |name: &str| container["env"].as_array().unwrap().iter().any(|variable| variable["name"] == name);
        assert!(["SERVICE", "RELEASE_FILE", "HEADER_FILE"].into_iter().all(known));
        Command::new(command[0])
            .args(&command[1..])
            .arg(script)
            .env("SERVICE", service.server().base())
            .env("RELEASE_FILE", &release)
            .env("HEADER_FILE", header)
            .env("WAVE", "staging")
            .env("TARGET", target)
            .output()
            .unwrap()
    };
    let reported = run("staging-1", &header);
    let answer = String::from_utf8_lossy(&reported.stdout).into_owned();
    assert!(reported.status.success() && answer.contains("\"recorded\":true"), "{reported:?}");
    // Kubernetes repeats what fails: a token for another target, and a service that refuses.
    assert!(!run("staging-2", &header).status.success());
    std::fs::write(&header, "Authorization: Bearer nobody\n").unwrap();
    assert!(!run("staging-1", &header).status.success());
    std::fs::write(&header, "Authorization: Bearer token-all\n").unwrap();
    let second = run("staging-2", &header);
    let answer: Value = serde_json::from_slice(&second.stdout).unwrap();
    assert_eq!(promoted(&answer), 1, "{second:?}");
}

#[test]
fn kustomize_mounts_the_release_file_into_the_job() {
    let directory = tempfile::tempdir().unwrap();
    let copied =
        Command::new("cp").arg("-r").arg(example("argocd/config")).arg(directory.path()).status().unwrap();
    assert!(copied.success());
    let root = directory.path().join("config");
    let release = "ab".repeat(32);
    for wave in ["staging", "production"] {
        std::fs::write(root.join("images").join(wave).join("release"), format!("{release}\n")).unwrap();
    }
    for (wave, target) in [
        ("staging", "staging-1"),
        ("staging", "staging-2"),
        ("production", "prod-1"),
        ("production", "prod-2"),
    ] {
        let place = root.join("clusters").join(target);
        let Some(built) = kubectl(&["kustomize", place.to_str().unwrap()], "") else { return };
        let built: Vec<Value> = Yaml::load_from_str(&built).unwrap().iter().map(to_json).collect();
        let find = |kind: &str, prefix: &str| {
            let fits = |document: &&Value| {
                let name = document["metadata"]["name"].as_str().unwrap_or_default();
                document["kind"] == kind && name.starts_with(prefix)
            };
            built.iter().find(fits).cloned().unwrap_or_else(|| panic!("{kind} {prefix}: {built:?}"))
        };
        let (job, map) = (find("Job", "cfgupdater-report"), find("ConfigMap", "cfgupdater-release"));
        assert_eq!(map["data"]["release"].as_str().unwrap().trim(), release);
        let pod = &job["spec"]["template"]["spec"];
        assert_eq!(pod["volumes"][0]["configMap"]["name"], map["metadata"]["name"]);
        let place = find("ConfigMap", "cfgupdater-place");
        assert_eq!(pod["containers"][0]["envFrom"][0]["configMapRef"]["name"], place["metadata"]["name"]);
        assert_eq!((&place["data"]["WAVE"], &place["data"]["TARGET"]), (&wave.into(), &target.into()));
    }
}

#[test]
fn events_of_the_alert_come_from_who_is_mapped() {
    let (remote, directory) = (Remote::new(), tempfile::tempdir().unwrap());
    for (file, secret) in [("flux-staging-1-hmac", "one\n"), ("flux-prod-1-hmac", "two\n")] {
        std::fs::write(directory.path().join(file), secret).unwrap();
    }
    let config = text("flux/cfgupdater.toml");
    let place = format!("secret_file = \"{}/", directory.path().display());
    let deploy = deploy_sections(&config).replace("secret_file = \"", &place);
    let waves: cfgupdater_tests::Waves = &[("staging", &["staging-1"]), ("production", &["prod-1"])];
    let service = Service::with(&remote, &Options { deploy, waves, ..Options::default() });
    let sha = introduce(&remote, &service, 1);

    let path = "flux/clusters/staging-1/notifications.yaml";
    let (provider, alert) = (document(path, "Provider"), document(path, "Alert"));
    assert_eq!(provider["spec"]["type"], "generic-hmac");
    let secret = document(path, "Secret");
    assert_eq!(provider["spec"]["secretRef"]["name"], secret["metadata"]["name"]);
    assert!(secret["stringData"]["token"].is_string());
    assert_eq!(alert["spec"]["providerRef"]["name"], provider["metadata"]["name"]);
    let address = provider["spec"]["address"].as_str().unwrap();
    let hook = &address[address.find("/v1/").unwrap()..];

    let kustomization = document("flux/clusters/staging-1/apps.yaml", "Kustomization");
    assert_eq!(kustomization["spec"]["wait"], true, "success must speak of health");
    let source = &alert["spec"]["eventSources"][0];
    assert_eq!(
        (&source["kind"], &source["name"]),
        (&kustomization["kind"], &kustomization["metadata"]["name"])
    );
    let role = document("flux/clusters/staging-1/read-access.yaml", "Role");
    assert_eq!(role["rules"][0]["resourceNames"], json!([source["name"]]));

    let mut metadata = alert["spec"]["eventMetadata"].clone();
    metadata["revision"] = format!("master@sha1:{sha}").into();
    metadata["commit_status"] = "update".into();
    let event = json!({
        "involvedObject": {"apiVersion": kustomization["apiVersion"], "kind": kustomization["kind"],
            "name": kustomization["metadata"]["name"], "namespace": kustomization["metadata"]["namespace"]},
        "severity": "info", "reason": "ReconciliationSucceeded", "timestamp": "2026-01-05T10:00:00Z", "message": "",
        "metadata": metadata
    });
    let post = |event: &Value, secret: &str| {
        let signature = sign(event.to_string().as_bytes(), secret).unwrap();
        service.server().post_signed(hook, event.to_string().as_bytes(), ("X-Signature", &signature)).ok()
    };
    assert_eq!(post(&event, "two")["recorded"], false, "another cluster's secret");
    assert_eq!(promoted(&post(&event, "one")), 1);
}

#[test]
fn the_chart_of_the_example_names_its_release_and_its_cluster() {
    let release = document("flux/clusters/prod-1/app.yaml", "HelmRelease");
    let annotations = &release["metadata"]["annotations"];
    assert_eq!(annotations["event.toolkit.fluxcd.io/cluster"], "prod-1");
    let config = text("flux/cfgupdater.toml");
    assert_eq!(quoted_after(&config, "helm_release"), [release["metadata"]["name"].as_str().unwrap()]);
    // The alert hears of this chart, and its provider signs.
    let path = "flux/clusters/prod-1/notifications.yaml";
    let (provider, alert) = (document(path, "Provider"), document(path, "Alert"));
    assert_eq!(provider["spec"]["type"], "generic-hmac");
    assert_eq!(provider["spec"]["secretRef"]["name"], document(path, "Secret")["metadata"]["name"]);
    assert_eq!(alert["spec"]["providerRef"]["name"], provider["metadata"]["name"]);
    assert_eq!(alert["spec"]["eventSources"], json!([{"kind": "HelmRelease", "name": "app"}]));
    assert_eq!(alert["spec"]["eventMetadata"]["cluster"], "prod-1");
    assert_eq!(alert["metadata"]["namespace"], release["metadata"]["namespace"]);
    let repository = document("flux/clusters/prod-1/app.yaml", "HelmRepository");
    assert_eq!(release["spec"]["chart"]["spec"]["sourceRef"]["name"], repository["metadata"]["name"]);
    // Kustomize copies the release into what events are made of, and into what the object claims.
    let directory = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-r").arg(example("flux")).arg(directory.path()).status().unwrap();
    assert!(copied.success());
    let root = directory.path().join("flux");
    for (file, text) in [("release", "ab".repeat(32)), ("digests.json", "{}".to_owned())] {
        std::fs::write(root.join("images/production").join(file), text).unwrap();
    }
    let place = root.join("clusters/prod-1");
    let Some(built) = kubectl(&["kustomize", place.to_str().unwrap()], "") else { return };
    let built: Vec<Value> = Yaml::load_from_str(&built).unwrap().iter().map(to_json).collect();
    let found = built.iter().find(|document| document["kind"] == "HelmRelease").unwrap();
    assert_eq!(found["metadata"]["annotations"]["event.toolkit.fluxcd.io/release"], "ab".repeat(32));
    let values = &found["spec"]["valuesFrom"][0];
    let named = |document: &&Value| document["metadata"]["name"] == values["name"];
    assert!(built.iter().find(named).unwrap()["data"][values["valuesKey"].as_str().unwrap()].is_string());
    // helm-controller has run it: asked about, it claims that release.
    let mut object = found.clone();
    object["metadata"]["generation"] = 1.into();
    object["status"] = json!({"observedGeneration": 1,
        "conditions": [{"type": "Ready", "status": "True", "reason": "UpgradeSucceeded"}]});
    let told = flux::outcome(SenderKind::HelmRelease, object.to_string().as_bytes()).unwrap().unwrap();
    assert_eq!(told.claim, Claim::Release("ab".repeat(32).parse().unwrap()));
}

#[test]
fn the_configurations_of_both_examples_are_right() {
    for path in ["argocd/cfgupdater.toml", "flux/cfgupdater.toml"] {
        // Nothing but the hosts is another, so that nobody is looked for in the network.
        let mut config = text(path);
        for url in quoted_after(&config, "url") {
            let nowhere =
                if url.contains("git.") { "file:///nonexistent/cfg-app.git" } else { "http://127.0.0.1:1" };
            config = config.replace(&format!("\"{url}\""), &format!("\"{nowhere}\""));
        }
        let said = check_config(&config);
        // The remote, the secrets and the APIs aren't there; the file itself is right.
        assert!(!said.contains("cfgupdater.toml:"), "{said}");
        assert!(said.contains("/nonexistent/cfg-app.git"), "{said}");
        assert!(said.contains("deploy tool"), "{said}");
    }
}

/// The targets of `examples/cfg-app`, each with its wave.
const SHOP: [(&str, &str); 6] = [
    ("staging", "staging-1"),
    ("staging", "staging-2"),
    ("internal", "internal-1"),
    ("internal", "internal-2"),
    ("production", "prod-1"),
    ("production", "prod-2"),
];

fn generated(wave: &str, target: &str) -> Vec<String> {
    let listed = std::fs::read_dir(example(&format!("cfg-app/generated/{wave}"))).unwrap();
    let names = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(&format!("{target}-"))).collect();
    names.sort();
    names
}

#[test]
fn each_target_of_the_configuration_repository_is_synced_from_its_own_files() {
    let set = document("cfg-app/argocd/applications.yml", "ApplicationSet");
    let (spec, elements) =
        (&set["spec"]["template"]["spec"], &set["spec"]["generators"][0]["list"]["elements"]);
    let expected: Vec<Value> =
        SHOP.iter().map(|(wave, target)| json!({"wave": wave, "target": target})).collect();
    assert_eq!(elements, &Value::Array(expected));
    let fill = |text: &Value, (wave, target): (&str, &str)| {
        text.as_str().unwrap().replace("{{ .wave }}", wave).replace("{{ .target }}", target)
    };
    for (wave, target) in SHOP {
        assert_eq!(fill(&spec["source"]["path"], (wave, target)), format!("generated/{wave}"));
        let include = fill(&spec["source"]["directory"]["include"], (wave, target));
        assert_eq!(include, format!("{target}-*.yml"));
        assert_eq!(fill(&spec["destination"]["name"], (wave, target)), target);
        let files = generated(wave, target);
        assert_eq!(files.len(), 6, "{files:?}");
        for file in files {
            let documents = documents(&format!("cfg-app/generated/{wave}/{file}"));
            assert!(documents.iter().all(|document| document["kind"].is_string()), "{file}");
        }
        // Whatever the job names beside itself is there, or the comment of the set tells how it gets there.
        let path = format!("cfg-app/generated/{wave}/{target}-report.yml");
        let (job, account) = (document(&path, "Job"), document(&path, "ServiceAccount"));
        let pod = &job["spec"]["template"]["spec"];
        assert_eq!(pod["serviceAccountName"], account["metadata"]["name"]);
        let secret = pod["volumes"][0]["secret"]["secretName"].as_str().unwrap();
        assert!(text("cfg-app/argocd/applications.yml").contains(&format!("secret generic {secret} ")));
        // A name that is made anew each time is never found again before the next creation.
        assert!(job["metadata"]["generateName"].is_string());
        assert_eq!(job["metadata"]["annotations"]["argocd.argoproj.io/hook-delete-policy"], "HookSucceeded");
    }
}

#[test]
fn flux_takes_the_files_of_its_target_and_tells_of_them() {
    for (wave, target) in SHOP {
        let path = format!("cfg-app/flux/{target}.yml");
        let [source, kustomization, provider, alert] =
            ["GitRepository", "Kustomization", "Provider", "Alert"].map(|kind| document(&path, kind));
        assert_eq!(kustomization["spec"]["sourceRef"]["name"], source["metadata"]["name"]);
        assert_eq!(kustomization["spec"]["path"], format!("./generated/{wave}"));
        assert_eq!(kustomization["spec"]["wait"], true, "success must speak of health");
        assert_eq!(alert["spec"]["providerRef"]["name"], provider["metadata"]["name"]);
        let told = &alert["spec"]["eventSources"][0];
        assert_eq!((&told["name"], &kustomization["metadata"]["name"]), (&target.into(), &target.into()));
        assert_eq!(provider["spec"]["type"], "generic-hmac");
        // Git reads these patterns as Flux does.
        let place = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| cfgupdater_tests::git(place.path(), arguments);
        git(&["init", "--quiet"]);
        for (wave, target) in SHOP {
            for file in generated(wave, target) {
                let file = place.path().join("generated").join(wave).join(file);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, "").unwrap();
            }
        }
        std::fs::write(place.path().join("Makefile"), "").unwrap();
        std::fs::write(place.path().join(".git/info/exclude"), source["spec"]["ignore"].as_str().unwrap())
            .unwrap();
        let taken = git(&["ls-files", "--others", "--exclude-standard"]);
        let mut expected = generated(wave, target);
        expected.retain(|file| !file.ends_with("-report.yml"));
        let expected: Vec<String> = expected.iter().map(|file| format!("generated/{wave}/{file}")).collect();
        assert_eq!(taken.lines().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn the_job_of_the_configuration_repository_reports_its_release() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: curl is not installed");
        return;
    }
    let remote = Remote::new();
    let options = Options { image_set: "release_file = \"release\"", ..Options::default() };
    let service = Service::with(&remote, &options);
    let sha = introduce(&remote, &service, 1);
    let release = remote.file(&sha, "images/staging/release").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let header = directory.path().join("authorization");
    let run = |target: &str, token: &str| {
        std::fs::write(&header, format!("Authorization: Bearer {token}\n")).unwrap();
        let job = document(&format!("cfg-app/generated/staging/{target}-report.yml"), "Job");
        let container = &job["spec"]["template"]["spec"]["containers"][0];
        let words: Vec<&str> =
            container["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..words.len() - 1])
            .arg(words[words.len() - 1].replace("--retry 5", "--retry 0"));
        for variable in container["env"].as_array().unwrap() {
            command.env(variable["name"].as_str().unwrap(), variable["value"].as_str().unwrap());
        }
        let place = format!("{}/v1/repos/cfg-app", service.server().base());
        command.env("CFGUPDATER", place).env("HEADER_FILE", &header).env("RELEASE", &release);
        command.output().unwrap()
    };
    let reported = run("staging-1", "token-report");
    let answer = String::from_utf8_lossy(&reported.stdout).into_owned();
    assert!(reported.status.success() && answer.contains("\"recorded\":true"), "{reported:?}");
    assert!(!run("staging-2", "token-report").status.success(), "a token of another target");
    let second = run("staging-2", "token-all");
    let answer: Value = serde_json::from_slice(&second.stdout).unwrap();
    assert_eq!(promoted(&answer), 1, "{second:?}");
}
