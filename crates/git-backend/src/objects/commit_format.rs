//! The bytes of a commit object.

use std::fmt::Write;

use cfgupdater_core::{Commit, CommitId, Error, ErrorKind, NewCommit, ObjectFormat, Timestamp, TreeId};

/// Reads a commit. Histories hold commits with odd authors and dates, which git accepts; only the tree and the
/// parents must be right.
pub(crate) fn parse(id: CommitId, data: &[u8]) -> Option<Commit> {
    let (header, message) = split_at_blank_line(data);
    let mut tree = None;
    let mut parents = Vec::new();
    let mut author = String::new();
    let mut committed_at = Timestamp::default();
    for line in header.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        match line.split_once(' ') {
            Some(("tree", id)) if tree.is_none() => tree = Some(id.parse::<TreeId>().ok()?),
            Some(("parent", id)) => parents.push(id.parse::<CommitId>().ok()?),
            Some(("author", who)) if author.is_empty() => identity(who).clone_into(&mut author),
            Some(("committer", who)) => committed_at = date(who),
            _ => {}
        }
    }
    Some(Commit::new(id, tree?, parents, author, committed_at, String::from_utf8_lossy(message).into_owned()))
}

fn split_at_blank_line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&data[..at], &data[at + 2..]),
        None => (data, &[]),
    }
}

/// Returns `name <email>` of `name <email> seconds zone`.
fn identity(line: &str) -> &str {
    line.rfind('>').map_or(line, |end| &line[..=end])
}

/// Returns the date of `name <email> seconds zone`, the epoch where there is none.
fn date(line: &str) -> Timestamp {
    let after = line.rfind('>').map_or("", |end| &line[end + 1..]);
    let seconds = after.split_whitespace().next().and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
    Timestamp::from_millis(seconds.saturating_mul(1000))
}

/// Writes a commit, with its message byte for byte.
pub(crate) fn format(commit: &NewCommit) -> Result<Vec<u8>, Error> {
    check(commit)?;
    let who = format!("{} <{}> {} +0000", commit.name, commit.email, commit.date.as_seconds());
    let mut text = format!("tree {}\n", commit.tree);
    for parent in &commit.parents {
        let _ = writeln!(text, "parent {parent}");
    }
    let _ = write!(text, "author {who}\ncommitter {who}\n{}\n{}", signature(commit), commit.message);
    Ok(text.into_bytes())
}

/// Returns the header of a commit's signature, whose further lines are indented by a space; nothing where there is none.
fn signature(commit: &NewCommit) -> String {
    let name = match commit.tree.object_id().format() {
        ObjectFormat::Sha256 => "gpgsig-sha256",
        ObjectFormat::Sha1 => "gpgsig",
    };
    let header = |signature: &String| format!("{name} {}\n", signature.trim_end().replace('\n', "\n "));
    commit.signature.as_ref().map(header).unwrap_or_default()
}

/// Refuses what would break the header or what `git fsck --strict` complains about.
fn check(commit: &NewCommit) -> Result<(), Error> {
    check_author(&commit.name, &commit.email)?;
    if commit.message.contains('\0') {
        return Err(invalid("the message of a commit holds no NUL"));
    }
    let breaks = |signature: &String| signature.contains(|c: char| c != '\n' && c.is_control());
    if commit.signature.as_ref().is_some_and(breaks) {
        return Err(invalid("a signature holds no control characters but line ends"));
    }
    if commit.date.as_seconds() < 0 {
        return Err(invalid("git has no dates before 1970"));
    }
    Ok(())
}

/// Refuses a name and an e-mail address by which no commit can be written.
///
/// # Errors
/// Fails with [`ErrorKind::Invalid`] and the rule.
pub fn check_author(name: &str, email: &str) -> Result<(), Error> {
    let breaks_header = |text: &str| text.contains(|c: char| c.is_control() || c == '<' || c == '>');
    if breaks_header(name) || breaks_header(email) || name.trim().is_empty() {
        return Err(invalid(
            "name and e-mail of a commit hold no control characters, `<` or `>`, and the name isn't empty",
        ));
    }
    Ok(())
}

fn invalid(rule: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("can't write the commit: {rule}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> CommitId {
        "1".repeat(40).parse().unwrap()
    }

    #[test]
    fn odd_authors_and_dates_of_old_commits_are_read() {
        let tree = "2".repeat(40);
        let data =
            format!("tree {tree}\nauthor A <a@b> c> 12x\ncommitter nobody\ngpgsig x\n y\n\nhello\n\nbody\n");
        let commit = parse(id(), data.as_bytes()).unwrap();
        assert_eq!(commit.author, "A <a@b> c>");
        assert_eq!(commit.committed_at, Timestamp::default());
        assert_eq!(commit.message, "hello\n\nbody\n");
    }

    #[test]
    fn a_commit_without_a_tree_is_no_commit() {
        assert_eq!(parse(id(), b"parent 1\n\nx"), None);
    }

    #[test]
    fn a_name_can_not_add_header_lines() {
        let tree = "2".repeat(40).parse().unwrap();
        for (name, email) in [("a\nparent x", "b"), ("", "b"), ("a", "b>")] {
            let commit = NewCommit::new(tree, vec![], (name, email), Timestamp::default(), String::new());
            assert_eq!(format(&commit).unwrap_err().kind(), ErrorKind::Invalid, "{name:?}");
        }
    }
}
