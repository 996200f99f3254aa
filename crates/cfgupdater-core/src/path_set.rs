//! Which paths of a tree a pattern means: `generated/**`, `deploy/*/out.yml`.

use std::fmt;
use std::str::FromStr;

use crate::name::excerpt;
use crate::repo_path::RepoPath;

/// A set of paths, told by patterns.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PathSet(Vec<PathPattern>);

/// One pattern: components as in a path, where `*` and `?` stand for characters of one name and `**` for any number of
/// directories. It begins with a name, so that no pattern means the whole repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PathPattern(Vec<String>);

/// Says why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a pattern of paths: write a relative path that begins with a name, with `*`, `?` or `**` after it"
)]
pub struct InvalidPattern(String);

impl FromStr for PathPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let parts: Vec<String> = text.split('/').map(str::to_owned).collect();
        let named = parts.first().is_some_and(|first| !first.contains(['*', '?']));
        let inside = text.replace(['*', '?'], "x").parse::<RepoPath>().is_ok();
        if named && inside { Ok(Self(parts)) } else { Err(InvalidPattern(excerpt(text))) }
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

impl PathSet {
    /// Builds a set of what any of the patterns means.
    pub fn new(patterns: Vec<PathPattern>) -> Self {
        Self(patterns)
    }

    /// Tells whether no path is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the patterns.
    pub fn patterns(&self) -> &[PathPattern] {
        &self.0
    }

    /// Tells whether a path is in it.
    pub fn contains(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        self.0.iter().any(|pattern| matches(&pattern.0, &parts))
    }

    /// Tells whether every path below `directory` is in it.
    pub fn holds_all_below(&self, directory: &str) -> bool {
        let parts: Vec<&str> = directory.split('/').collect();
        self.0.iter().any(|pattern| match pattern.0.split_last() {
            Some((last, head)) => last == "**" && (1..=parts.len()).any(|n| matches(head, &parts[..n])),
            None => false,
        })
    }

    /// Tells whether some path below `directory` may be in it.
    pub fn may_hold_below(&self, directory: &str) -> bool {
        let parts: Vec<&str> = directory.split('/').collect();
        self.0.iter().any(|pattern| leads_below(&pattern.0, &parts))
    }
}

fn matches(pattern: &[String], path: &[&str]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        // At its end it stands for what is below: at least one name.
        Some((first, [])) if first == "**" => !path.is_empty(),
        Some((first, rest)) if first == "**" => (0..=path.len()).any(|n| matches(rest, &path[n..])),
        Some((first, rest)) => path.split_first().is_some_and(|(name, below)| {
            matches_name(first.as_bytes(), name.as_bytes()) && matches(rest, below)
        }),
    }
}

/// Tells whether a pattern goes on after it has matched the whole of `directory`.
fn leads_below(pattern: &[String], directory: &[&str]) -> bool {
    match (pattern.split_first(), directory.split_first()) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some((first, _)), Some(_)) if first == "**" => true,
        (Some((first, rest)), Some((name, below))) => {
            matches_name(first.as_bytes(), name.as_bytes()) && leads_below(rest, below)
        }
    }
}

/// Matches one name. Goes back to the last `*` only, so the time is bounded by the product of both lengths.
fn matches_name(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == name[n] => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, n) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(patterns: &[&str]) -> PathSet {
        PathSet::new(patterns.iter().map(|pattern| pattern.parse().unwrap()).collect())
    }

    #[test]
    fn patterns_match_whole_paths() {
        for (pattern, path, expected) in [
            ("generated/**", "generated/a.yml", true),
            ("generated/**", "generated/staging/a.yml", true),
            ("generated/**", "generated", false),
            ("generated/**", "generated2/a.yml", false),
            ("out/*/a?.yml", "out/x/ab.yml", true),
            ("out/*/a?.yml", "out/x/y/ab.yml", false),
            ("out/**/*.yml", "out/a.yml", true),
            ("out/**/*.yml", "out/x/y/a.yml", true),
            ("out/**/*.yml", "out/x/y/a.json", false),
            ("out/*a*b*", "out/xxaxxbxx", true),
            ("out/*a*b", "out/xbxa", false),
            ("release.txt", "release.txt", true),
        ] {
            assert_eq!(set(&[pattern]).contains(path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn directories_are_held_whole_in_part_or_not_at_all() {
        for (pattern, directory, all, some) in [
            ("generated/**", "generated", true, true),
            ("generated/**", "generated/deep/er", true, true),
            ("generated/**", "images", false, false),
            ("out/*/gen/**", "out", false, true),
            ("out/*/gen/**", "out/x/gen/y", true, true),
            ("out/*.yml", "out", false, true),
            ("out/*.yml", "out/x", false, false),
            ("out/**/*.yml", "out/x/y", false, true),
        ] {
            let set = set(&[pattern]);
            assert_eq!(
                (set.holds_all_below(directory), set.may_hold_below(directory)),
                (all, some),
                "{pattern} {directory}"
            );
        }
    }

    #[test]
    fn a_pattern_never_means_the_whole_repository() {
        for bad in ["**", "*/x", "", "/a/**", "a/../**", "a//b", ".git/**"] {
            assert!(bad.parse::<PathPattern>().is_err(), "{bad}");
        }
    }
}
