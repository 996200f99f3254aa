//! [`Secret`]: a text that can't be printed by accident.

use std::fmt;

/// A secret. Neither `Debug` nor an error shows it; [`Secret::expose`] is the one way out.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret; `None` where there is nothing but white space, which would let everybody in.
    pub fn new(text: impl AsRef<str>) -> Option<Self> {
        let text = text.as_ref().trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Returns the text, to be sent or hashed and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// Takes secrets out of a text that others wrote, before it gets into an error.
pub fn redact<'a>(text: &str, secrets: impl IntoIterator<Item = &'a Secret>) -> String {
    secrets.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose(), "***"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let secret = Secret::new(" canary\n").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(***)");
        assert_eq!(secret.expose(), "canary");
        assert_eq!(redact("bad token canary!", [&secret]), "bad token ***!");
    }

    #[test]
    fn an_empty_secret_is_none() {
        assert_eq!(Secret::new(""), None);
        assert_eq!(Secret::new(" \n"), None);
    }
}
