//! The bytes of a tree object.

use std::cmp::Ordering;

use cfgupdater_core::{EntryKind, Error, ObjectFormat, ObjectId};

use super::failures;
use super::session::{Kind, Session};

/// A tree as read.
pub(crate) struct Tree {
    content: Vec<u8>,
    entries: Vec<Position>,
}

/// Where one entry lies in the content.
struct Position {
    mode: u32,
    name: std::ops::Range<usize>,
    id: ObjectId,
}

/// One entry. The mode is kept as it is: old tools wrote others than git does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) mode: u32,
    pub(crate) name: &'a [u8],
    pub(crate) id: ObjectId,
}

const KIND: u32 = 0o170_000;
const TREE: u32 = 0o040_000;

impl Entry<'_> {
    pub(crate) fn is_tree(&self) -> bool {
        self.mode & KIND == TREE
    }

    pub(crate) fn kind(&self) -> EntryKind {
        match self.mode & KIND {
            TREE => EntryKind::Tree,
            0o120_000 => EntryKind::Symlink,
            0o160_000 => EntryKind::Submodule,
            _ if self.mode & 0o100 != 0 => EntryKind::Executable,
            _ => EntryKind::File,
        }
    }

    /// Orders as git does: a directory sorts as if its name ended in a slash.
    fn order(&self, other: &Self) -> Ordering {
        let shorter = self.name.len().min(other.name.len());
        let next = |entry: &Self| {
            let end = if entry.is_tree() { b'/' } else { 0 };
            entry.name.get(shorter).copied().unwrap_or(end)
        };
        self.name[..shorter].cmp(&other.name[..shorter]).then_with(|| next(self).cmp(&next(other)))
    }
}

pub(crate) fn mode_of(kind: EntryKind) -> u32 {
    match kind {
        EntryKind::Tree => TREE,
        EntryKind::File => 0o100_644,
        EntryKind::Executable => 0o100_755,
        EntryKind::Symlink => 0o120_000,
        EntryKind::Submodule => 0o160_000,
    }
}

impl Tree {
    /// Reads a tree.
    pub(crate) fn read(session: &impl Session, id: &ObjectId) -> Result<Self, Error> {
        let content = session.read(id, Kind::Tree)?;
        let malformed = || failures::unreadable(session.path(), id, Kind::Tree, "its entries are malformed");
        let entries = parse(&content, session.format()).ok_or_else(malformed)?;
        Ok(Self { content, entries })
    }

    /// Returns a tree without entries.
    pub(crate) fn empty() -> Self {
        Self { content: Vec::new(), entries: Vec::new() }
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let entry = |at: &Position| Entry { mode: at.mode, name: &self.content[at.name.clone()], id: at.id };
        self.entries.iter().map(entry)
    }

    pub(crate) fn find(&self, name: &[u8]) -> Option<Entry<'_>> {
        self.entries().find(|entry| entry.name == name)
    }
}

fn parse(content: &[u8], format: ObjectFormat) -> Option<Vec<Position>> {
    let width = match format {
        ObjectFormat::Sha1 => 20,
        ObjectFormat::Sha256 => 32,
    };
    let mut entries = Vec::new();
    let mut at = 0;
    while at < content.len() {
        let rest = &content[at..];
        let space = rest.iter().position(|byte| *byte == b' ')?;
        let end = space + rest[space..].iter().position(|byte| *byte == 0)?;
        let id = ObjectId::from_bytes(rest.get(end + 1..end + 1 + width)?)?;
        entries.push(Position { mode: octal(&rest[..space])?, name: at + space + 1..at + end, id });
        at += end + 1 + width;
    }
    Some(entries)
}

/// Reads a mode; six digits hold all there are.
fn octal(digits: &[u8]) -> Option<u32> {
    let is_octal =
        (1..=6).contains(&digits.len()) && digits.iter().all(|digit| (b'0'..=b'7').contains(digit));
    let mode = digits.iter().fold(0, |mode, digit| mode << 3 | u32::from(digit & 7));
    (is_octal && mode & KIND != 0).then_some(mode)
}

/// Sorts entries and writes them as git does.
pub(crate) fn format(mut entries: Vec<Entry<'_>>) -> Vec<u8> {
    entries.sort_by(Entry::order);
    let mut content = Vec::new();
    for entry in entries {
        content.extend_from_slice(std::format!("{:o} ", entry.mode).as_bytes());
        content.extend_from_slice(entry.name);
        content.push(0);
        content.extend_from_slice(entry.id.as_bytes());
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> ObjectId {
        ObjectId::from_bytes(&[7; 20]).unwrap()
    }

    #[test]
    fn odd_modes_are_kept_and_nonsense_is_refused() {
        let content = [b"100664 f\0".as_slice(), &[7; 20], b"40000 a\0", &[7; 20]].concat();
        let entries = parse(&content, ObjectFormat::Sha1).unwrap();
        let tree = Tree { content, entries };
        let kinds: Vec<_> = tree.entries().map(|entry| (entry.mode, entry.kind())).collect();
        assert_eq!(kinds, [(0o100_664, EntryKind::File), (TREE, EntryKind::Tree)]);
        for bad in [&b"9 x\0"[..], b"100644 f", b" f\0", b"100644 f\0short", b"0 f\0aaaaaaaaaaaaaaaaaaaa"] {
            assert!(parse(bad, ObjectFormat::Sha1).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn directories_sort_as_if_they_ended_in_a_slash() {
        let entry = |name: &'static str, mode| Entry { mode, name: name.as_bytes(), id: id() };
        let content = format(vec![
            entry("a0", 0o100_644),
            entry("a", TREE),
            entry("a.b", 0o100_644),
            entry("a-", 0o100_644),
        ]);
        let entries = parse(&content, ObjectFormat::Sha1).unwrap();
        let tree = Tree { content, entries };
        let names: Vec<_> = tree.entries().map(|entry| entry.name.to_vec()).collect();
        assert_eq!(names, [&b"a-"[..], b"a.b", b"a", b"a0"]);
    }
}
