//! An image's manifest: made, and read where somebody else made it.

use cfgupdater_core::{Descriptor, ImageDigest, Manifest};
use serde::Deserialize;
use serde_json::{Value, json};

use super::canonical_json;
use super::family::{Family, INDEXES};
use super::platform::Platform;

/// The parts of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ImageManifest {
    pub(super) family: Family,
    pub(super) config: Descriptor,
    pub(super) layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct RawManifest {
    config: RawDescriptor,
    layers: Vec<RawDescriptor>,
}

#[derive(Deserialize)]
struct RawIndex {
    manifests: Vec<RawDescriptor>,
}

#[derive(Deserialize)]
struct RawDescriptor {
    #[serde(rename = "mediaType")]
    media_type: String,
    digest: ImageDigest,
    size: u64,
    platform: Option<RawPlatform>,
}

#[derive(Deserialize)]
struct RawPlatform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl ImageManifest {
    /// Reads the manifest of one image, `None` where it is something else.
    pub(super) fn parse(manifest: &Manifest) -> Option<Self> {
        let family = Family::of_manifest(&manifest.descriptor().media_type)?;
        let raw: RawManifest = serde_json::from_slice(manifest.bytes()).ok()?;
        let layers = raw.layers.into_iter().map(RawDescriptor::into_descriptor).collect();
        Some(Self { family, config: raw.config.into_descriptor(), layers })
    }

    /// Writes the one form that a manifest of these parts has.
    pub(super) fn to_manifest(&self) -> Manifest {
        let layers: Vec<Value> = self.layers.iter().map(descriptor).collect();
        let value = json!({
            "schemaVersion": 2,
            "mediaType": self.family.manifest(),
            "config": descriptor(&self.config),
            "layers": layers,
        });
        Manifest::new(self.family.manifest(), canonical_json::to_bytes(&value))
    }
}

impl RawDescriptor {
    fn into_descriptor(self) -> Descriptor {
        Descriptor::new(self.media_type, self.digest, self.size)
    }
}

/// Writes a descriptor as manifests have it.
pub(super) fn descriptor(descriptor: &Descriptor) -> Value {
    json!({"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size})
}

/// Makes the index of images of several platforms, in the order of these.
///
/// # Errors
/// Refuses images of several families: tools refuse mixtures.
pub(super) fn index<'a>(
    images: impl Iterator<Item = (&'a Platform, &'a Manifest)>,
) -> Result<Manifest, String> {
    let (mut entries, mut family) = (Vec::new(), None);
    for (platform, image) in images {
        let own = Family::of_manifest(&image.descriptor().media_type);
        if *family.get_or_insert(own) != own {
            return Err("the bases of its platforms mix Docker's forms with OCI's; name others".to_owned());
        }
        let mut entry = descriptor(image.descriptor());
        let mut on = json!({"os": platform.os, "architecture": platform.architecture});
        if let Some(variant) = &platform.variant {
            on["variant"] = json!(variant);
        }
        entry["platform"] = on;
        entries.push(entry);
    }
    let media_type = family.flatten().unwrap_or(Family::Oci).index();
    let value = json!({"schemaVersion": 2, "mediaType": media_type, "manifests": entries});
    Ok(Manifest::new(media_type, canonical_json::to_bytes(&value)))
}

/// Tells whether a manifest names one image a platform.
pub(super) fn is_index(manifest: &Manifest) -> bool {
    INDEXES.contains(&manifest.descriptor().media_type.as_str())
}

/// Finds the image of a platform in an index.
pub(super) fn pick(index: &Manifest, platform: &Platform) -> Option<ImageDigest> {
    let raw: RawIndex = serde_json::from_slice(index.bytes()).ok()?;
    let fits = |found: &RawDescriptor| {
        found
            .platform
            .as_ref()
            .is_some_and(|found| platform.takes(&found.os, &found.architecture, found.variant.as_deref()))
    };
    raw.manifests.into_iter().find(fits).map(|found| found.digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(family: Family) -> ImageManifest {
        let part = |media_type: &str, text: &str| {
            Descriptor::new(media_type, ImageDigest::of(text.as_bytes()), text.len() as u64)
        };
        ImageManifest {
            family,
            config: part(family.config(), "config"),
            layers: vec![part(family.layer(), "layer")],
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        for family in [Family::Oci, Family::Docker] {
            let manifest = image(family).to_manifest();
            assert_eq!(ImageManifest::parse(&manifest), Some(image(family)));
        }
    }

    #[test]
    fn a_manifest_has_one_form() {
        let text = String::from_utf8(image(Family::Oci).to_manifest().bytes().to_vec()).unwrap();
        let start = r#"{"config":{"digest":"sha256:"#;
        let end = r#""size":5}],"mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2}"#;
        assert!(text.starts_with(start) && text.ends_with(end), "{text}");
    }

    #[test]
    fn an_index_has_one_form_and_leads_to_its_images() {
        let platforms: [Platform; 2] = ["linux/amd64", "linux/arm/v7"].map(|text| text.parse().unwrap());
        let image = image(Family::Oci).to_manifest();
        let both = index(platforms.iter().map(|platform| (platform, &image))).unwrap();
        let text = std::str::from_utf8(both.bytes()).unwrap();
        let end = r#""platform":{"architecture":"arm","os":"linux","variant":"v7"},"size":"#;
        assert!(text.starts_with(r#"{"manifests":[{"digest""#) && text.contains(end), "{text}");
        for platform in &platforms {
            assert_eq!(pick(&both, platform).as_ref(), Some(&image.descriptor().digest));
        }
        let docker = super::tests::image(Family::Docker).to_manifest();
        assert!(index([(&platforms[0], &image), (&platforms[1], &docker)].into_iter()).is_err());
    }

    #[test]
    fn the_image_of_a_platform_is_found() {
        let entry = |architecture: &str, text: &str| {
            let mut entry = descriptor(&Descriptor::new("x", ImageDigest::of(text.as_bytes()), 1));
            entry["platform"] = json!({"os": "linux", "architecture": architecture});
            entry
        };
        let index = json!({"manifests": [entry("arm64", "a"), entry("amd64", "b"), entry("unknown", "c")]});
        let index = Manifest::new(INDEXES[0], serde_json::to_vec(&index).unwrap());
        assert!(is_index(&index) && ImageManifest::parse(&index).is_none());
        assert_eq!(pick(&index, &Platform::default()), Some(ImageDigest::of(b"b")));
        assert_eq!(pick(&index, &"linux/s390x".parse().unwrap()), None);
    }
}
