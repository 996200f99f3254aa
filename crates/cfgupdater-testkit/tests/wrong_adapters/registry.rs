//! Registries that are wrong on purpose, and the cases that each of them fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use cfgupdater_core::{Descriptor, Error, ErrorKind, ImageDigest, ImageRef, Manifest, Registry, Retry};
use cfgupdater_testkit::conformance::registry::{self, RegistryHarness, Trouble, Unable};
use cfgupdater_testkit::memory::MemoryRegistry;

/// What is wrong with an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    TakesErrorsForAbsence,
    LosesAdvice,
    TakesAnyBytes,
    FailsOnAbsence,
    GoesByTheTagOfBoth,
    SuppliesLatest,
    RemembersTags,
    RewritesBytes,
    PicksAPlatform,
    TurnsDockersIntoOci,
    FoldsTags,
    MixesRepositories,
    SaysThatAllExists,
}

const WRONG: &[(Wrong, &[&str])] = &[
    (
        Wrong::TakesErrorsForAbsence,
        &[
            "a_rate_limit_carries_advice",
            "a_reference_without_either_is_refused",
            "a_refused_login_is_an_error",
            "an_outage_is_no_absence",
            "bytes_of_another_digest_are_refused",
        ],
    ),
    (Wrong::LosesAdvice, &["a_rate_limit_carries_advice", "a_refused_login_is_an_error"]),
    (Wrong::TakesAnyBytes, &["bytes_of_another_digest_are_refused"]),
    (
        Wrong::FailsOnAbsence,
        &[
            "a_reference_with_both_goes_by_its_digest",
            "existing_is_being_resolved",
            "repositories_are_apart",
            "what_is_not_there_is_none",
            "what_was_deleted_is_none",
        ],
    ),
    (Wrong::GoesByTheTagOfBoth, &["a_reference_with_both_goes_by_its_digest"]),
    (Wrong::SuppliesLatest, &["a_reference_without_either_is_refused"]),
    (Wrong::RemembersTags, &["a_moved_tag_names_the_new_manifest"]),
    (
        Wrong::RewritesBytes,
        &[
            "a_digest_names_a_manifest",
            "a_moved_tag_names_the_new_manifest",
            "a_reference_with_both_goes_by_its_digest",
            "a_tag_names_a_manifest",
            "an_index_is_resolved_as_itself",
            "an_outage_is_no_absence",
            "bytes_are_kept_as_they_were_pushed",
            "bytes_of_another_digest_are_refused",
            "dockers_forms_are_kept",
            "many_questions_at_once_have_the_same_answer",
            "repositories_are_apart",
            "the_longest_names_are_found",
            "what_was_deleted_is_none",
        ],
    ),
    (Wrong::PicksAPlatform, &["an_index_is_resolved_as_itself", "dockers_forms_are_kept"]),
    (Wrong::TurnsDockersIntoOci, &["dockers_forms_are_kept"]),
    (Wrong::FoldsTags, &["the_longest_names_are_found"]),
    (Wrong::MixesRepositories, &["repositories_are_apart"]),
    (
        Wrong::SaysThatAllExists,
        &[
            "a_reference_with_both_goes_by_its_digest",
            "existing_is_being_resolved",
            "repositories_are_apart",
            "what_is_not_there_is_none",
            "what_was_deleted_is_none",
        ],
    ),
];

/// The in-memory registry, seen through a wrong adapter.
#[derive(Debug)]
struct WrongRegistry {
    inner: MemoryRegistry,
    wrong: Wrong,
    remembered: Mutex<BTreeMap<ImageRef, Manifest>>,
    trouble: Mutex<Option<Trouble>>,
}

impl WrongRegistry {
    fn new(wrong: Wrong) -> Self {
        let inner = MemoryRegistry::new("registry.test");
        Self { inner, wrong, remembered: Mutex::default(), trouble: Mutex::default() }
    }

    /// Asks for something else than was meant.
    fn meant(&self, image: &ImageRef) -> ImageRef {
        let text = image.to_string();
        let other = match (self.wrong, image.tag(), image.digest()) {
            (Wrong::GoesByTheTagOfBoth, Some(_), Some(digest)) => text.replace(&format!("@{digest}"), ""),
            (Wrong::SuppliesLatest, None, None) => format!("{text}:latest"),
            (Wrong::FoldsTags, Some(tag), None) => {
                text.replace(&format!(":{tag}"), &format!(":{}", tag.to_lowercase()))
            }
            (Wrong::MixesRepositories, _, Some(_)) => text.replace("/below@", "@"),
            _ => text,
        };
        other.parse().unwrap()
    }

    /// Makes something else of what was found.
    async fn altered(&self, image: &ImageRef, found: Manifest) -> Manifest {
        let (text, form) =
            (String::from_utf8_lossy(found.bytes()).into_owned(), &found.descriptor().media_type);
        match self.wrong {
            Wrong::RewritesBytes => {
                let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                Manifest::new(form, value.to_string().into_bytes())
            }
            Wrong::PicksAPlatform if form.contains("index") || form.contains("list") => {
                let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                let digest = value["manifests"][0]["digest"].as_str().unwrap();
                let first = format!("{}@{digest}", image.repository()).parse().unwrap();
                self.inner.manifest(&first).await.unwrap().unwrap()
            }
            Wrong::TurnsDockersIntoOci if form.contains("docker") => {
                Manifest::new("application/vnd.oci.image.manifest.v1+json", found.bytes().to_vec())
            }
            _ => found,
        }
    }

