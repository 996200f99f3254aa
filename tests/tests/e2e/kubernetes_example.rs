//! `examples/kubernetes` says what works: its configuration is read, and what it mounts is there.

use cfgupdater_tests::check_config;
use serde_json::Value;

use crate::deploy_examples::document;

const MANIFESTS: &str = "kubernetes/cfgupdater.yaml";

/// Returns the place that a volume is mounted at.
fn mounted(pod: &Value, name: &str) -> String {
    let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    let mount = mounts.iter().find(|mount| mount["name"] == name);
    mount.unwrap_or_else(|| panic!("{name} is not mounted"))["mountPath"].as_str().unwrap().to_owned()
}

#[test]
fn the_configuration_is_right_and_all_it_names_is_mounted() {
    let config = document(MANIFESTS, "ConfigMap");
    let pod = &document(MANIFESTS, "Deployment")["spec"]["template"]["spec"];
    let secrets = document("kubernetes/secret.yaml", "Secret");
    let place = mounted(pod, "secrets");
    let text = config["data"]["cfgupdater.toml"].as_str().unwrap();
    let mut named = 0;
    for path in text.split('"').filter(|quoted| quoted.starts_with('/')) {
        if let Some(name) = path.strip_prefix(&format!("{place}/")) {
            assert!(secrets["stringData"][name].is_string(), "the secret holds no {name}");
            named += 1;
        } else {
            assert_eq!(path, mounted(pod, "data"), "nothing else is writable, or there");
        }
    }
    assert_eq!(named, secrets["stringData"].as_object().unwrap().len(), "each secret is named");
    let arguments: Vec<&str> =
        pod["containers"][0]["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(arguments.contains(&format!("{}/cfgupdater.toml", mounted(pod, "config")).as_str()));

    // Nobody is looked for in the network.
    let nowhere =
        text.replace("https://github.com/CHANGE-ME/cfg-app.git", "file:///nonexistent/acme/cfg-app.git");
    let nowhere = nowhere.replace(
        "kind = \"github\"",
        "kind = \"github\"\nproject = \"acme/cfg-app\"\napi_url = \"http://127.0.0.1:1\"",
    );
    let said = check_config(&nowhere);
    // Secrets and remote aren't there; the file itself is right.
    assert!(!said.contains("cfgupdater.toml:"), "{said}");
    assert!(said.contains("/nonexistent/acme/cfg-app.git") && said.contains("app-ci"), "{said}");
}

#[test]
fn the_service_reaches_the_port_that_is_probed() {
    let deployment = document(MANIFESTS, "Deployment");
    let pod = &deployment["spec"]["template"];
    let container = &pod["spec"]["containers"][0];
    let port = &container["ports"][0];
    let config = document(MANIFESTS, "ConfigMap");
    let listen = format!("0.0.0.0:{}", port["containerPort"]);
    assert!(config["data"]["cfgupdater.toml"].as_str().unwrap().contains(&listen), "{listen}");
    for probe in ["readinessProbe", "livenessProbe"] {
        assert_eq!(container[probe]["httpGet"]["port"], port["name"], "{probe}");
    }
    let service = document(MANIFESTS, "Service");
    assert_eq!(service["spec"]["ports"][0]["targetPort"], port["name"]);
    assert_eq!(service["spec"]["selector"], pod["metadata"]["labels"]);
    assert!((1..=2).contains(&deployment["spec"]["replicas"].as_u64().unwrap()));
}
