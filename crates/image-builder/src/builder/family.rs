//! [`Family`]: OCI's names for the parts of an image, or Docker's.

/// Which media types an image's parts have. All parts of one image are of one family: tools refuse mixtures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Oci,
    Docker,
}

impl Family {
    /// Returns the family of a manifest, `None` for one that is of no single image.
    pub(super) fn of_manifest(media_type: &str) -> Option<Self> {
        [Self::Oci, Self::Docker].into_iter().find(|family| family.manifest() == media_type)
    }

    pub(super) fn manifest(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.manifest.v1+json",
            Self::Docker => "application/vnd.docker.distribution.manifest.v2+json",
        }
    }

    pub(super) fn index(self) -> &'static str {
        match self {
            Self::Oci => INDEXES[0],
            Self::Docker => INDEXES[1],
        }
    }

    pub(super) fn config(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.config.v1+json",
            Self::Docker => "application/vnd.docker.container.image.v1+json",
        }
    }

    pub(super) fn layer(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Docker => "application/vnd.docker.image.rootfs.diff.tar.gzip",
        }
    }
}

/// The manifests that name one image a platform.
pub(super) const INDEXES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
