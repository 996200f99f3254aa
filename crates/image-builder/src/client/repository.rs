//! [`Repository`]: a registry's host and a path there.

use std::fmt;
use std::str::FromStr;

use cfgupdater_core::{Error, ErrorKind, ImageDigest, ImageRef};

/// The registry whose images without a user are in `library`.
const DOCKER_HUB: &str = "docker.io";

/// Names where the images of one kind are: `host[:port]/path`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    host: String,
    path: String,
}

impl Repository {
    /// Returns the repository that an image is in. A name without a host is one of Docker Hub's.
    pub fn of(image: &ImageRef) -> Self {
        let (host, path) = (image.registry(), image.path());
        let is_official = host == DOCKER_HUB && !path.contains('/');
        let path = if is_official { format!("library/{path}") } else { path.to_owned() };
        Self { host: host.to_owned(), path }
    }

    /// Returns host and port, as people write them.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the path at the host.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Refers to an image here by its tag.
    ///
    /// # Errors
    /// Refuses what is no tag.
    pub fn tagged(&self, tag: &str) -> Result<ImageRef, Error> {
        format!("{self}:{tag}").parse().map_err(|cause| invalid(&format!("`{tag}` can't be a tag"), cause))
    }

    /// Refers to an image here by its digest.
    ///
    /// # Errors
    /// Never fails for a repository that was itself read from a reference.
    pub fn at(&self, digest: &ImageDigest) -> Result<ImageRef, Error> {
        format!("{self}@{digest}").parse().map_err(|cause| invalid("this is no reference", cause))
    }
}

fn invalid(what: &str, cause: cfgupdater_core::InvalidImage) -> Error {
    Error::new(ErrorKind::Invalid, what).with_source(cause)
}

impl FromStr for Repository {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let image: ImageRef = text.parse().map_err(|cause| invalid("this is no repository", cause))?;
        if image.tag().is_some() || image.digest().is_some() {
            let message = format!("`{image}` names an image, not a repository: take off its tag and digest");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        Ok(Self::of(&image))
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, String) {
        let repository: Repository = text.parse().unwrap();
        (repository.host, repository.path)
    }

    #[test]
    fn host_and_path_are_told_apart_as_docker_does() {
        let expect = |text, host: &str, path: &str| assert_eq!(parts(text), (host.into(), path.into()));
        expect("alpine", "docker.io", "library/alpine");
        expect("team/web", "docker.io", "team/web");
        expect("localhost/web", "localhost", "web");
        expect("127.0.0.1:5000/a/b", "127.0.0.1:5000", "a/b");
        expect("r.example.com/a", "r.example.com", "a");
    }

    #[test]
    fn an_image_is_not_a_repository() {
        assert!("r.example.com/a:v1".parse::<Repository>().is_err());
        let repository: Repository = "r.example.com/a".parse().unwrap();
        assert_eq!(repository.tagged("v1").unwrap().to_string(), "r.example.com/a:v1");
        assert!(repository.tagged("-x").is_err());
    }
}
