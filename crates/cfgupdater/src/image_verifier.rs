//! [`ImageVerifier`]: asks registries about announced images, before anything is accepted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cfgupdater_core::{
    ImageMap, ImageRef, Refusal, RefusalKind, Registry, RegistryAnswers, VerifyImages, verify_images,
};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How many questions are under way at once, of all calls together.
const AT_A_TIME: usize = 32;

/// How long a call waits for registries. What is unknown by then is unavailable.
const DEADLINE: Duration = Duration::from_secs(10);

/// Asks registries about announced images. Clones share their limits.
///
/// The engine asks nobody: a call to it is never held up by a registry. The HTTP service verifies each announcement that it
/// takes; who announces by [`RepoHandle`](crate::RepoHandle) instead calls [`verify`](Self::verify) before, with
/// `verify_images` of the image set's policy.
#[derive(Debug, Clone)]
pub struct ImageVerifier {
    registry: Arc<dyn Registry>,
    slots: Arc<Semaphore>,
    deadline: Duration,
}

impl ImageVerifier {
    /// Builds a verifier that asks 32 questions at a time and makes a call wait 10 s at most.
    pub fn new(registry: Arc<dyn Registry>) -> Self {
        Self { registry, slots: Arc::new(Semaphore::new(AT_A_TIME)), deadline: DEADLINE }
    }

    /// Makes a call wait this long at most.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Tells whether announced images may be accepted, as far as registries have a say in it. Nothing is asked where
    /// nothing is to be verified.
    ///
    /// # Errors
    /// Refuses images that are not well formed, and as [`verify_images`] does.
    pub async fn verify(&self, verify: VerifyImages, images: &ImageMap) -> Result<(), Refusal> {
        if verify == VerifyImages::Off {
            return Ok(());
        }
        let questions = verify.questions(images);
        let questions = questions.map_err(|why| Refusal::new(RefusalKind::Invalid, why.to_string()))?;
        verify_images(verify, images, &self.answers(questions).await)
    }

    /// Asks all questions, as many at a time as there are slots. Those without an answer at the deadline are dropped.
    async fn answers(&self, questions: BTreeSet<ImageRef>) -> RegistryAnswers {
        let mut tasks = JoinSet::new();
        for image in questions {
            let (registry, slots) = (Arc::clone(&self.registry), Arc::clone(&self.slots));
            tasks.spawn(async move {
                // The semaphore is never closed.
                let _slot = slots.acquire().await;
                let answer = registry.resolve(&image).await;
                (image, answer)
            });
        }
        let mut answers = RegistryAnswers::new();
        let all = async {
            while let Some(answered) = tasks.join_next().await {
                answers.extend(answered);
            }
        };
        // What is missing afterwards is judged as unknown.
        let _ = tokio::time::timeout(self.deadline, all).await;
        answers
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use cfgupdater_core::{Descriptor, Error, Image, ImageDigest, Manifest};
    use tokio::sync::Notify;

    use super::*;

    /// A registry that has everything under one digest, and answers only when it is told to.
    #[derive(Debug, Default)]
    struct Slow {
        asked: AtomicUsize,
        at_once: AtomicUsize,
        most_at_once: AtomicUsize,
        go: Notify,
        silent: bool,
    }

    #[async_trait]
    impl Registry for Slow {
        async fn resolve(&self, image: &ImageRef) -> Result<Option<Descriptor>, Error> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(now, Ordering::SeqCst);
            if self.silent {
                self.go.notified().await;
            }
            tokio::task::yield_now().await;
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            let digest = image.digest().and_then(|digest| digest.parse().ok());
            Ok(Some(Descriptor::new("x/y", digest.unwrap_or(ImageDigest::of(b"0")), 1)))
        }

        async fn manifest(&self, _image: &ImageRef) -> Result<Option<Manifest>, Error> {
            unreachable!("only digests are asked for")
        }
    }

    fn images(number: usize) -> ImageMap {
        let image = |n: usize| Image {
            digest: format!("r.example.com/a{n}@{}", ImageDigest::of(n.to_string().as_bytes())),
            tag: format!("r.example.com/a{n}:v1"),
        };
        let images: BTreeMap<_, _> =
            (0..number).map(|n| (format!("S{n}").parse().unwrap(), image(n))).collect();
        ImageMap::new(images)
    }

    #[tokio::test]
    async fn questions_are_asked_side_by_side_but_not_all_at_once() {
        let registry = Arc::new(Slow::default());
        let verifier = ImageVerifier::new(registry.clone());
        verifier.verify(VerifyImages::Exists, &images(200)).await.unwrap();
        assert_eq!(registry.asked.load(Ordering::SeqCst), 200);
        let most = registry.most_at_once.load(Ordering::SeqCst);
        assert!(most > 1 && most <= AT_A_TIME, "{most}");
    }

    #[tokio::test]
    async fn where_nothing_is_verified_nobody_is_asked() {
        let registry = Arc::new(Slow::default());
        ImageVerifier::new(registry.clone()).verify(VerifyImages::Off, &ImageMap::default()).await.unwrap();
        assert_eq!(registry.asked.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn a_registry_that_does_not_answer_is_not_waited_for() {
        let registry = Arc::new(Slow { silent: true, ..Slow::default() });
        let verifier = ImageVerifier::new(registry).with_deadline(Duration::from_millis(10));
        let refusal = verifier.verify(VerifyImages::Exists, &images(2)).await.unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Unavailable);
    }

    #[tokio::test]
    async fn what_the_answers_mean_is_the_cores_word() {
        let verifier = ImageVerifier::new(Arc::new(Slow::default()));
        let one = images(1);
        verifier.verify(VerifyImages::TagMatches, &one).await.unwrap();
        let refusal = verifier.verify(VerifyImages::TagMatches, &images(2)).await.unwrap_err();
        assert!(refusal.detail.contains("the tag r.example.com/a1:v1 names"), "{refusal}");
        let malformed = verifier.verify(VerifyImages::Exists, &ImageMap::default()).await.unwrap_err();
        assert_eq!(malformed.kind, RefusalKind::Invalid);
    }
}
