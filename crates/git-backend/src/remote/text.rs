//! Makes what a remote wrote fit for a log and an error.

/// Longest text kept.
const LIMIT: usize = 2000;

/// Removes control characters and the secret, and shortens.
pub(crate) fn clean(text: &str, secret: Option<&str>) -> String {
    let text = match secret.filter(|secret| !secret.is_empty()) {
        Some(secret) => text.replace(secret, "***"),
        None => text.to_owned(),
    };
    let plain = without_escapes(&text);
    let mut short: String = plain.trim().chars().take(LIMIT).collect();
    if plain.trim().chars().nth(LIMIT).is_some() {
        short.push('…');
    }
    short
}

/// Drops terminal sequences whole, and turns other control characters but line feeds into spaces.
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                chars.by_ref().find(|c| ('@'..='~').contains(c));
            }
            '\n' => plain.push(c),
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}

/// Collects what the remote itself said, which git marks with `remote: `.
pub(crate) fn remote_messages(stderr: &str) -> String {
    let lines = stderr.split(['\n', '\r']).filter_map(|line| line.strip_prefix("remote: "));
    let said: Vec<_> = lines.map(str::trim).filter(|line| !line.is_empty()).collect();
    said.join("\n")
}

/// Picks the line in which git says why it gave up.
pub(crate) fn reason_of(stderr: &str) -> &str {
    let says_why = |line: &&str| line.starts_with("fatal:") || line.starts_with("error:");
    let mut lines = stderr.lines().filter(|line| !line.trim().is_empty());
    lines.clone().find(says_why).or_else(|| lines.next_back()).unwrap_or("git said nothing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_terminal_sequences_are_removed() {
        let said = "\u{1b}[31mbad\u{1b}[0m token canary\r\u{7}\n";
        assert_eq!(clean(said, Some("canary")), "bad token ***");
    }

    #[test]
    fn a_flood_is_cut() {
        assert_eq!(clean(&"ü".repeat(5000), None).chars().count(), LIMIT + 1);
    }

    #[test]
    fn only_the_remotes_own_lines_are_its_messages() {
        let stderr = "remote: Counting: 1%\rremote: policy: no        \nTo /x\nremote: \n";
        assert_eq!(remote_messages(stderr), "Counting: 1%\npolicy: no");
    }
}
