//! [`BuiltImage`]: what became of one image.

use cfgupdater_core::{Image, ImageDigest, ServiceName};

use crate::client::Repository;

/// How an image compares with the one built before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Change {
    /// There was none, or it was not looked for.
    New,
    /// It is the same.
    Unchanged,
    /// It is another.
    Changed,
    /// The one before says that it holds the same, but has other layers: it was altered, or made otherwise.
    Replaced,
}

impl Change {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
            Self::Replaced => "replaced",
        }
    }
}

/// One image after it was built.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuiltImage {
    /// What people call it.
    pub name: String,
    /// The service that it is of.
    pub service: Option<ServiceName>,
    /// Where it goes.
    pub repository: Repository,
    /// Its manifest's digest.
    pub digest: ImageDigest,
    /// The tag that names its commit.
    pub tag: String,
    /// How it compares with the one built before.
    pub change: Change,
    /// The blobs that had to be sent for it.
    pub blobs_sent: usize,
    /// The bytes of those blobs.
    pub bytes_sent: u64,
}

impl BuiltImage {
    /// Returns both references to the image, as an announcement takes them.
    pub fn image(&self) -> Image {
        Image {
            digest: format!("{}@{}", self.repository, self.digest),
            tag: format!("{}:{}", self.repository, self.tag),
        }
    }
}
