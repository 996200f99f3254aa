//! Three-way merges of a file's content; `None` is a conflict.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::{Map, Value};

/// Larger files are not merged line by line.
const TEXT_LIMIT: usize = 1 << 20;

/// Merges text line by line. Content with a NUL isn't text.
pub(super) fn merge_text(base: &[u8], ours: &[u8], theirs: &[u8]) -> Option<Vec<u8>> {
    let sides = [base, ours, theirs];
    if let Some(merged) = merge_whole(base, ours, theirs) {
        return Some(merged.to_vec());
    }
    if sides.iter().any(|side| side.len() > TEXT_LIMIT || side.contains(&0)) {
        return None;
    }
    // Where lines repeat, an alignment may hide that both sides changed the same place, and one of the changes is lost.
    if are_apart(base, &edits(base, ours), &edits(base, theirs)) {
        diffy::merge_bytes(base, ours, theirs).ok()
    } else {
        None
    }
}

/// Lines of the base, counted from 0, that a side replaced by others; none of the base where it only put some in.
#[derive(Debug, PartialEq, Eq)]
struct Edit {
    replaced: Range<usize>,
    by: Vec<Vec<u8>>,
}

fn edits(base: &[u8], side: &[u8]) -> Vec<Edit> {
    let mut options = diffy::DiffOptions::new();
    options.set_context_len(0);
    let patch = options.create_patch_bytes(base, side);
    patch.hunks().iter().map(edit).collect()
}

fn edit(hunk: &diffy::Hunk<'_, [u8]>) -> Edit {
    let old = hunk.old_range();
    // A hunk that takes nothing away names the line before it.
    let start = old.start() - usize::from(!old.is_empty());
    let inserted = |line: &diffy::Line<'_, [u8]>| match line {
        diffy::Line::Insert(line) => Some(line.to_vec()),
        _ => None,
    };
    Edit { replaced: start..start + old.len(), by: hunk.lines().iter().filter_map(inserted).collect() }
}

/// Tells whether no edit of one side overlaps or touches one of the other, as git's `xdl_merge` has it. An edit among lines
/// that the base has several times may as well be meant for any of them; the same edit on both sides is one, unless it is
/// such an edit.
fn are_apart(base: &[u8], ours: &[Edit], theirs: &[Edit]) -> bool {
    let lines: Vec<&[u8]> = base.split_inclusive(|byte| *byte == b'\n').collect();
    let mut seen: HashMap<&[u8], usize> = HashMap::new();
    for line in &lines {
        *seen.entry(line).or_default() += 1;
    }
    let is_repeated = |line: &&[u8]| seen.get(line).is_some_and(|times| *times > 1);
    let may_be_at = |edit: &Edit| {
        let Range { start, end } = edit.replaced;
        let before = lines[..start].iter().rev().take_while(|line| is_repeated(line)).count();
        let behind = lines[end..].iter().take_while(|line| is_repeated(line)).count();
        start - before..end + behind
    };
    let placed = |edits| -> Vec<(&Edit, Range<usize>)> {
        let edits: &[Edit] = edits;
        edits.iter().map(|edit| (edit, may_be_at(edit))).collect()
    };
    let (ours, theirs) = (placed(ours), placed(theirs));
    let clash = |(one, one_at): &(&Edit, Range<usize>), (other, other_at): &(&Edit, Range<usize>)| {
        let touch = one_at.start <= other_at.end && other_at.start <= one_at.end;
        let is_certain = || *one_at == one.replaced && !lines[one_at.clone()].iter().any(is_repeated);
        touch && !(one == other && is_certain())
    };
    !ours.iter().any(|one| theirs.iter().any(|other| clash(one, other)))
}

/// Merges JSON objects key by key: neighbouring lines of two keys would conflict as text. The result is written with
/// sorted keys, two spaces and a final line feed, as image definitions are.
pub(super) fn merge_json(base: &[u8], ours: &[u8], theirs: &[u8]) -> Option<Vec<u8>> {
    let [base, ours, theirs] =
        [base, ours, theirs].map(|side| serde_json::from_slice::<Map<String, Value>>(side).ok());
    let merged = merge_objects(&base?, &ours?, &theirs?)?;
    let mut json = serde_json::to_vec_pretty(&merged).ok()?;
    json.push(b'\n');
    Some(json)
}

fn merge_objects(
    base: &Map<String, Value>,
    ours: &Map<String, Value>,
    theirs: &Map<String, Value>,
) -> Option<Map<String, Value>> {
    let keys: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    let mut merged = Map::new();
    for key in keys {
        let sides = (base.get(key), ours.get(key), theirs.get(key));
        let value = match sides {
            (Some(Value::Object(base)), Some(Value::Object(ours)), Some(Value::Object(theirs))) => {
                Some(Value::Object(merge_objects(base, ours, theirs)?))
            }
            (base, ours, theirs) => merge_whole(base, ours, theirs)?.cloned(),
        };
        merged.extend(value.map(|value| (key.clone(), value)));
    }
    Some(merged)
}

/// Takes the side that changed, where only one did or both did alike.
fn merge_whole<T: PartialEq + Copy>(base: T, ours: T, theirs: T) -> Option<T> {
    if ours == theirs || theirs == base {
        Some(ours)
    } else if ours == base {
        Some(theirs)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_keys_merge_and_equal_ones_conflict() {
        let base = br#"{"a": "1", "b": "1", "c": "1"}"#;
        let ours = br#"{"a": "2", "b": "1"}"#;
        assert_eq!(
            merge_json(base, ours, br#"{"a": "1", "b": "2", "c": "1", "d": "1"}"#).unwrap(),
            b"{\n  \"a\": \"2\",\n  \"b\": \"2\",\n  \"d\": \"1\"\n}\n"
        );
        assert_eq!(merge_json(base, ours, br#"{"a": "3", "b": "1", "c": "1"}"#), None);
        assert_eq!(
            merge_json(base, ours, br#"{"a": "1", "b": "1", "c": "2"}"#),
            None,
            "removed here, changed there"
        );
        assert_eq!(merge_json(base, ours, b"[]"), None);
    }

    #[test]
    fn distant_lines_merge_and_equal_ones_conflict() {
        let (base, ours) = (b"1\n2\n3\n4\n5\n6\n7\n", b"1\nx\n3\n4\n5\n6\n7\n");
        assert_eq!(merge_text(base, ours, b"1\n2\n3\n4\n5\ny\n7\n").unwrap(), b"1\nx\n3\n4\n5\ny\n7\n");
        assert_eq!(merge_text(base, ours, b"1\nz\n3\n4\n5\n6\n7\n"), None);
        assert_eq!(merge_text(b"\0a", b"\0b", b"\0c"), None);
    }

    #[test]
    fn no_change_is_lost_where_lines_repeat() {
        let (base, ours, theirs) = (b"A\nx\nx\nB\n", b"A\nx\nB\n", b"A\ntheirs\nx\nB\n");
        assert_eq!(merge_text(base, ours, theirs), None);
        assert_eq!(merge_text(base, theirs, ours), None);
        assert_eq!(merge_text(b"x\nx\n", b"x\n", b"x\nx\ny\n"), None, "next to each other");
        assert_eq!(merge_text(b"1\n2\n3\n4\n", b"2\n3\n4\n", b"2\n3\n5\n").unwrap(), b"2\n3\n5\n", "alike");
    }
}
