//! The bytes of a commit.

use cfgupdater_core::{Commit, CommitId, Error, NewCommit, ObjectFormat, Timestamp, TreeId};

use super::object::invalid;

/// Writes a commit as git does.
///
/// # Errors
/// Refuses what would break the header, and what `git commit` would not make: no message, a parent twice.
pub(super) fn encode(commit: &NewCommit) -> Result<Vec<u8>, Error> {
    let breaks = |text: &str| text.contains(|c: char| c.is_control() || c == '<' || c == '>');
    if commit.name.trim().is_empty() || breaks(&commit.name) || breaks(&commit.email) {
        return Err(invalid(
            "name and e-mail hold no control characters, `<` or `>`, and the name isn't empty",
        ));
    }
    if commit.message.trim().is_empty() || commit.message.contains('\0') {
        return Err(invalid("a commit has a message, without NUL"));
    }
    if commit.date.as_seconds() < 0 {
        return Err(invalid("git has no dates before 1970"));
    }
    if (1..commit.parents.len()).any(|at| commit.parents[..at].contains(&commit.parents[at])) {
        return Err(invalid("a commit has each parent once"));
    }
    let who = format!("{} <{}> {} +0000", commit.name, commit.email, commit.date.as_seconds());
    let parents: String = commit.parents.iter().map(|parent| format!("parent {parent}\n")).collect();
    let mut header = format!("tree {}\n{parents}author {who}\ncommitter {who}\n", commit.tree);
    if let Some(signature) = &commit.signature {
        if signature.contains(|c: char| c != '\n' && c.is_control()) {
            return Err(invalid("a signature holds no control characters but line ends"));
        }
        let name =
            if commit.tree.object_id().format() == ObjectFormat::Sha256 { "gpgsig-sha256" } else { "gpgsig" };
        let lines: Vec<&str> = signature.trim_end().lines().collect();
        header.extend([name, " ", &lines.join("\n "), "\n"]);
    }
    Ok(format!("{header}\n{}", commit.message).into_bytes())
}

/// Reads a commit, `None` where the content is none.
pub(super) fn decode(id: CommitId, content: &[u8]) -> Option<Commit> {
    let text = String::from_utf8_lossy(content).into_owned();
    let (header, message) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines = header.lines();
    let tree: TreeId = lines.next()?.strip_prefix("tree ")?.parse().ok()?;
    let (mut parents, mut author, mut date) = (Vec::new(), String::new(), 0);
    for line in lines {
        match line.split_once(' ') {
            Some(("parent", id)) => parents.push(id.parse().ok()?),
            Some(("author", who)) => who.rfind('>').map_or(who, |end| &who[..=end]).clone_into(&mut author),
            Some(("committer", who)) => date = seconds(who),
            _ => {}
        }
    }
    let committed_at = Timestamp::from_millis(date * 1000);
    Some(Commit::new(id, tree, parents, author, committed_at, message.to_owned()))
}

fn seconds(who: &str) -> i64 {
    let after = who.rfind('>').map_or("", |end| &who[end + 1..]);
    after.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or(0)
}
