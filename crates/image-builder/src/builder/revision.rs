//! [`Revision`]: the commit that is built, and the branch it is built for.

use std::path::Path;
use std::process::Command;

use cfgupdater_core::{AppSha, Error, ErrorKind};

use super::image_tag::branch_tag;

/// Says which commit is built, whatever git says.
const FORCED_SHA: &str = "FORCE_CI_GIT_SHA";

/// Says which branch it is built for, whatever git says.
const FORCED_BRANCH: &str = "FORCE_CI_BRANCH_NAME";

/// What is built. Images are tagged by it; it is not in them, or every commit would make another image.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revision {
    /// The full commit.
    pub sha: AppSha,
    /// The branch's tag, `None` where no branch is checked out and none is named.
    pub branch_tag: Option<String>,
}

impl Revision {
    /// Builds a revision from a commit and a branch's name.
    pub fn new(sha: AppSha, branch: Option<&str>) -> Self {
        Self { sha, branch_tag: branch.filter(|branch| !branch.is_empty()).map(branch_tag) }
    }

    /// Finds out what is checked out in a directory, unless `FORCE_CI_GIT_SHA` and `FORCE_CI_BRANCH_NAME` say it.
    ///
    /// CI often checks out a commit without its branch, for which git says `HEAD`: that is no branch's name, and
    /// images of all branches would share its tag.
    ///
    /// # Errors
    /// Fails where neither the variables nor git name a full commit.
    pub fn find(directory: &Path, env: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let forced =
            |name: &str| env(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let sha = match forced(FORCED_SHA) {
            Some(sha) => sha,
            None => git(directory, &["rev-parse", "HEAD"])?,
        };
        let sha = sha.parse().map_err(|cause| {
            let message = format!("the commit that is built must be a full SHA; correct {FORCED_SHA}");
            Error::new(ErrorKind::Invalid, message).with_source(cause)
        })?;
        let branch = match forced(FORCED_BRANCH) {
            Some(branch) => Some(branch),
            None => git(directory, &["rev-parse", "--abbrev-ref", "HEAD"]).ok(),
        };
        Ok(Self::new(sha, branch.as_deref().filter(|branch| *branch != "HEAD")))
    }
}

fn git(directory: &Path, arguments: &[&str]) -> Result<String, Error> {
    let output = Command::new("git").arg("-C").arg(directory).args(arguments).output();
    let output = output.map_err(|cause| {
        let message = format!("git can't be run to find the commit that is built; set {FORCED_SHA}");
        Error::new(ErrorKind::Other, message).with_source(cause)
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let message =
        format!("{} is in no git repository that has a commit; set {FORCED_SHA}", directory.display());
    Err(Error::new(ErrorKind::Invalid, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forced<'a>(sha: &'a str, branch: &'a str) -> impl Fn(&str) -> Option<String> + 'a {
        move |name| match name {
            FORCED_SHA => Some(sha.to_owned()),
            FORCED_BRANCH => Some(branch.to_owned()),
            _ => None,
        }
    }

    #[test]
    fn what_is_forced_counts() {
        let sha = "ab".repeat(20);
        let found = Revision::find(Path::new("/"), forced(&sha, "feature/x")).unwrap();
        assert_eq!((found.sha.to_string(), found.branch_tag), (sha.clone(), Some("feature_x".to_owned())));
        assert!(Revision::find(Path::new("/"), forced("abc", "x")).is_err());
    }

    #[test]
    fn a_checkout_tells_its_branch_and_a_detached_one_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let run = |arguments: &[&str]| {
            let identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"];
            let arguments: Vec<&str> = identity.into_iter().chain(arguments.iter().copied()).collect();
            git(dir.path(), &arguments).unwrap()
        };
        git(dir.path(), &["init", "-q", "-b", "topic/a", "."]).unwrap();
        run(&["commit", "-q", "--allow-empty", "-m", "x"]);
        let found = Revision::find(dir.path(), |_| None).unwrap();
        assert_eq!(found.sha.to_string(), run(&["rev-parse", "HEAD"]));
        assert_eq!(found.branch_tag.as_deref(), Some("topic_a"));
        run(&["checkout", "-q", "--detach"]);
        assert_eq!(Revision::find(dir.path(), |_| None).unwrap().branch_tag, None);
        assert!(Revision::find(Path::new("/"), |_| None).is_err());
    }
}
