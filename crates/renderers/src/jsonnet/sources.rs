//! Where an import may be.

/// Lists the paths of the repository that an import may mean, in order: beside the file that imports it, then in each
/// library.
pub(super) fn candidates(
    from: Option<&str>,
    wanted: &str,
    libraries: &[String],
) -> Result<Vec<String>, String> {
    if wanted.starts_with('/') {
        return Err(format!("`{wanted}` is absolute; imports come from the repository alone"));
    }
    let beside = from.and_then(|from| from.rsplit_once('/')).map_or("", |(directory, _)| directory);
    let directories = std::iter::once(beside).chain(libraries.iter().map(String::as_str));
    let found: Vec<String> = directories.filter_map(|directory| joined(directory, wanted)).collect();
    if found.is_empty() { Err(format!("`{wanted}` leads out of the repository")) } else { Ok(found) }
}

/// Joins two paths; `None` where the result would leave the repository.
fn joined(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_looked_for_beside_and_in_libraries_and_never_outside() {
        let libraries = ["lib".to_owned(), "vendor/x".to_owned()];
        let found = |from, wanted| candidates(from, wanted, &libraries);
        assert_eq!(
            found(Some("a/b.jsonnet"), "c.libsonnet").unwrap(),
            ["a/c.libsonnet", "lib/c.libsonnet", "vendor/x/c.libsonnet"]
        );
        assert_eq!(
            found(Some("a/b.jsonnet"), "../i/t.json").unwrap(),
            ["i/t.json", "i/t.json", "vendor/i/t.json"]
        );
        assert_eq!(found(None, "a/b.jsonnet").unwrap()[0], "a/b.jsonnet");
        assert!(found(Some("a/b"), "/etc/passwd").unwrap_err().contains("absolute"));
        assert!(found(Some("a/b"), "../../../../etc/passwd").unwrap_err().contains("leads out"));
    }
}
