//! Whether announced images may be accepted, by what their registries say of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;

use crate::call::{Refusal, RefusalKind};
use crate::error::{Error, ErrorKind, Retry, explain};
use crate::image::{Image, ImageMap, ImageRef, InvalidImage};
use crate::name::ServiceName;
use crate::registry::{Descriptor, ImageDigest};

/// How many images a refusal tells of; the rest is counted.
const SHOWN: usize = 5;

/// When to come back to a registry that turns the service away: a person has to act first.
const AFTER_A_PERSON: Duration = Duration::from_mins(1);

/// What announced images are asked for at their registries before they are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyImages {
    /// Nothing: no registry is asked.
    #[default]
    Off,
    /// The digest must exist.
    Exists,
    /// The digest must exist, and the tag must name it.
    TagMatches,
}

/// What registries answered, by the reference they were asked about.
pub type RegistryAnswers = BTreeMap<ImageRef, Result<Option<Descriptor>, Error>>;

impl VerifyImages {
    /// Lists what registries must be asked before [`verify_images`] can decide.
    ///
    /// # Errors
    /// Refuses images that are not well formed.
    pub fn questions(self, images: &ImageMap) -> Result<BTreeSet<ImageRef>, InvalidImage> {
        images.check()?;
        let wanted = images.iter().flat_map(|(_, image)| match self {
            Self::Off => [None, None],
            Self::Exists => [Some(&image.digest), None],
            Self::TagMatches => [Some(&image.digest), Some(&image.tag)],
        });
        wanted.flatten().map(|reference| reference.parse()).collect()
    }
}

/// Why an image is not accepted.
#[derive(Debug)]
enum Doubt {
    /// It can't be right as it was announced.
    Wrong(String),
    /// Nobody knows now whether it is right.
    Unknown { why: String, retry_after: Option<Duration> },
}

/// Decides what registries' answers mean for announced images.
///
/// What is wrong counts before what is unknown: repeating such a call helps nobody. What was not asked is unknown.
///
/// # Errors
/// Refuses images that don't exist or whose tag names another digest as invalid, and images that nobody knows about as
/// unavailable.
pub fn verify_images(
    verify: VerifyImages,
    images: &ImageMap,
    answers: &RegistryAnswers,
) -> Result<(), Refusal> {
    let (mut wrong, mut unknown, mut pause) = (Vec::new(), Vec::new(), None);
    for (service, image) in images.iter() {
        match doubt(verify, image, answers) {
            None => {}
            Some(Doubt::Wrong(why)) => wrong.push((service, why)),
            Some(Doubt::Unknown { why, retry_after }) => {
                pause = pause.max(retry_after);
                unknown.push((service, why));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(Refusal::new(RefusalKind::Invalid, told(&wrong)));
    }
    if unknown.is_empty() {
        return Ok(());
    }
    let refusal = Refusal::new(RefusalKind::Unavailable, format!("{}; nothing was accepted", told(&unknown)));
    Err(match pause {
        Some(pause) => refusal.after(pause),
        None => refusal,
    })
}

fn doubt(verify: VerifyImages, image: &Image, answers: &RegistryAnswers) -> Option<Doubt> {
    let (digest, tag) = match (image.digest.parse::<ImageRef>(), image.tag.parse::<ImageRef>()) {
        _ if verify == VerifyImages::Off => return None,
        (Ok(digest), Ok(tag)) => (digest, tag),
        (Err(why), _) | (_, Err(why)) => return Some(Doubt::Wrong(why.to_string())),
    };
    let doubt = digest_doubt(&digest, answers);
    match verify {
        VerifyImages::TagMatches => doubt.or_else(|| tag_doubt(&tag, &digest, answers)),
        _ => doubt,
    }
}

fn digest_doubt(digest: &ImageRef, answers: &RegistryAnswers) -> Option<Doubt> {
    match found(digest, answers) {
        Ok(Some(_)) => None,
        Ok(None) => Some(Doubt::Wrong(format!(
            "{} is not in registry {}; push it before it is announced, or correct its name",
            digest,
            digest.registry()
        ))),
        Err(doubt) => Some(doubt),
    }
}

fn tag_doubt(tag: &ImageRef, digest: &ImageRef, answers: &RegistryAnswers) -> Option<Doubt> {
    let registry = tag.registry();
    match found(tag, answers) {
        Ok(Some(named)) if Some(named.as_str()) == digest.digest() => None,
        Ok(Some(named)) => Some(Doubt::Wrong(format!(
            "the tag {tag} names {named} in registry {registry}, but {} was announced; announce what the tag names, or push the tag again",
            digest.digest().unwrap_or_default()
        ))),
        Ok(None) => Some(Doubt::Wrong(format!(
            "the tag {tag} is not in registry {registry}; push it before it is announced, or correct it"
        ))),
        Err(doubt) => Some(doubt),
    }
}

/// Reads an answer; one that is missing came too late.
fn found<'a>(image: &ImageRef, answers: &'a RegistryAnswers) -> Result<Option<&'a ImageDigest>, Doubt> {
    match answers.get(image) {
        Some(Ok(found)) => Ok(found.as_ref().map(|found| &found.digest)),
        Some(Err(error)) => Err(in_doubt(image, error)),
        None => {
            let why =
                format!("registry {} did not tell of {image} in time; repeat the call", image.registry());
            Err(Doubt::Unknown { why, retry_after: None })
        }
    }
}

