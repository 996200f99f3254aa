//! Image references and the image maps that announcements carry.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::name::{ServiceName, excerpt};
use crate::release::Release;

/// The registry that names without a host belong to.
const DOCKER_HUB: &str = "docker.io";

/// Says what is wrong with an image reference or an image map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidImage(String);

/// An image reference with its parts: `host/name:tag`, `host/name@sha256:…` or both.
///
/// The grammar is that of the OCI distribution specification and of `distribution/reference`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRef {
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl ImageRef {
    /// Returns host and path, without tag and digest.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns the registry's host and port as people write them; a name without a host is one of Docker Hub's.
    pub fn registry(&self) -> &str {
        self.host_and_path().0
    }

    /// Returns the path at the registry, as people write it: `alpine` for `library/alpine` of Docker Hub.
    pub fn path(&self) -> &str {
        self.host_and_path().1
    }

    fn host_and_path(&self) -> (&str, &str) {
        match self.repository.split_once('/') {
            Some((host, path)) if is_host_like(host) => (host, path),
            _ => (DOCKER_HUB, &self.repository),
        }
    }

    /// Returns the tag, without its colon.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Returns the digest, `sha256:` and 64 digits or `sha512:` and 128.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }
}

impl FromStr for ImageRef {
    type Err = InvalidImage;

    fn from_str(text: &str) -> Result<Self, InvalidImage> {
        let refuse =
            |why: &str| InvalidImage(format!("`{}` is not an image reference: {why}", excerpt(text)));
        if text.len() > 1024 {
            return Err(refuse("it is longer than 1024 bytes"));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        // A colon after the last slash starts a tag; one before it belongs to the host's port.
        let name_start = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (repository, tag) = match rest[name_start..].split_once(':') {
            Some((name, tag)) => (&rest[..name_start + name.len()], Some(tag)),
            None => (rest, None),
        };
        if !is_repository(repository) {
            return Err(refuse(
                "the repository must be lower-case path components, with a host before them or not",
            ));
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(refuse(
                "the tag must be 1 to 128 letters, digits or `._-` and start with a letter, digit or `_`",
            ));
        }
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(refuse(
                "the digest must be `sha256:` and 64 lower-case hex digits, or `sha512:` and 128",
            ));
        }
        Ok(Self {
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }
}

fn is_repository(text: &str) -> bool {
    let mut parts = text.split('/').peekable();
    let has_host = text.contains('/') && parts.peek().is_some_and(|first| is_host_like(first));
    if has_host && !parts.next().is_some_and(is_host) {
        return false;
    }
    parts.all(is_path_component)
}

/// Tells a host from the first component of a path, as Docker does.
fn is_host_like(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
    let label = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    name.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// Letters and digits, apart from each other by one dot, one or two underscores, or any number of hyphens.
fn is_path_component(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_separator = |part: &str| matches!(part, "." | "_" | "__") || part.bytes().all(|c| c == b'-');
    text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric)
        && text.split(alphanumeric).all(is_separator)
}

fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c))
}

fn is_digest(text: &str) -> bool {
    let digits = match text.split_once(':') {
        Some(("sha256", hex)) if hex.len() == 64 => hex,
        Some(("sha512", hex)) if hex.len() == 128 => hex,
        _ => return false,
    };
    digits.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One service's image: the reference by digest and the reference by tag, both of the same repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Image {
    /// The full reference by digest, `host/name@sha256:…`.
    pub digest: String,
    /// The full reference by tag, `host/name:…`.
    pub tag: String,
}

impl Image {
    /// Checks that both references are well formed and name the same repository.
    ///
    /// # Errors
    /// Says which of the two is wrong and how.
    pub fn check(&self) -> Result<(), InvalidImage> {
        let digest: ImageRef = self.digest.parse()?;
        let tag: ImageRef = self.tag.parse()?;
        if digest.digest().is_none() || digest.tag().is_some() {
            return Err(InvalidImage(format!("Digest `{digest}` must have the form host/name@sha256:…")));
        }
        if tag.tag().is_none() || tag.digest().is_some() {
            return Err(InvalidImage(format!("Tag `{tag}` must have the form host/name:tag")));
        }
        if digest.repository() != tag.repository() {
            return Err(InvalidImage(format!(
                "Digest is of repository `{}` but Tag is of `{}`",
                digest.repository(),
                tag.repository()
            )));
        }
        Ok(())
    }
}

/// The images of one set, by service. A clone shares them.
///
/// ```
/// # use cfgupdater_core::ImageMap;
/// let images: ImageMap = serde_json::from_str(&format!(
///     r#"{{"Web":{{"Digest":"r.example.com/web@sha256:{}","Tag":"r.example.com/web:v1"}}}}"#, "a".repeat(64)
/// )).unwrap();
/// images.check().unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageMap(Arc<BTreeMap<ServiceName, Image>>);

