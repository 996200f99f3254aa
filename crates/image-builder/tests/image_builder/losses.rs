//! A registry that lost some of what it had: the next build brings it back.

use cfgupdater_core::{ImageDigest, Registry};
use cfgupdater_image_builder::{BuildOptions, CacheMode, Change, build};

use crate::app::{App, digests, options};
use crate::double::Double;
use crate::support::anonymous;

/// How a build finds out that nothing changed.
fn ways(cache: &tempfile::TempDir) -> [BuildOptions; 3] {
    let mut remembering = options(2);
    remembering.cache_directory = Some(cache.path().to_owned());
    let mut trusting = options(2);
    trusting.cache = CacheMode::Trust;
    [options(2), remembering, trusting]
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_was_lost_is_sent_again() {
    for way in 0..3 {
        let (double, cache) = (Double::start(), tempfile::tempdir().unwrap());
        let app = App::new(&double.address);
        let mut first = options(1);
        first.cache_directory = Some(cache.path().to_owned());
        let before = app.build(&anonymous(), &first).await.unwrap();
        double.lose_content("team/app-cd-web");
        let after = app.build(&anonymous(), &ways(&cache)[way]).await.unwrap();
        assert_eq!(digests(&after), digests(&before));
        let sent: Vec<usize> = after.iter().map(|image| image.blobs_sent).collect();
        assert_eq!(sent, [0, 2, 0], "{way}: Web's alone");
        assert!(after.iter().all(|image| image.change == Change::Unchanged));
        let tag = after[1].repository.tagged(&after[1].tag).unwrap();
        assert_eq!(anonymous().resolve(&tag).await.unwrap().unwrap().digest, before[1].digest);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_an_index_that_was_lost_is_made_again() {
    for loses_content in [false, true] {
        let double = Double::start();
        let app = App::new(&double.address);
        let platforms = ["linux/amd64", "linux/arm64"].map(|platform| platform.parse().unwrap());
        let file = app.images().with_platforms(&platforms);
        let before = build(&file, &anonymous(), &options(1), |_| ()).await.unwrap();
        let web = &before[1];
        let index = anonymous().manifest(&web.repository.at(&web.digest).unwrap()).await.unwrap().unwrap();
        let index: serde_json::Value = serde_json::from_slice(index.bytes()).unwrap();
        let image: ImageDigest = index["manifests"][0]["digest"].as_str().unwrap().parse().unwrap();
        double.lose_manifest(web.repository.path(), &image);
        if loses_content {
            double.lose_content(web.repository.path());
        }
        let after = build(&file, &anonymous(), &options(2), |_| ()).await.unwrap();
        assert_eq!(digests(&after), digests(&before));
        assert!(anonymous().exists(&web.repository.at(&image).unwrap()).await.unwrap());
        assert_eq!(after[1].blobs_sent > 0, loses_content, "{:?}", after[1]);
    }
}
