//! Trouble: what could not be found out is an error, never an absence.

use std::time::Duration;

use cfgupdater_core::{Error, ErrorKind, ImageRef, Retry};

use super::{RegistryHarness, Trouble, by_digest, by_tag, names, push};

/// How long the case of a rate limit is told to wait; it doesn't.
const PAUSE: Duration = Duration::from_secs(7);

/// Asks all that can be asked about an image, and checks that every answer is an error.
async fn errors(harness: &dyn RegistryHarness, image: &ImageRef) -> Vec<Error> {
    let registry = harness.registry();
    let answers = [
        registry.resolve(image).await.map(|found| found.is_some()),
        registry.manifest(image).await.map(|found| found.is_some()),
        registry.exists(image).await,
    ];
    let error = |answer: Result<bool, Error>| match answer {
        Ok(is_there) => panic!("{image}: nobody can know that, but the answer is {is_there}"),
        Err(error) => error,
    };
    answers.into_iter().map(error).collect()
}

/// Causes trouble; tells whether that is possible.
async fn cause(harness: &dyn RegistryHarness, trouble: Trouble) -> bool {
    harness.cause(trouble).await.is_ok()
}

/// While a registry is away, nothing is absent, and asking again is worth it; afterwards everything is there.
pub async fn an_outage_is_no_absence(harness: &dyn RegistryHarness) {
    let manifest = push(harness, "outage", Some("v1"), "content").await;
    let (known, unknown) = (by_tag(harness, "outage", "v1"), by_tag(harness, "outage", "v2"));
    if !cause(harness, Trouble::Outage).await {
        return;
    }
    for image in [&known, &unknown] {
        for error in errors(harness, image).await {
            assert_ne!(error.retry(), Retry::Never, "{error}");
        }
    }
    harness.cure().await;
    names(harness, &known, &manifest).await;
}

/// A registry that doesn't let us in says nothing of what is there.
pub async fn a_refused_login_is_an_error(harness: &dyn RegistryHarness) {
    push(harness, "refused", Some("v1"), "content").await;
    if !cause(harness, Trouble::RefusedLogin).await {
        return;
    }
    for tag in ["v1", "v2"] {
        for error in errors(harness, &by_tag(harness, "refused", tag)).await {
            let kind = error.kind();
            assert!(matches!(kind, ErrorKind::Unauthenticated | ErrorKind::Forbidden), "{kind:?}: {error}");
            assert_eq!(error.retry(), Retry::Never, "{error}");
        }
    }
    harness.cure().await;
}

/// A rate limit is told as one, with the pause that the registry asks for.
pub async fn a_rate_limit_carries_advice(harness: &dyn RegistryHarness) {
    push(harness, "limited", Some("v1"), "content").await;
    if !cause(harness, Trouble::RateLimit(PAUSE)).await {
        return;
    }
    for error in errors(harness, &by_tag(harness, "limited", "v1")).await {
        assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, Retry::After(PAUSE)), "{error}");
    }
    harness.cure().await;
}

/// Bytes that don't have the digest they were asked for by are never returned.
pub async fn bytes_of_another_digest_are_refused(harness: &dyn RegistryHarness) {
    let manifest = push(harness, "altered", Some("v1"), "content").await;
    let image = by_digest(harness, "altered", &manifest.descriptor().digest);
    if !cause(harness, Trouble::OtherBytes).await {
        return;
    }
    if let Ok(found) = harness.registry().manifest(&image).await {
        panic!("{image}: it was altered on its way, but came back as {found:?}");
    }
    harness.cure().await;
    names(harness, &image, &manifest).await;
}
