//! [`Challenge`]: how a registry wants to be shown a login (RFC 9110, section 11).

use std::collections::BTreeMap;

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// What a registry asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// The login itself.
    Basic,
    /// A token from a token server.
    Bearer {
        /// The token server's URL.
        realm: String,
        /// How the token server knows the registry.
        service: Option<String>,
    },
}

impl Challenge {
    /// Reads the challenges of an answer; of several, a bearer's counts.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let texts = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let found: Vec<Self> = texts.filter_map(Self::parse).collect();
        found.iter().find(|found| **found != Self::Basic).or(found.first()).cloned()
    }

    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut parameters = parameters(rest);
        Some(Self::Bearer { realm: parameters.remove("realm")?, service: parameters.remove("service") })
    }
}

/// Reads `name="value"` pairs; values may be quoted and hold commas and escaped quotes.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = after.strip_prefix('"').map_or_else(|| bare(after), unquote);
        let name = name.trim_matches(|c: char| c == ',' || c.is_whitespace());
        found.insert(name.to_ascii_lowercase(), value);
        rest = after;
    }
    found
}

/// Reads up to the next comma and returns what comes after it.
fn bare(text: &str) -> (String, &str) {
    let (value, after) = text.split_once(',').unwrap_or((text, ""));
    (value.trim().to_owned(), after)
}

/// Reads up to the closing quote and returns what comes after it.
fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) }
    }

    #[test]
    fn what_registries_send_is_read() {
        let docker =
            r#"Bearer realm="https://auth.example.com/token",service="r",scope="repository:a:pull,push""#;
        assert_eq!(Challenge::parse(docker).unwrap(), bearer("https://auth.example.com/token", Some("r")));
        assert_eq!(
            Challenge::parse("bearer realm=https://x/t , service=r"),
            Some(bearer("https://x/t", Some("r")))
        );
        assert_eq!(Challenge::parse(r#"Bearer realm="a\"b", error="x""#).unwrap(), bearer("a\"b", None));
        assert_eq!(Challenge::parse(r#"Basic realm="r""#), Some(Challenge::Basic));
        assert_eq!(Challenge::parse("Basic"), Some(Challenge::Basic));
    }

    #[test]
    fn nonsense_is_no_challenge() {
        for text in ["", "Negotiate", "Bearer", "Bearer service=\"r\"", "Bearer =\"", "Digest realm=\"x\""] {
            assert_eq!(Challenge::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_token_is_preferred_to_showing_the_login() {
        let mut headers = HeaderMap::new();
        headers.append(WWW_AUTHENTICATE, "Basic realm=\"r\"".parse().unwrap());
        headers.append(WWW_AUTHENTICATE, "Bearer realm=\"https://x\"".parse().unwrap());
        assert_eq!(Challenge::of(&headers).unwrap(), bearer("https://x", None));
    }
}
