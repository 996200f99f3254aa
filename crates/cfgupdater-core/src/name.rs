//! Names that people give to repositories, waves, targets, sets, services and branches. They are shared when cloned:
//! every snapshot, state and record is full of them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Says why a text can't be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {kind}: {rule}")]
pub struct InvalidName {
    kind: &'static str,
    text: String,
    rule: &'static str,
}

const NAME_RULE: &str =
    "expected a letter or digit followed by at most 127 letters, digits, dots, underscores or hyphens";

/// Shortens hostile or long text for an error message and escapes control characters.
pub(crate) fn excerpt(text: &str) -> String {
    const SHOWN: usize = 80;
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// Holds for `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`.
fn is_name(text: &str) -> bool {
    text.len() <= 128
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c))
}

/// Holds for what `git check-ref-format --branch` accepts, less what is confusing in a log:
/// every component is made of letters, digits and `._-`, none begins with `.` or `-` or ends with `.` or `.lock`.
fn is_branch(text: &str) -> bool {
    let component = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && !part.ends_with('.')
            && part.strip_suffix(".lock").is_none()
            && !part.contains("..")
            && part.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-#".contains(&c))
    };
    text.len() <= 244 && text.split('/').all(component)
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:ident, $rule:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Returns the name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                if $check(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidName { kind: $kind, text: excerpt(text), rule: $rule })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

name_type! {
    /// Names a configuration repository within one service.
    RepoName, "repository name", is_name, NAME_RULE
}
name_type! {
    /// Names a wave: a step on the way to production.
    WaveName, "wave name", is_name, NAME_RULE
}
name_type! {
    /// Names a target of a wave: a cluster, a namespace, whatever reports as one.
    TargetName, "target name", is_name, NAME_RULE
}
name_type! {
    /// Names an image set: the images that are delivered and promoted as a unit.
    SetName, "image set name", is_name, NAME_RULE
}
name_type! {
    /// Names a service of an image set, the key of its image.
    ServiceName, "service name", is_name, NAME_RULE
}
name_type! {
    /// Names a branch without `refs/heads/`.
    BranchName, "branch name", is_branch,
    "expected components of letters, digits and `._-#` separated by `/`, as `git check-ref-format` allows"
}

impl BranchName {
    /// Returns the full reference, `refs/heads/…`.
    pub fn to_ref(&self) -> RefName {
        RefName(format!("refs/heads/{}", self.0).into())
    }
}

fn is_ref(text: &str) -> bool {
    text == "HEAD" || text.strip_prefix("refs/").is_some_and(|rest| rest.contains('/') && is_branch(rest))
}

name_type! {
    /// Names a reference in full: `refs/heads/master`, `refs/notes/…`, or `HEAD`.
    RefName, "reference", is_ref, "expected `HEAD` or a full name that starts with `refs/`"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_letters_digits_and_inner_punctuation() {
        for good in ["a", "staging-1", "EU.west_2", "0"] {
            assert_eq!(good.parse::<WaveName>().unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "-a", "a/b", "a b", "a\nb", "é", &"a".repeat(129)] {
            assert!(bad.parse::<WaveName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn branches_follow_gits_rules() {
        for good in ["master", "cfgupdater/state", "release-1.2"] {
            assert!(good.parse::<BranchName>().is_ok(), "{good:?}");
        }
        for bad in ["", "/a", "a//b", "a..b", "a.lock", "-a", "a b", "a~1", "a:b", "@{u}", "a/.b", "+a"] {
            assert!(bad.parse::<BranchName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_error_names_the_kind_and_escapes_the_text() {
        let message = "a\nAutocommit-Id: x".parse::<TargetName>().unwrap_err().to_string();
        assert!(message.starts_with("`a\\nAutocommit-Id: x` is not a valid target name"), "{message}");
    }
}
