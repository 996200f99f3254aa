//! YAML as the value it stands for, as far as workflows go. Every scalar is a text: what `on` or `true` mean is up to
//! whoever reads it.

use std::collections::HashMap;

use granit_parser::{Event, Parser};
use serde_json::{Map, Value};

/// What is still open: a mapping with the key that waits for its value, or a list.
enum Open {
    Mapping(Map<String, Value>, Option<String>),
    List(Vec<Value>),
}

/// Reads the first document; `None` where there is none, or the text is no YAML.
pub(super) fn read(text: &str) -> Option<Value> {
    let mut open: Vec<(Open, usize)> = Vec::new();
    let mut anchored = HashMap::new();
    for event in Parser::new_from_str(text) {
        let (value, anchor) = match event.ok()?.0 {
            Event::MappingStart(_, anchor, _) => {
                open.push((Open::Mapping(Map::new(), None), anchor));
                continue;
            }
            Event::SequenceStart(_, anchor, _) => {
                open.push((Open::List(Vec::new()), anchor));
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => match open.pop()? {
                (Open::Mapping(entries, _), anchor) => (Value::Object(entries), anchor),
                (Open::List(items), anchor) => (Value::Array(items), anchor),
            },
            Event::Scalar(text, _, anchor, _) => (Value::String(text.into_owned()), anchor),
            Event::Alias(anchor) => (anchored.get(&anchor).cloned()?, 0),
            _ => continue,
        };
        if anchor > 0 {
            anchored.insert(anchor, value.clone());
        }
        match open.last_mut() {
            None => return Some(value),
            Some((Open::List(items), _)) => items.push(value),
            Some((Open::Mapping(entries, key), _)) => match key.take() {
                Some(key) => drop(entries.insert(key, value)),
                None => *key = Some(value.as_str().unwrap_or_default().to_owned()),
            },
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn mappings_lists_and_aliases_are_read() {
        let text = "on: {push: {branches: [a, 'b']}}\nx: &both\n  - 1\n  - true # yes\ny: *both\nz:\n";
        let wanted = json!({
            "on": { "push": { "branches": ["a", "b"] } }, "x": ["1", "true"], "y": ["1", "true"], "z": "~"
        });
        assert_eq!(read(text), Some(wanted));
    }

    #[test]
    fn what_is_no_yaml_is_nothing() {
        for text in ["", "a: [", "a: *nowhere", "# only words\n"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
