//! Looks at the settings of a forge, when its repository opens and now and then.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use cfgupdater::RepoHandle;
use cfgupdater::core::{Forge, RepoName, explain};
use tokio::time::sleep;
use tracing::warn;

use crate::slot::Slot;

/// How often settings are looked at: people change them now and then, and each look costs some requests.
const EVERY: Duration = Duration::from_hours(1);

/// How soon they are looked at again where they could not be, or where nothing works with them: somebody is about to
/// mend that.
const AGAIN: Duration = Duration::from_mins(5);

/// Tells what the forge's settings would refuse, while everything goes on, until the repository's task ends.
pub(crate) async fn examining(repo: RepoName, handle: RepoHandle, slot: Slot) {
    let mut views = handle.watch();
    let ended = async move { while views.changed().await.is_ok() {} };
    examine_until(ended, &repo, Arc::clone(handle.forge()), &slot).await;
}

async fn examine_until(ended: impl Future<Output = ()>, repo: &RepoName, forge: Arc<dyn Forge>, slot: &Slot) {
    let examine = async {
        loop {
            let pause = if examine(repo, &*forge, slot).await { EVERY } else { AGAIN };
            sleep(pause).await;
        }
    };
    tokio::select! {
        () = ended => {}
        () = examine => {}
    }
}

/// Looks once; tells whether that was possible and found nothing fatal. What was found before stays until it is.
async fn examine(repo: &RepoName, forge: &dyn Forge, slot: &Slot) -> bool {
    let findings = match forge.preflight().await {
        Ok(findings) => findings,
        Err(error) => {
            warn!(repo = %repo, "the forge's settings can't be looked at: {}", explain(&error));
            return false;
        }
    };
    let works = !findings.iter().any(|finding| finding.fatal);
    if slot.found(findings.clone()) {
        for finding in findings {
            warn!(repo = %repo, fatal = finding.fatal, "{}; {}", finding.problem, finding.remedy);
        }
    }
    works
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use cfgupdater::core::{Error, ErrorKind, Finding};
    use cfgupdater_testkit::mocks::MockForge;
    use tokio::time::{Instant, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn settings_are_looked_at_again_and_what_was_found_stays_while_they_cant_be() {
        let mut forge = MockForge::new();
        let mut looks = 0;
        forge.expect_preflight().returning(move || {
            looks += 1;
            match looks {
                1 => Ok(vec![Finding::fatal("the App is gone", "install it")]),
                2 => Err(Error::new(ErrorKind::Unavailable, "GitHub is away")),
                3 => Ok(Vec::new()),
                _ => Ok(vec![Finding::warning("it is late", "go home"); 2]),
            }
        });
        let (slot, repo, start) = (Slot::default(), "cfg".parse().unwrap(), Instant::now());
        assert_eq!(slot.findings(), None, "nobody looked");
        let seen = slot.clone();
        let problems = move || seen.findings().map(|findings| findings.len());
        let watching = async {
            sleep(Duration::from_mins(1)).await;
            assert_eq!(problems(), Some(1));
            sleep(AGAIN).await;
            assert_eq!(problems(), Some(1), "what can't be looked at is as it was");
            sleep(AGAIN).await;
            assert_eq!(problems(), Some(0), "it was mended");
            sleep(EVERY / 2).await;
            assert_eq!(problems(), Some(0), "what works isn't looked at again so soon");
            sleep(EVERY / 2).await;
            assert_eq!(problems(), Some(2), "but it is looked at");
        };
        timeout(EVERY * 3, examine_until(watching, &repo, Arc::new(forge), &slot)).await.unwrap();
        assert!(start.elapsed() > EVERY);
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_with_the_repository() {
        let mut forge = MockForge::new();
        forge.expect_preflight().returning(|| Ok(Vec::new()));
        let (forge, repo): (Arc<dyn Forge>, RepoName) = (Arc::new(forge), "cfg".parse().unwrap());
        examine_until(async {}, &repo, Arc::clone(&forge), &Slot::default()).await;
        let slot = Slot::default();
        let goes_on = examine_until(pending(), &repo, forge, &slot);
        timeout(Duration::from_hours(24), goes_on).await.unwrap_err();
    }
}
