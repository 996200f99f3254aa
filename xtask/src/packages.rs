//! What would be published: every crate under `crates/`, with its README and without its tests' data.

use serde_json::Value;

use crate::run::{cargo, output, succeeds};

/// A crate that can be published.
pub(crate) struct Package {
    pub(crate) name: String,
    /// The name of its library, where it has one.
    pub(crate) library: Option<String>,
    readme: bool,
}

/// Packages all crates as they would be uploaded, without a network, and looks at the files. `built` says whether what was
/// packaged is also compiled, each crate against the others as packaged.
pub(crate) fn packages(built: bool) -> Result<(), String> {
    let packages = published()?;
    let mut wrong = Vec::new();
    for package in &packages {
        let list = cargo(&["package", "--list", "--allow-dirty", "--offline", "--package", &package.name]);
        let files =
            output(&mut { list }).ok_or_else(|| format!("`cargo package` can't list {}", package.name))?;
        wrong.extend(faults(package, &files));
    }
    if !wrong.is_empty() {
        return Err(wrong.join("; "));
    }
    let mut package = cargo(&["package", "--allow-dirty", "--offline", "--quiet"]);
    package.args((!built).then_some("--no-verify"));
    package.args(packages.iter().flat_map(|package| ["--package", &package.name]));
    if succeeds(&mut package) { Ok(()) } else { Err("mend what `cargo package` names".to_owned()) }
}

/// Lists the crates that can be published.
pub(crate) fn published() -> Result<Vec<Package>, String> {
    let mut metadata = cargo(&["metadata", "--no-deps", "--format-version", "1", "--offline"]);
    let text = output(&mut metadata).ok_or("`cargo metadata` failed")?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    // `publish` is null where any registry will do, and a list otherwise.
    let published = packages.filter(|package| package["publish"].is_null());
    let published: Vec<Package> = published
        .map(|package| Package {
            name: package["name"].as_str().unwrap_or_default().to_owned(),
            library: library(package),
            readme: package["readme"] == "README.md",
        })
        .collect();
    if published.is_empty() { Err("no crate can be published".to_owned()) } else { Ok(published) }
}

fn library(package: &Value) -> Option<String> {
    let targets = package["targets"].as_array()?;
    let library = targets.iter().find(|target| target["kind"][0] == "lib")?;
    library["name"].as_str().map(str::to_owned)
}

/// Finds what is wrong with the files of a package.
fn faults(package: &Package, files: &str) -> Vec<String> {
    let is_data = |file: &&str| {
        let parts: Vec<&str> = file.split('/').collect();
        parts[0] == "tests" || parts.iter().any(|part| matches!(*part, "fixtures" | "payloads" | "snapshots"))
    };
    let name = &package.name;
    let mut faults: Vec<String> =
        files.lines().filter(is_data).map(|file| format!("{name} would be published with {file}")).collect();
    if !package.readme || !files.lines().any(|file| file == "README.md") {
        faults.push(format!("{name} has no `readme = \"README.md\"` or no such file"));
    }
    let licences = ["LICENSE-APACHE", "LICENSE-MIT"];
    let absent = licences.iter().filter(|licence| !files.lines().any(|file| file == **licence));
    faults.extend(
        absent.map(|licence| format!("{name} would be published without {licence}; link it into the crate")),
    );
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_data_a_missing_readme_and_missing_licences_are_found() {
        let package = |readme| Package { name: "x".to_owned(), library: None, readme };
        let sound = "LICENSE-APACHE\nLICENSE-MIT\nREADME.md\n";
        assert!(faults(&package(true), &format!("{sound}src/lib.rs\nsrc/tests.rs\n")).is_empty());
        let found = faults(&package(true), "src/lib.rs\ntests/a.rs\nsrc/payloads/push.json\n");
        assert_eq!(found.len(), 5, "{found:?}");
        assert_eq!(faults(&package(false), sound).len(), 1);
    }
}
