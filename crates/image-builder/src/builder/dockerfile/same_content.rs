//! Whether two images hold the same and run the same, whoever made them and when.

use serde_json::Value;

/// What a configuration says about how it came about: times, machines and caches.
const ABOUT_THE_BUILD: [&str; 8] = [
    "created",
    "history",
    "container",
    "container_config",
    "docker_version",
    "author",
    "moby.buildkit.cache.v0",
    "moby.buildkit.buildinfo.v1",
];

/// What is the same about the container that an image was built in.
const ABOUT_THE_CONTAINER: [&str; 3] = ["Hostname", "Domainname", "Image"];

/// Compares the configurations of two images. They name the layers by what is in them, so that the same layers compressed
/// otherwise are the same.
pub(super) fn same_content(one: &[u8], other: &[u8]) -> bool {
    matches!((content(one), content(other)), (Some(one), Some(other)) if one == other)
}

fn content(config: &[u8]) -> Option<Value> {
    let mut config: Value = serde_json::from_slice(config).ok()?;
    // Without a list of layers nothing is known of them.
    config["rootfs"]["diff_ids"].as_array()?;
    let object = config.as_object_mut()?;
    object.retain(|name, _| !ABOUT_THE_BUILD.contains(&name.as_str()));
    if let Some(container) = object.get_mut("config").and_then(Value::as_object_mut) {
        // One writer leaves out what the other says is nothing.
        container.retain(|name, value| !ABOUT_THE_CONTAINER.contains(&name.as_str()) && !is_nothing(value));
    }
    Some(config)
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn same(one: &Value, other: &Value) -> bool {
        same_content(one.to_string().as_bytes(), other.to_string().as_bytes())
    }

    fn config(diff_ids: &[&str]) -> Value {
        json!({
            "os": "linux", "architecture": "amd64", "created": "2026-01-01T00:00:00Z",
            "history": [{"created_by": "COPY x"}],
            "config": {"Cmd": ["/web"], "Hostname": "abc", "AttachStdin": false, "Labels": null},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        })
    }

    #[test]
    fn how_an_image_came_about_makes_no_difference() {
        let mut other = config(&["sha256:1"]);
        other["created"] = json!("2026-02-02T00:00:00Z");
        other["history"] = json!([{"created_by": "COPY x", "comment": "buildkit"}]);
        other["moby.buildkit.cache.v0"] = json!("eyJ");
        other["config"] = json!({"Cmd": ["/web"], "Image": "sha256:2"});
        assert!(same(&config(&["sha256:1"]), &other));
    }

    #[test]
    fn what_it_holds_and_how_it_runs_does() {
        let one = config(&["sha256:1"]);
        assert!(!same(&one, &config(&["sha256:2"])));
        for (pointer, value) in [("Cmd", json!(["/api"])), ("User", json!("1")), ("Env", json!(["A=1"]))] {
            let mut other = one.clone();
            other["config"][pointer] = value;
            assert!(!same(&one, &other), "{pointer}");
        }
        let mut arm = one.clone();
        arm["architecture"] = json!("arm64");
        assert!(!same(&one, &arm));
    }

    #[test]
    fn of_nonsense_nothing_is_known() {
        let nothing = json!({"os": "linux"});
        assert!(!same(&nothing, &nothing) && !same_content(b"x", b"x"));
    }
}