impl ImageMap {
    /// Builds a map from services and their images.
    pub fn new(images: BTreeMap<ServiceName, Image>) -> Self {
        Self(Arc::new(images))
    }

    /// Returns services and images in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&ServiceName, &Image)> {
        self.0.iter()
    }

    /// Tells whether there is no service at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of services.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Checks every image, and that there is at least one.
    ///
    /// # Errors
    /// Names the first service whose image is wrong.
    pub fn check(&self) -> Result<(), InvalidImage> {
        if self.is_empty() {
            return Err(InvalidImage("an image set must hold at least one service".to_owned()));
        }
        for (service, image) in &*self.0 {
            image.check().map_err(|error| InvalidImage(format!("service `{service}`: {error}")))?;
        }
        Ok(())
    }

    /// Returns the release this map is: the SHA-256 of its canonical JSON.
    pub fn release(&self) -> Release {
        Release::of_canonical_json(self)
    }
}

/// What becomes of one service's image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageChange {
    /// The service.
    pub service: ServiceName,
    /// What it had; nothing where it is new.
    pub from: Option<Image>,
    /// What it gets; nothing where it is removed.
    pub to: Option<Image>,
}

impl ImageMap {
    /// Lists the services whose image changes from `before` to this map, in the order of their names.
    pub fn changes_from(&self, before: &Self) -> Vec<ImageChange> {
        let services: BTreeSet<&ServiceName> = self.0.keys().chain(before.0.keys()).collect();
        let changed = services.into_iter().filter(|service| self.0.get(service) != before.0.get(service));
        changed
            .map(|service| ImageChange {
                service: service.clone(),
                from: before.0.get(service).cloned(),
                to: self.0.get(service).cloned(),
            })
            .collect()
    }
}

impl fmt::Display for ImageChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tag =
            |image: &Option<Image>| image.as_ref().map_or("nothing".to_owned(), |image| image.tag.clone());
        write!(f, "{}: {} -> {}", self.service, tag(&self.from), tag(&self.to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(digest: &str, tag: &str) -> Image {
        Image { digest: digest.to_owned(), tag: tag.to_owned() }
    }

    #[test]
    fn references_are_split_into_repository_tag_and_digest() {
        let sha = format!("sha256:{}", "0".repeat(64));
        let both: ImageRef = format!("localhost:5000/team/web:v1@{sha}").parse().unwrap();
        assert_eq!(
            (both.repository(), both.tag(), both.digest()),
            ("localhost:5000/team/web", Some("v1"), Some(sha.as_str()))
        );
        let bare: ImageRef = "busybox".parse().unwrap();
        assert_eq!((bare.repository(), bare.tag(), bare.digest()), ("busybox", None, None));
    }

    #[test]
    fn a_name_without_a_host_is_one_of_docker_hubs() {
        let parts = |text: &str| {
            let image: ImageRef = text.parse().unwrap();
            (image.registry().to_owned(), image.path().to_owned())
        };
        let pair = |registry: &str, path: &str| (registry.to_owned(), path.to_owned());
        assert_eq!(parts("alpine:3"), pair("docker.io", "alpine"));
        assert_eq!(parts("team/web"), pair("docker.io", "team/web"));
        assert_eq!(parts("localhost/web"), pair("localhost", "web"));
        assert_eq!(parts("127.0.0.1:5000/a/b"), pair("127.0.0.1:5000", "a/b"));
    }

    #[test]
    fn malformed_references_are_refused() {
        for bad in [
            "",
            "/",
            "a//b",
            "UPPER/x",
            "a:",
            "a:b c",
            "a@sha256:12",
            "a/../b",
            "a_-b",
            "a.-b",
            "a___b",
            "a..b",
            "a\nb",
            "-a",
            "h:99999/a",
            "[skip ci]",
        ] {
            assert!(bad.parse::<ImageRef>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn digest_and_tag_must_be_of_one_repository() {
        let digest = format!("r.example.com/a@sha256:{}", "1".repeat(64));
        assert!(image(&digest, "r.example.com/a:v1").check().is_ok());
        let error = image(&digest, "r.example.com/b:v1").check().unwrap_err().to_string();
        assert!(error.contains("r.example.com/a") && error.contains("r.example.com/b"), "{error}");
        assert!(image("r.example.com/a:v1", "r.example.com/a:v1").check().is_err());
    }

    #[test]
    fn an_empty_map_is_refused() {
        assert!(ImageMap::default().check().is_err());
    }
}
