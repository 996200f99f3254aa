//! Bearer tokens and what they allow.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use cfgupdater::core::{SetName, TargetName, WaveName, explain};
use cfgupdater_forge_http::SecretSource;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::config::{AuthMode, Config};

/// What a token allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// To announce images, of one set or of all.
    Announce(Option<SetName>),
    /// To report deployments: of everything, of one wave, or of one target.
    Report(Option<(WaveName, Option<TargetName>)>),
    /// To report checks, with the local forge.
    Status,
    /// To act as an operator.
    Operate,
    /// To read.
    Read,
}

impl Scope {
    /// Tells whether this scope includes what is `needed`.
    pub fn allows(&self, needed: &Self) -> bool {
        match (self, needed) {
            (Self::Announce(None), Self::Announce(_)) | (Self::Report(None), Self::Report(_)) => true,
            (Self::Report(Some((wave, None))), Self::Report(Some((needed, _)))) => wave == needed,
            _ => self == needed,
        }
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, limit) = text.split_once(':').map_or((text, None), |(kind, limit)| (kind, Some(limit)));
        match (kind, limit) {
            ("announce", None) => Ok(Self::Announce(None)),
            ("announce", Some(set)) => Ok(Self::Announce(Some(name(set)?))),
            ("report", None) => Ok(Self::Report(None)),
            ("report", Some(place)) => match place.split_once('/') {
                Some((wave, target)) => Ok(Self::Report(Some((name(wave)?, Some(name(target)?))))),
                None => Ok(Self::Report(Some((name(place)?, None)))),
            },
            ("status", None) => Ok(Self::Status),
            ("operate", None) => Ok(Self::Operate),
            ("read", None) => Ok(Self::Read),
            _ => Err(format!(
                "`{text}` is not a scope: use announce[:SET], report[:WAVE[/TARGET]], status, operate or read"
            )),
        }
    }
}

fn name<T: FromStr>(text: &str) -> Result<T, String>
where
    T::Err: fmt::Display,
{
    text.parse().map_err(|error: T::Err| error.to_string())
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Announce(None) => f.write_str("announce"),
            Self::Announce(Some(set)) => write!(f, "announce:{set}"),
            Self::Report(None) => f.write_str("report"),
            Self::Report(Some((wave, None))) => write!(f, "report:{wave}"),
            Self::Report(Some((wave, Some(target)))) => write!(f, "report:{wave}/{target}"),
            Self::Status => f.write_str("status"),
            Self::Operate => f.write_str("operate"),
            Self::Read => f.write_str("read"),
        }
    }
}

/// Who makes a call.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The token's name: the actor of whatever the call leads to.
    pub(crate) name: String,
    /// What it may do; `None` where authentication is off.
    scopes: Option<Vec<Scope>>,
}

impl Caller {
    pub(crate) fn may(&self, needed: &Scope) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|scope| scope.allows(needed)))
    }

    /// Tells whether it may report the deployments of any target at all.
    pub(crate) fn may_report(&self) -> bool {
        let reports = |scope: &Scope| matches!(scope, Scope::Report(_));
        self.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(reports))
    }
}

/// The tokens of a service.
#[derive(Debug)]
pub struct Tokens {
    /// `None` where authentication is off.
    tokens: Option<Vec<Token>>,
}

#[derive(Debug)]
struct Token {
    name: String,
    secret: SecretSource,
    scopes: Vec<Scope>,
}

impl Tokens {
    /// Lets everybody do everything, as `anonymous`. For loopback addresses alone.
    pub fn none() -> Self {
        Self { tokens: None }
    }

    /// Builds tokens from their names, the files that hold their secrets, and what they allow. A file is read again when
    /// it changes, and may hold two lines: the current secret and the next.
    pub fn of_files(tokens: impl IntoIterator<Item = (String, PathBuf, Vec<Scope>)>) -> Self {
        let token = |(name, path, scopes): (String, PathBuf, _)| Token {
            name,
            secret: SecretSource::file(path),
            scopes,
        };
        Self { tokens: Some(tokens.into_iter().map(token).collect()) }
    }

    pub(crate) fn of(config: &Config) -> Self {
        if config.file.server.auth == AuthMode::None {
            return Self::none();
        }
        let token = |token: &crate::config::TokenEntry| {
            let secret = match (&token.env, &token.file) {
                (Some(variable), _) => SecretSource::variable(variable),
                (None, path) => SecretSource::file(config.directory.join(path.clone().unwrap_or_default())),
            };
            let scopes = token.scopes.iter().filter_map(|scope| scope.get_ref().parse().ok()).collect();
            Token { name: token.name.get_ref().clone(), secret, scopes }
        };
        Self { tokens: Some(config.file.server.token.iter().map(token).collect()) }
    }

    /// Lists tokens whose secret can't be had.
    pub(crate) fn missing(&self) -> Vec<String> {
        let tokens = self.tokens.iter().flatten();
        tokens
            .filter_map(|token| {
                Some(format!("token `{}`: {}", token.name, explain(&token.secret.values().err()?)))
            })
            .collect()
    }

    /// Finds who presents a token. Every configured one is compared, in constant time.
    pub(crate) fn caller(&self, presented: Option<&str>) -> Option<Caller> {
        let Some(tokens) = &self.tokens else {
            return Some(Caller { name: "anonymous".to_owned(), scopes: None });
        };
        let presented = Sha256::digest(presented?.as_bytes());
        let mut found = None;
        for token in tokens {
            let values = token.secret.values().unwrap_or_default();
            let equal =
                values.iter().any(|value| bool::from(Sha256::digest(value.expose()).ct_eq(&presented)));
            if equal && found.is_none() {
                found = Some(Caller { name: token.name.clone(), scopes: Some(token.scopes.clone()) });
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    #[test]
    fn scopes_round_trip() {
        for text in [
            "announce",
            "announce:app",
            "report",
            "report:staging",
            "report:staging/eu-1",
            "status",
            "operate",
            "read",
        ] {
            assert_eq!(scope(text).to_string(), text);
        }
        for bad in ["", "admin", "read:app", "announce:a/b", "report:a/b/c", "announce:"] {
            assert!(bad.parse::<Scope>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wider_scope_allows_what_a_narrower_one_does_and_never_the_other_way_round() {
        let table = [
            ("announce", "announce:app", true),
            ("announce:app", "announce:app", true),
            ("announce:app", "announce:web", false),
            ("announce:app", "announce", false),
            ("report", "report:staging/eu-1", true),
            ("report:staging", "report:staging/eu-1", true),
            ("report:staging/eu-1", "report:staging/eu-1", true),
            ("report:staging/eu-1", "report:staging/eu-2", false),
            ("report:staging/eu-1", "report:staging", false),
            ("operate", "read", false),
            ("read", "operate", false),
        ];
        for (has, needs, allowed) in table {
            assert_eq!(scope(has).allows(&scope(needs)), allowed, "{has} {needs}");
        }
    }
}
