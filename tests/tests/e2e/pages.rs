//! The pages for operators name the tests that do what they say.

use std::collections::BTreeSet;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Collects the names of all tests of this suite.
fn tests() -> BTreeSet<String> {
    let entries =
        std::fs::read_dir(root().join("tests/tests/e2e")).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file());
    let text: String = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let name = |rest: &str| rest.split('(').next().map(str::to_owned);
    text.split("#[test]\nfn ").skip(1).filter_map(name).collect()
}

#[test]
fn every_section_names_tests_that_exist() {
    let known = tests();
    for page in ["docs/recovery.md", "docs/adoption.md"] {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        let mut named = 0;
        for section in text.split("\nTests: ").skip(1) {
            let list = section.split("\n\n").next().unwrap();
            for name in list.split('`').skip(1).step_by(2) {
                assert!(known.contains(name), "{page} names the test `{name}`, which doesn't exist");
                named += 1;
            }
        }
        assert!(named > 3, "{page} names {named} tests");
    }
}
