//! [`Login`]: a secret, and nothing that shows it.

use std::fmt;

/// What a registry or its token server is shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Login {
    /// A user name and a password.
    Password { username: String, password: String },
    /// A token to be exchanged for others.
    Identity(String),
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { username, .. } => write!(f, "Password({username}, …)"),
            Self::Identity(_) => f.write_str("Identity(…)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let password = Login::Password { username: "me".to_owned(), password: "canary".to_owned() };
        for login in [password, Login::Identity("canary".to_owned())] {
            assert!(!format!("{login:?}").contains("canary"));
        }
    }
}