fn in_doubt(image: &ImageRef, error: &Error) -> Doubt {
    let (registry, cause) = (image.registry(), explain(error));
    match error.kind() {
        ErrorKind::Invalid => Doubt::Wrong(format!("{image} can't be looked up: {cause}")),
        // Many registries say so of repositories that don't exist, too.
        ErrorKind::Unauthenticated | ErrorKind::Forbidden => Doubt::Unknown {
            why: format!(
                "registry {registry} doesn't let this service see {image}: {cause}; check that the repository exists, and the login in auth_file of the service's [[registry]]"
            ),
            retry_after: Some(AFTER_A_PERSON),
        },
        _ => Doubt::Unknown {
            why: format!("registry {registry} can't be asked about {image}: {cause}; repeat the call"),
            retry_after: match error.retry() {
                Retry::After(pause) => Some(pause),
                Retry::Never | Retry::Backoff => None,
            },
        },
    }
}

fn told(doubts: &[(&ServiceName, String)]) -> String {
    let lines = doubts.iter().take(SHOWN).map(|(service, why)| format!("service `{service}`: {why}"));
    let text = lines.collect::<Vec<_>>().join("; ");
    match doubts.len().saturating_sub(SHOWN) {
        0 => text,
        more => format!("{text}; and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(of: &str) -> ImageDigest {
        ImageDigest::of(of.as_bytes())
    }

    fn images(services: &[(&str, &str)]) -> ImageMap {
        let image = |content: &str| Image {
            digest: format!("r.example.com/a@{}", digest(content)),
            tag: "r.example.com/a:v1".to_owned(),
        };
        ImageMap::new(
            services.iter().map(|(service, content)| (service.parse().unwrap(), image(content))).collect(),
        )
    }

    #[expect(clippy::unnecessary_wraps, reason = "an answer, beside those that are errors")]
    fn there(content: &str) -> Result<Option<Descriptor>, Error> {
        Ok(Some(Descriptor::new("x/y", digest(content), 1)))
    }

    /// Decides on one image whose content is `x`, by what is answered about its digest and about its tag.
    fn decide(
        verify: VerifyImages,
        by_digest: Result<Option<Descriptor>, Error>,
        by_tag: Result<Option<Descriptor>, Error>,
    ) -> Result<(), Refusal> {
        let images = images(&[("Web", "x")]);
        let mut answers = RegistryAnswers::new();
        let both = verify.questions(&images).unwrap();
        let (mut by_digest, mut by_tag) = (Some(by_digest), Some(by_tag));
        for question in both {
            let answer = if question.digest().is_some() { by_digest.take() } else { by_tag.take() };
            answers.insert(question, answer.unwrap());
        }
        verify_images(verify, &images, &answers)
    }

    fn failed(kind: ErrorKind) -> Result<Option<Descriptor>, Error> {
        Err(Error::new(kind, "it went wrong"))
    }

    #[test]
    fn only_what_is_asked_for_is_asked() {
        let images = images(&[("Web", "x"), ("Api", "x"), ("Worker", "y")]);
        let asked = |verify: VerifyImages| verify.questions(&images).unwrap().len();
        assert_eq!([VerifyImages::Off, VerifyImages::Exists, VerifyImages::TagMatches].map(asked), [0, 2, 3]);
        assert!(VerifyImages::Exists.questions(&ImageMap::default()).is_err());
    }

    #[test]
    fn without_verification_nothing_is_refused() {
        assert_eq!(verify_images(VerifyImages::Off, &images(&[("A", "x")]), &RegistryAnswers::new()), Ok(()));
    }

    #[test]
    fn what_is_no_reference_is_wrong() {
        let good = format!("r.example.com/a@{}", digest("x"));
        for (digest, tag) in
            [("r.example.com/A B", "r.example.com/a:v1"), (good.as_str(), "r.example.com/a:")]
        {
            let image = Image { digest: digest.to_owned(), tag: tag.to_owned() };
            let images = ImageMap::new([("Web".parse().unwrap(), image)].into());
            let answers = RegistryAnswers::from([(good.parse().unwrap(), there("x"))]);
            for verify in [VerifyImages::Exists, VerifyImages::TagMatches] {
                let refusal = verify_images(verify, &images, &answers).unwrap_err();
                assert_eq!(refusal.kind, RefusalKind::Invalid, "{digest} {tag}");
                assert!(refusal.detail.starts_with("service `Web`: "), "{refusal}");
            }
            assert_eq!(verify_images(VerifyImages::Off, &images, &answers), Ok(()));
        }
    }

    #[test]
    fn a_digest_must_exist() {
        assert_eq!(decide(VerifyImages::Exists, there("x"), Ok(None)), Ok(()));
        let refusal = decide(VerifyImages::Exists, Ok(None), Ok(None)).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Invalid);
        let wanted = format!(
            "service `Web`: r.example.com/a@{} is not in registry r.example.com; push it",
            digest("x")
        );
        assert!(refusal.detail.starts_with(&wanted), "{refusal}");
    }

    #[test]
    fn a_tag_must_name_the_digest() {
        assert_eq!(decide(VerifyImages::TagMatches, there("x"), there("x")), Ok(()));
        let refusal = decide(VerifyImages::TagMatches, there("x"), there("y")).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Invalid);
        for named in ["r.example.com/a:v1", digest("x").as_str(), digest("y").as_str()] {
            assert!(refusal.detail.contains(named), "{refusal}");
        }
        let refusal = decide(VerifyImages::TagMatches, there("x"), Ok(None)).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Invalid);
        assert!(refusal.detail.contains("the tag r.example.com/a:v1 is not in registry"), "{refusal}");
    }

    #[test]
    fn a_registry_that_is_away_promises_nothing() {
        for kind in [ErrorKind::Unavailable, ErrorKind::TimedOut, ErrorKind::RateLimited, ErrorKind::Other] {
            let refusal = decide(VerifyImages::TagMatches, there("x"), failed(kind)).unwrap_err();
            assert_eq!((refusal.kind, refusal.retry_after), (RefusalKind::Unavailable, None), "{kind:?}");
            assert!(refusal.detail.contains("nothing was accepted"), "{refusal}");
        }
        let missing =
            verify_images(VerifyImages::Exists, &images(&[("A", "x")]), &RegistryAnswers::new()).unwrap_err();
        assert_eq!(missing.kind, RefusalKind::Unavailable);
        assert!(missing.detail.contains("in time"), "{missing}");
    }

    #[test]
    fn the_registrys_own_advice_is_passed_on() {
        let advice = Duration::from_mins(10);
        let busy = Err(Error::new(ErrorKind::RateLimited, "slow down").with_retry(Retry::After(advice)));
        assert_eq!(decide(VerifyImages::Exists, busy, Ok(None)).unwrap_err().retry_after, Some(advice));
    }

    #[test]
    fn a_login_that_will_not_do_is_explained() {
        for kind in [ErrorKind::Unauthenticated, ErrorKind::Forbidden] {
            let refusal = decide(VerifyImages::Exists, failed(kind), Ok(None)).unwrap_err();
            assert_eq!((refusal.kind, refusal.retry_after), (RefusalKind::Unavailable, Some(AFTER_A_PERSON)));
            assert!(refusal.detail.contains("auth_file"), "{refusal}");
        }
    }

    #[test]
    fn what_is_wrong_counts_before_what_is_unknown() {
        let images = images(&[("Api", "x"), ("Web", "y")]);
        let mut questions = VerifyImages::Exists.questions(&images).unwrap().into_iter();
        let (one, other) = (questions.next().unwrap(), questions.next().unwrap());
        let answers = RegistryAnswers::from([(one, failed(ErrorKind::Unavailable)), (other, Ok(None))]);
        let refusal = verify_images(VerifyImages::Exists, &images, &answers).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Invalid);
        assert!(!refusal.detail.contains("it went wrong"), "{refusal}");
    }

    #[test]
    fn many_images_are_not_all_told_of() {
        let names: Vec<String> = (0..30).map(|n| format!("S{n}")).collect();
        let services: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
        let images = images(&services);
        let answers =
            VerifyImages::Exists.questions(&images).unwrap().into_iter().map(|asked| (asked, Ok(None)));
        let refusal = verify_images(VerifyImages::Exists, &images, &answers.collect()).unwrap_err();
        assert!(refusal.detail.ends_with("; and 25 more"), "{refusal}");
    }
}
