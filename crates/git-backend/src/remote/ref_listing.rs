//! What `git ls-remote` prints.

use cfgupdater_core::{CommitId, RefMap, RefName};

/// Reads the references asked for. Patterns of `ls-remote` match the ends of names, so others may be listed too.
pub(crate) fn parse(stdout: &str, asked: &[RefName]) -> RefMap {
    let pairs = stdout.lines().filter_map(|line| line.split_once('\t'));
    pairs
        .filter_map(|(id, name)| Some((name.parse::<RefName>().ok()?, id.parse::<CommitId>().ok()?)))
        .filter(|(name, _)| asked.contains(name))
        .collect()
}

/// Reads which branch `HEAD` names, from `ls-remote --symref`.
pub(crate) fn parse_head(stdout: &str) -> Option<RefName> {
    let line = stdout.lines().find_map(|line| line.strip_prefix("ref: ")?.strip_suffix("\tHEAD"))?;
    line.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_whose_name_merely_ends_alike_is_left_out() {
        let id = "1".repeat(40);
        let asked = ["refs/heads/auto".parse().unwrap()];
        let stdout = format!("{id}\trefs/heads/auto\n{id}\trefs/x/refs/heads/auto\n");
        assert_eq!(parse(&stdout, &asked).len(), 1);
    }

    #[test]
    fn a_detached_head_names_no_branch() {
        assert_eq!(parse_head(&format!("{}\tHEAD\n", "1".repeat(40))), None);
        let stdout = format!("ref: refs/heads/trunk\tHEAD\n{}\tHEAD\n", "1".repeat(40));
        assert_eq!(parse_head(&stdout).unwrap().as_str(), "refs/heads/trunk");
    }
}
