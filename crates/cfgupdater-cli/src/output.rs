//! Writing to the terminal, or to whatever stands in for it.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

use crate::text::Paint;

/// Writes a result to standard output, with a line end if it has none.
///
/// A reader that went away, such as `head`, has what it wanted: that is not an error.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let _ = write!(out, "{text}{end}").and_then(|()| out.flush());
}

/// Writes raw JSON as the service sent it, indented.
pub(crate) fn print_json(value: &Value) {
    print(&format!("{value:#}"));
}

/// Writes a remark to standard error, where it doesn't mix with results.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Tells whether standard output takes colours: a terminal, and `NO_COLOR` not set (<https://no-color.org>).
pub(crate) fn paint() -> Paint {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Paint::new(io::stdout().is_terminal() && !unwanted)
}
