use std::ops::Range;
use std::path::{Path, PathBuf};

use super::*;

/// Every event of a text, with its place.
pub(crate) fn events(text: &str) -> Vec<(String, Range<usize>)> {
    let event = |event: Result<(Event<'_>, granit_parser::Span), _>| {
        let (event, span) = event.unwrap();
        let said = match event {
            // Quotes may be added around a plain scalar, so its style is not compared.
            Event::Scalar(value, ..) => format!("scalar {value}"),
            other => format!("{other:?}"),
        };
        (said, span.byte_range().unwrap())
    };
    Parser::new_from_str(text).map(event).collect()
}

/// The text without the bytes of these events.
pub(crate) fn without(text: &str, places: &[Range<usize>]) -> String {
    let mut kept = String::new();
    let mut from = 0;
    for place in places {
        kept.push_str(&text[from..place.start]);
        from = place.end;
    }
    kept + &text[from..]
}

#[test]
fn a_scalar_is_found_with_its_quotes_whatever_stands_before_it() {
    let text = "\u{feff}# ü\r\nä: \"x\"\r\nb:\r\n  - c: 'y'   # z\r\n    d: plain text \r\n";
    let documents = parse(text).unwrap();
    let root = &documents[0];
    let quoted = root.scalar("ä").unwrap();
    let item = &root.block("b").unwrap().items("b").unwrap()[0];
    let (single, plain) = (item.scalar("c").unwrap(), item.scalar("d").unwrap());
    assert_eq!(&text[quoted.range.clone()], "\"x\"");
    assert_eq!(&text[single.range.clone()], "'y'");
    assert_eq!(&text[plain.range.clone()], "plain text");
    let edited = replace(text, &[(&plain, "one".to_owned()), (&quoted, "two".to_owned())]).unwrap();
    assert_eq!(edited, "\u{feff}# ü\r\nä: \"two\"\r\nb:\r\n  - c: 'y'   # z\r\n    d: one \r\n");
}

#[test]
fn nesting_without_end_is_refused() {
    assert!(parse(&"[".repeat(100_000)).is_err());
    assert!(parse(&"- ".repeat(100_000)).is_err());
}

/// Every scalar that may be replaced: values of block mappings on the way from the root.
fn replaceable<'n>(node: &'n Node, found: &mut Vec<&'n Scalar>) {
    match &node.kind {
        _ if node.special => {}
        Kind::Mapping { flow: false, parts } => {
            for value in parts.chunks_exact(2).map(|pair| &pair[1]) {
                match &value.kind {
                    Kind::Scalar(scalar) if !value.special && scalar.check().is_ok() => found.push(scalar),
                    _ => replaceable(value, found),
                }
            }
        }
        Kind::Sequence { flow: false, items } => items.iter().for_each(|item| replaceable(item, found)),
        _ => {}
    }
}

/// The YAML of `tests/yaml`, of the examples, and of the directory that `CFGUPDATER_YAML` names.
fn files() -> Vec<PathBuf> {
    let mut open: Vec<PathBuf> =
        ["tests/yaml", "../../examples"].map(|path| Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).into();
    open.extend(std::env::var_os("CFGUPDATER_YAML").map(PathBuf::from));
    let mut files = Vec::new();
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Replaces each value of a file alone and then all of them: nothing else may change. Returns how many there are.
fn replace_each(text: &str) -> Result<usize, String> {
    let Ok(documents) = parse(text) else { return Ok(0) };
    let mut scalars = Vec::new();
    for document in &documents {
        replaceable(document, &mut scalars);
    }
    let new = |scalar| (scalar, "sha256:0a1b".to_owned());
    // What goes over several lines is refused.
    scalars.retain(|scalar| replace(text, &[new(*scalar)]).is_ok());
    let before = events(text);
    let one_by_one = scalars.iter().map(|scalar| vec![*scalar]);
    for chosen in one_by_one.chain([scalars.clone()]) {
        let edits: Vec<_> = chosen.iter().map(|scalar| new(*scalar)).collect();
        let edited = replace(text, &edits).map_err(|refused| refused.to_string())?;
        let after = events(&edited);
        let is_chosen = |place: &Range<usize>| chosen.iter().any(|scalar| scalar.range == *place);
        let (mut old, mut made) = (Vec::new(), Vec::new());
        if before.len() != after.len() {
            return Err(format!("{} events became {}", before.len(), after.len()));
        }
        for ((said, place), (says, now)) in before.iter().zip(&after) {
            let wanted = if is_chosen(place) && said.starts_with("scalar ") {
                old.push(place.clone());
                made.push(now.clone());
                "scalar sha256:0a1b"
            } else {
                said.as_str()
            };
            if says != wanted {
                return Err(format!("`{said}` became `{says}`"));
            }
        }
        if old.len() != chosen.len() || without(text, &old) != without(&edited, &made) {
            return Err("other bytes changed".to_owned());
        }
    }
    Ok(scalars.len())
}

#[test]
fn any_value_of_real_files_is_replaced_alone() {
    let (files, mut all) = (files(), 0);
    for file in &files {
        // Templates are not YAML, and some files are not text.
        let Ok(text) = std::fs::read_to_string(file) else { continue };
        let mut here = 0;
        for text in
            [text.clone(), text.replace("\r\n", "\n"), text.replace("\r\n", "\n").replace('\n', "\r\n")]
        {
            here += replace_each(&text).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
        }
        let ours = file.starts_with(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"));
        assert!(here > 0 || !ours, "{} is not read at all", file.display());
        all += here;
    }
    println!("{all} values of {} files", files.len());
    assert!(all > 1000, "{all} values");
}
