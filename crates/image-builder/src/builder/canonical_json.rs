//! JSON of which there is one form only.

use serde_json::Value;

/// Writes a value with the members of its objects in the order of their names, and without white space.
///
/// The order is made here: what a map of the JSON library keeps to depends on how that library was built.
pub(super) fn to_bytes(value: &Value) -> Vec<u8> {
    let mut text = String::new();
    write(value, &mut text);
    text.into_bytes()
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| name.as_str());
            sequence(text, '{', '}', members, |text, (name, value)| {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(value, text);
            });
        }
        Value::Array(elements) => sequence(text, '[', ']', elements, |text, value| write(value, text)),
        scalar => text.push_str(&scalar.to_string()),
    }
}

fn sequence<T>(
    text: &mut String,
    open: char,
    close: char,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    text.push(open);
    for (n, item) in items.into_iter().enumerate() {
        if n > 0 {
            text.push(',');
        }
        write(text, item);
    }
    text.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_sorted_at_any_depth() {
        let value: Value =
            serde_json::from_str(r#"{ "b": [ {"z":1,"a":null}, "é\n" ], "a": {}, "c": [] }"#).unwrap();
        assert_eq!(
            String::from_utf8(to_bytes(&value)).unwrap(),
            r#"{"a":{},"b":[{"a":null,"z":1},"é\n"],"c":[]}"#
        );
    }
}
