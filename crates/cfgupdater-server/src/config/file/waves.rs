//! `[[repo.image_set]]` and `[[repo.wave]]`.

use cfgupdater::core::{FreezeWindow, ReleaseIdentity, SetName, TargetName, VerifyImages, WaveName};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::config::duration::Span;
use crate::config::render::{LayoutKind, Services};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImageSet {
    pub(crate) name: Spanned<SetName>,
    pub(crate) path: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) layout: LayoutKind,
    #[serde(default)]
    pub(crate) services: Services,
    #[serde(default)]
    pub(crate) waves: Vec<Spanned<WaveName>>,
    #[serde(default)]
    pub(crate) release_identity: ReleaseIdentity,
    /// The name of a file beside the images that holds their release, for manifests to embed.
    pub(crate) release_file: Option<Spanned<String>>,
    pub(crate) verify_images: Option<Spanned<VerifyImages>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wave {
    pub(crate) name: Spanned<WaveName>,
    pub(crate) targets: Spanned<Vec<Target>>,
    pub(crate) soak: Option<Span>,
    #[serde(default)]
    pub(crate) approval: bool,
    #[serde(default, deserialize_with = "windows")]
    pub(crate) freeze: Vec<FreezeWindow>,
}

/// A target: its name, or its name with the sets it runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a target's name, or { name = \"…\", sets = [\"…\"] }")]
pub(crate) enum Target {
    Name(TargetName),
    Limited(LimitedTarget),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitedTarget {
    pub(crate) name: TargetName,
    #[serde(default)]
    pub(crate) sets: Vec<SetName>,
}

impl Target {
    pub(crate) fn name(&self) -> &TargetName {
        match self {
            Self::Name(name) => name,
            Self::Limited(limited) => &limited.name,
        }
    }

    pub(crate) fn sets(&self) -> &[SetName] {
        match self {
            Self::Name(_) => &[],
            Self::Limited(limited) => &limited.sets,
        }
    }
}

fn windows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<FreezeWindow>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect()
}
