//! [`together`]: something done with each image, at the same time.

use std::collections::BTreeMap;

use cfgupdater_core::{Error, ErrorKind, explain};
use tokio::task::JoinSet;

use super::image_spec::ImageSpec;

/// Builds images at the same time. `progress` is told of each as it is done; they come back in their order.
///
/// # Errors
/// Fails where any image can't be built, and says so of each that can't.
pub(super) async fn together<T, F>(
    images: impl IntoIterator<Item = &ImageSpec>,
    build: impl Fn(ImageSpec) -> F,
    progress: impl Fn(&T),
) -> Result<Vec<T>, Error>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Error>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for (n, image) in images.into_iter().cloned().enumerate() {
        let name = image.name().to_owned();
        let building = build(image);
        tasks.spawn(async move { (n, building.await.map_err(|error| of_image(&name, &error))) });
    }
    let (mut built, mut failures) = (BTreeMap::new(), BTreeMap::new());
    while let Some(ended) = tasks.join_next().await {
        let (n, outcome) =
            ended.map_err(|cause| Error::new(ErrorKind::Other, "a build broke off").with_source(cause))?;
        match outcome {
            Ok(image) => {
                progress(&image);
                built.insert(n, image);
            }
            Err(error) => {
                failures.insert(n, error);
            }
        }
    }
    all_in_one(failures).map_or_else(|| Ok(built.into_values().collect()), Err)
}

/// Says which image an error is about.
pub(super) fn of_image(name: &str, error: &Error) -> Error {
    Error::new(error.kind(), format!("{name}: {}", explain(error))).with_retry(error.retry())
}

/// Joins errors line by line; the first one's kind counts.
fn all_in_one(failures: BTreeMap<usize, Error>) -> Option<Error> {
    let mut failures = failures.into_values();
    let first = failures.next()?;
    let others: Vec<String> = failures.map(|error| error.to_string()).collect();
    if others.is_empty() {
        return Some(first);
    }
    Some(Error::new(first.kind(), format!("{first}\n{}", others.join("\n"))).with_retry(first.retry()))
}
