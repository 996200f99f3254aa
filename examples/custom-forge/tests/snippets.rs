//! The code in `docs/adapters.md` is the code that is compiled. `UPDATE_DOCS=1 cargo test -p cfgupdater-example-custom-forge
//! --test snippets` writes it there anew.
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

use std::path::Path;

#[test]
fn the_page_shows_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let page = root.join("docs/adapters.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (shown, count) = with_snippets(root, &text);
    assert!(count >= 10, "{count} pieces of code were found");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&page, &shown).unwrap();
    }
    assert!(
        std::fs::read_to_string(&page).unwrap() == shown,
        "docs/adapters.md shows other code than is compiled"
    );
}

/// Puts the code that each comment names into the block below it.
fn with_snippets(root: &Path, text: &str) -> (String, usize) {
    let (mut shown, mut count) = (String::new(), 0);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        shown.extend([line, "\n"]);
        let named = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix("] -->"));
        let Some((file, region)) = named.and_then(|rest| rest.split_once(" [")) else { continue };
        assert_eq!(lines.next(), Some("```rust"), "a block follows {line}");
        // What stood there.
        lines.by_ref().take_while(|line| *line != "```").for_each(drop);
        shown.extend(["```rust\n", &snippet(&root.join(file), region), "```\n"]);
        count += 1;
    }
    (shown, count)
}

/// Returns what stands between two marks, moved to the left.
fn snippet(file: &Path, region: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let is = |mark: String| move |line: &&str| line.trim() != mark;
    let inside = text.lines().skip_while(is(format!("// [{region}]"))).skip(1);
    let lines: Vec<&str> = inside.take_while(is(format!("// [/{region}]"))).collect();
    assert!(!lines.is_empty(), "{} has no region {region}", file.display());
    let filled = lines.iter().filter(|line| !line.trim().is_empty());
    let margin = filled.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    lines.iter().map(|line| format!("{}\n", line.get(margin..).unwrap_or_default())).collect()
}
