//! What the libraries show: no type of a backend, and nothing that isn't in the listings under `docs/api/`.

mod listing;
mod type_text;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use self::listing::listing;
use crate::packages;
use crate::run::{cargo, root, succeeds};

/// Crates whose types stay inside; families are named by their first word.
const PRIVATE: [&str; 16] = [
    "bytes",
    "docker_credential",
    "flate2",
    "git2",
    "gitlab",
    "gix",
    "granit_parser",
    "jiff",
    "jrsonnet",
    "landlock",
    "kube",
    "octocrab",
    "reqwest",
    "rustix",
    "tar",
    "toml",
];

/// Checks the public items of every published library.
pub(crate) fn check() -> Result<(), String> {
    let mut faults = Vec::new();
    for (package, library) in libraries()? {
        let json = describe(&package, &library)?;
        faults.extend(foreign_types(&json).into_iter().map(|path| format!("{package} shows {path}")));
        if std::fs::read_to_string(listed(&package)).ok() != Some(listing(&json)) {
            faults.push(format!("{package} shows something else than docs/api says; run `cargo xtask api`"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}

/// Writes the listings of what the libraries show.
pub(crate) fn write() -> Result<(), String> {
    for (package, library) in libraries()? {
        let (path, listing) = (listed(&package), listing(&describe(&package, &library)?));
        let directory = path.parent().unwrap_or(&path);
        let written = std::fs::create_dir_all(directory).and_then(|()| std::fs::write(&path, listing));
        written.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Lists the published libraries, by package and library name.
fn libraries() -> Result<Vec<(String, String)>, String> {
    let packages = packages::published()?;
    Ok(packages.into_iter().filter_map(|package| Some((package.name, package.library?))).collect())
}

fn listed(package: &str) -> PathBuf {
    root().join(format!("docs/api/{package}.txt"))
}

/// Has rustdoc describe a library with all its features. The JSON form is unstable, which this variable permits on any toolchain.
fn describe(package: &str, library: &str) -> Result<Value, String> {
    let mut rustdoc =
        cargo(&["rustdoc", "--locked", "--quiet", "--lib", "--all-features", "--package", package]);
    rustdoc.args([
        "--target-dir",
        "target/public-api",
        "--",
        "-Z",
        "unstable-options",
        "--output-format",
        "json",
    ]);
    rustdoc.args(["--cap-lints", "allow"]).env("RUSTC_BOOTSTRAP", "1");
    if !succeeds(&mut rustdoc) {
        return Err(format!("rustdoc can't describe {package}"));
    }
    let path = root().join(format!("target/public-api/doc/{library}.json"));
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Lists the paths of private crates' types that public items name. Implementations of traits are not signatures:
/// those that a backend's own trait needs would name it.
fn foreign_types(description: &Value) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let items = description["index"].as_object().into_iter().flat_map(|items| items.values());
    for item in items.filter(|item| item["crate_id"] == 0) {
        let Some(inner) = item["inner"].as_object() else { continue };
        for (_, body) in inner.iter().filter(|(kind, _)| *kind != "impl" && *kind != "use") {
            collect(body, &mut named);
        }
    }
    let path_of = |id: &String| {
        let path: Vec<&str> =
            description["paths"][id]["path"].as_array()?.iter().filter_map(Value::as_str).collect();
        Some(path.join("::"))
    };
    named.iter().filter_map(path_of).filter(|path| is_private(path)).collect()
}

fn is_private(path: &str) -> bool {
    let library = path.split("::").next().unwrap_or_default();
    PRIVATE.iter().any(|name| library == *name || library.starts_with(&format!("{name}_")))
}

/// Collects the ids of all types that a signature names, however deep.
fn collect(value: &Value, named: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(resolved) = fields.get("resolved_path").and_then(|resolved| resolved.get("id")) {
                named.insert(resolved.to_string());
            }
            fields.values().for_each(|field| collect(field, named));
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, named)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_backends_type_in_a_signature_is_found_and_a_used_name_is_not() {
        let resolved = |id: u32| json!({"resolved_path": {"path": "X", "id": id, "args": null}});
        let function = |id: u32| json!({"function": {"sig": {"inputs": [["it", {"borrowed_ref": {"type": resolved(id)}}]]}}});
        let description = json!({
            "index": {
                "0": {"crate_id": 0, "inner": function(10)},
                "1": {"crate_id": 0, "inner": function(11)},
                "2": {"crate_id": 7, "inner": function(12)},
            },
            "paths": {
                "10": {"crate_id": 3, "path": ["gix_hash", "ObjectId"]},
                "11": {"crate_id": 1, "path": ["core", "option", "Option"]},
                "12": {"crate_id": 3, "path": ["reqwest", "Client"]},
            },
        });
        assert_eq!(foreign_types(&description).into_iter().collect::<Vec<_>>(), ["gix_hash::ObjectId"]);
    }
}
