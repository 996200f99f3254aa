use super::*;

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
