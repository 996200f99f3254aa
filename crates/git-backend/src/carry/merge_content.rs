//! Three-way merges of a file's content; `None` is a conflict.

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
    diffy::merge_bytes(base, ours, theirs).ok()
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
}