    async fn answer(&self, image: &ImageRef) -> Result<Option<Manifest>, Error> {
        let image = self.meant(image);
        if self.wrong == Wrong::RemembersTags
            && let Some(known) = self.remembered.lock().unwrap().get(&image)
        {
            return Ok(Some(known.clone()));
        }
        let found = match (self.inner.manifest(&image).await, self.wrong) {
            (Err(_), Wrong::TakesErrorsForAbsence) => return Ok(None),
            (Err(error), Wrong::LosesAdvice) => return Err(error.with_retry(Retry::Backoff)),
            (Err(_), Wrong::TakesAnyBytes) if *self.trouble.lock().unwrap() == Some(Trouble::OtherBytes) => {
                return Ok(Some(Manifest::new("x/y", b"{}".to_vec())));
            }
            (Ok(None), Wrong::FailsOnAbsence) => {
                return Err(Error::new(ErrorKind::NotFound, "it is not there"));
            }
            (found, _) => found?,
        };
        let Some(found) = found else { return Ok(None) };
        let found = self.altered(&image, found).await;
        self.remembered.lock().unwrap().insert(image, found.clone());
        Ok(Some(found))
    }
}

#[async_trait]
impl Registry for WrongRegistry {
    async fn resolve(&self, image: &ImageRef) -> Result<Option<Descriptor>, Error> {
        Ok(self.answer(image).await?.map(|found| found.descriptor().clone()))
    }

    async fn manifest(&self, image: &ImageRef) -> Result<Option<Manifest>, Error> {
        self.answer(image).await
    }

    async fn exists(&self, image: &ImageRef) -> Result<bool, Error> {
        let is_there = self.answer(image).await?.is_some();
        Ok(is_there || self.wrong == Wrong::SaysThatAllExists)
    }
}

#[async_trait]
impl RegistryHarness for WrongRegistry {
    fn registry(&self) -> &dyn Registry {
        self
    }

    fn host(&self) -> String {
        self.inner.host()
    }

    async fn put_blob(&self, repository: &str, bytes: &[u8]) {
        RegistryHarness::put_blob(&self.inner, repository, bytes).await;
    }

    async fn put_manifest(&self, repository: &str, tag: Option<&str>, manifest: &Manifest) {
        RegistryHarness::put_manifest(&self.inner, repository, tag, manifest).await;
    }

    async fn delete_manifest(&self, repository: &str, digest: &ImageDigest) {
        RegistryHarness::delete_manifest(&self.inner, repository, digest).await;
    }

    async fn cause(&self, trouble: Trouble) -> Result<(), Unable> {
        *self.trouble.lock().unwrap() = Some(trouble);
        self.inner.cause(trouble).await
    }

    async fn cure(&self) {
        *self.trouble.lock().unwrap() = None;
        self.inner.cure().await;
    }
}

/// Runs the cases on a wrong registry, and returns for each whether it fails.
macro_rules! outcomes {
    ($wrong:expr; $($case:ident)*) => {{
        let mut outcomes = BTreeMap::new();
        $(
            let registry = WrongRegistry::new($wrong);
            let ended = tokio::spawn(async move { registry::$case(&registry).await }).await;
            outcomes.insert(stringify!($case), ended.is_err());
        )*
        outcomes
    }};
}

async fn outcomes(wrong: Wrong) -> BTreeMap<&'static str, bool> {
    outcomes! { wrong;
        what_is_not_there_is_none
        a_tag_names_a_manifest
        a_digest_names_a_manifest
        a_moved_tag_names_the_new_manifest
        a_reference_with_both_goes_by_its_digest
        a_reference_without_either_is_refused
        existing_is_being_resolved
        bytes_are_kept_as_they_were_pushed
        an_index_is_resolved_as_itself
        dockers_forms_are_kept
        what_was_deleted_is_none
        repositories_are_apart
        the_longest_names_are_found
        many_questions_at_once_have_the_same_answer
        an_outage_is_no_absence
        a_refused_login_is_an_error
        a_rate_limit_carries_advice
        bytes_of_another_digest_are_refused
    }
}

#[tokio::test]
async fn each_wrong_registry_fails_exactly_the_cases_named_for_it() {
    let (mut surprises, mut idle) = (Vec::new(), None);
    for (wrong, expected) in WRONG {
        let outcomes = outcomes(*wrong).await;
        let idle = idle.get_or_insert_with(|| outcomes.keys().copied().collect::<BTreeSet<_>>());
        let failed: BTreeSet<&str> =
            outcomes.into_iter().filter(|(_, fails)| *fails).map(|(case, _)| case).collect();
        idle.retain(|case| !failed.contains(case));
        if failed != expected.iter().copied().collect() {
            surprises.push(format!("{wrong:?} fails {failed:#?}"));
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    assert_eq!(idle, Some(BTreeSet::new()), "no wrong registry shows that these cases can fail");
}
