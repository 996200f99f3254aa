//! What was installed below `target/tools`, remembered by a copy of the file that asked for it.

use std::path::Path;

/// Tells whether what a file asks for was installed, to its end.
pub(crate) fn is_installed(wanted: &Path, mark: &Path) -> bool {
    let read = |path: &Path| std::fs::read(path).ok();
    read(mark).is_some_and(|installed| read(wanted) == Some(installed))
}

/// Remembers that it was.
pub(crate) fn remember(wanted: &Path, mark: &Path) -> std::io::Result<()> {
    std::fs::copy(wanted, mark).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_another_installation() {
        let directory = tempfile::tempdir().unwrap();
        let (wanted, mark) = (directory.path().join("wanted"), directory.path().join("mark"));
        std::fs::write(&wanted, "1").unwrap();
        assert!(!is_installed(&wanted, &mark));
        remember(&wanted, &mark).unwrap();
        assert!(is_installed(&wanted, &mark));
        std::fs::write(&wanted, "2").unwrap();
        assert!(!is_installed(&wanted, &mark));
    }
}
