//! Releases by number: images whose content is told by one byte, made once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use cfgupdater_core::{AppSha, Image, ImageMap, ObjectId, Release};

/// How many releases exist; number 0 stands for "no images".
pub const RELEASES: u8 = 64;

thread_local! {
    // Images are shared by counting: one count for all threads would be written by all of them all the time.
    static IMAGES: Vec<ImageMap> = (0..RELEASES).map(make).collect();
}

static KNOWN: LazyLock<Vec<Release>> =
    LazyLock::new(|| (0..RELEASES).map(|number| make(number).release()).collect());

static NUMBERS: LazyLock<BTreeMap<Release, u8>> =
    LazyLock::new(|| KNOWN.iter().copied().zip(0..RELEASES).skip(1).collect());

fn make(number: u8) -> ImageMap {
    let image = Image { digest: format!("r/a@sha256:{number:064x}"), tag: format!("r/a:{number}") };
    ImageMap::new([("a".parse().expect("a valid name"), image)].into())
}

/// Returns the images of a release.
pub fn images(number: u8) -> ImageMap {
    IMAGES.with(|images| images[usize::from(number % RELEASES)].clone())
}

/// Returns the release of a number; `None` for 0.
pub fn release(number: u8) -> Option<Release> {
    (number != 0).then(|| KNOWN[usize::from(number % RELEASES)])
}

/// Returns the number of a release, 0 where it is none of ours.
pub fn number(release: Release) -> u8 {
    NUMBERS.get(&release).copied().unwrap_or(0)
}

/// Returns the application's commit that a release was built from.
pub fn app_sha(number: u8) -> AppSha {
    AppSha::new(ObjectId::from_bytes(&[number; 20]).expect("twenty bytes make an id"))
}
