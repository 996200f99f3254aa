//! The builds of the pretend application: which images its CI announces.

use std::collections::BTreeMap;

use serde::Serialize;

/// The services of the application.
pub(super) const SERVICES: [&str; 12] = [
    "accounts",
    "basket",
    "billing",
    "catalog",
    "checkout",
    "frontend",
    "inventory",
    "mail",
    "payments",
    "search",
    "shipping",
    "users",
];

/// The build whose payments image the repository's check refuses.
pub(super) const DENIED: Build = Build { number: 2 };

/// One build of the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Build {
    /// Which one.
    pub(super) number: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Image {
    digest: String,
    tag: String,
}

impl Build {
    /// Returns the application's commit, 40 hex digits.
    pub(super) fn app_sha(self) -> String {
        hex(&format!("shop {}", self.number))[..40].to_owned()
    }

    /// Returns the digest of a service's image, with its algorithm.
    pub(super) fn digest(self, service: &str) -> String {
        format!("sha256:{}", hex(&format!("{service} {}", self.number)))
    }

    /// Returns the announcement's body.
    pub(super) fn images(self) -> Vec<u8> {
        let image = |service: &str| Image {
            digest: format!("registry.example.com/shop/{service}@{}", self.digest(service)),
            tag: format!("registry.example.com/shop/{service}:{}", self.app_sha()),
        };
        let images: BTreeMap<&str, Image> =
            SERVICES.into_iter().map(|service| (service, image(service))).collect();
        serde_json::to_vec(&images).unwrap_or_default()
    }
}

/// Makes 64 hex digits that look like a hash and are always the same for the same text.
fn hex(text: &str) -> String {
    let seed = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mut digits = fastrand::Rng::with_seed(seed);
    (0..4).map(|_| format!("{:016x}", digits.u64(..))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_always_the_same_and_unlike_another() {
        assert_eq!(DENIED.images(), Build { number: 2 }.images());
        assert_ne!(DENIED.app_sha(), Build { number: 3 }.app_sha());
        assert_eq!(
            DENIED.app_sha().parse::<cfgupdater_core::AppSha>().unwrap().to_string(),
            DENIED.app_sha()
        );
    }
}
