//! The bytes of a tree.

use cfgupdater_core::{EntryKind, ObjectFormat, ObjectId, TreeEntry};

fn mode(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::File => "100644",
        EntryKind::Executable => "100755",
        EntryKind::Symlink => "120000",
        EntryKind::Tree => "40000",
        EntryKind::Submodule => "160000",
    }
}

fn kind(mode: &[u8]) -> Option<EntryKind> {
    Some(match mode {
        b"100644" | b"100664" => EntryKind::File,
        b"100755" => EntryKind::Executable,
        b"120000" => EntryKind::Symlink,
        b"40000" | b"040000" => EntryKind::Tree,
        b"160000" => EntryKind::Submodule,
        _ => return None,
    })
}

/// Writes entries in git's order, in which a directory sorts as if its name ended in a slash.
pub(super) fn encode(mut entries: Vec<TreeEntry>) -> Vec<u8> {
    let key = |entry: &TreeEntry| {
        let slash = if entry.kind == EntryKind::Tree { &b"/"[..] } else { b"" };
        [entry.name.as_slice(), slash].concat()
    };
    entries.sort_by_cached_key(key);
    encode_as_given(&entries)
}

/// Writes entries in the order given, however wrong it is.
pub(super) fn encode_as_given(entries: &[TreeEntry]) -> Vec<u8> {
    let mut content = Vec::new();
    for entry in entries {
        content.extend_from_slice(mode(entry.kind).as_bytes());
        content.push(b' ');
        content.extend_from_slice(&entry.name);
        content.push(0);
        content.extend_from_slice(entry.id.as_bytes());
    }
    content
}

/// Reads entries, `None` where the content is no tree.
pub(super) fn decode(mut content: &[u8], format: ObjectFormat) -> Option<Vec<TreeEntry>> {
    let width = match format {
        ObjectFormat::Sha1 => 20,
        ObjectFormat::Sha256 => 32,
    };
    let mut entries = Vec::new();
    while !content.is_empty() {
        let space = content.iter().position(|byte| *byte == b' ')?;
        let end = content.iter().position(|byte| *byte == 0)?;
        let kind = kind(&content[..space])?;
        let name = content.get(space + 1..end)?;
        let id = content.get(end + 1..end + 1 + width)?;
        entries.push(TreeEntry::new(name, kind, ObjectId::from_bytes(id)?));
        content = &content[end + 1 + width..];
    }
    Some(entries)
}
