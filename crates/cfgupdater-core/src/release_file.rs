//! [`ReleaseFile`]: a file beside a set's images that names their release.
//!
//! Where manifests are committed as they are, a hook job can't know the commit that it belongs to. It can read this file,
//! and report the release itself.

use std::fmt;
use std::str::FromStr;

use crate::name::excerpt;
use crate::release::Release;
use crate::repo_path::RepoPath;

/// The name of the file that holds a set's release, in the directory of the set's images.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseFile(String);

/// Says why a text can't name a release file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` can't name a release file: write the name of one file, without a directory")]
pub struct InvalidReleaseFile(String);

impl ReleaseFile {
    /// Returns where it is, by the path of a file of images.
    pub fn beside(&self, images: &RepoPath) -> RepoPath {
        let path = match images.as_str().rsplit_once('/') {
            Some((directory, _)) => format!("{directory}/{}", self.0),
            None => self.0.clone(),
        };
        path.parse().expect("a path and a checked name make a path")
    }

    /// Returns what it holds: the release and a line feed.
    pub fn content(release: Release) -> Vec<u8> {
        format!("{release}\n").into_bytes()
    }
}

impl FromStr for ReleaseFile {
    type Err = InvalidReleaseFile;

    fn from_str(text: &str) -> Result<Self, InvalidReleaseFile> {
        let one = text.parse::<RepoPath>().is_ok_and(|path| path.components().count() == 1);
        if one && text.len() <= 128 {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidReleaseFile(excerpt(text)))
        }
    }
}

impl fmt::Display for ReleaseFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn it_is_beside_the_images_and_holds_one_line() {
        let file: ReleaseFile = "release".parse().unwrap();
        assert_eq!(
            file.beside(&"images/staging/tags.json".parse().unwrap()).as_str(),
            "images/staging/release"
        );
        assert_eq!(file.beside(&"tags.json".parse().unwrap()).as_str(), "release");
        let release = testing::images(&[("web", 1)]).release();
        assert_eq!(ReleaseFile::content(release), format!("{release}\n").into_bytes());
    }

    #[test]
    fn only_one_name_will_do() {
        for bad in ["", ".", "..", "a/b", "/a", ".git", "a\nb"] {
            assert!(bad.parse::<ReleaseFile>().is_err(), "{bad:?}");
        }
    }
}
