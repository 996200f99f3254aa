//! [`Token`]: a secret that comes from a file or the environment, never from the command line.

use std::fmt;
use std::path::Path;

use crate::exit::Failure;

/// The variable that holds the token where no file is named.
const VARIABLE: &str = "CFGUPDATER_TOKEN";

/// A bearer token. Its `Debug` keeps it to itself.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    /// Reads the token from a file, or from `CFGUPDATER_TOKEN` where no file is named; `None` where neither is set.
    ///
    /// Of a file with two lines, the current token and the next one, the first counts.
    pub(crate) fn find(file: Option<&Path>) -> Result<Option<Self>, Failure> {
        let text = match file {
            Some(path) => std::fs::read_to_string(path).map_err(|error| {
                Failure::usage(format!("the token file {} can't be read: {error}", path.display()))
            })?,
            None => match std::env::var(VARIABLE) {
                Ok(text) => text,
                Err(_) => return Ok(None),
            },
        };
        let place = file.map_or_else(|| VARIABLE.to_owned(), |path| path.display().to_string());
        Self::parse(&text).map(Some).ok_or_else(|| {
            Failure::usage(format!("{place} holds no token: write one line of printable characters"))
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let first = text.lines().map(str::trim).find(|line| !line.is_empty())?;
        first.bytes().all(|byte| byte.is_ascii_graphic()).then(|| Self(first.to_owned()))
    }

    /// Returns the secret, for the `Authorization` header alone.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_counts_and_rubbish_is_refused() {
        assert_eq!(Token::parse("current\nnext\n").unwrap().expose(), "current");
        assert!(Token::parse(" \n").is_none());
        assert!(Token::parse("two words").is_none());
    }

    #[test]
    fn a_token_is_not_shown() {
        assert!(!format!("{:?}", Token::parse("s3cret")).contains("s3cret"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let failure = Token::find(Some(Path::new("/nowhere/token"))).unwrap_err();
        assert_eq!(failure.exit, crate::exit::Exit::Usage);
        assert!(failure.message.contains("/nowhere/token"), "{failure}");
    }
}
