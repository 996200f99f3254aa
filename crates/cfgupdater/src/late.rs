//! Work that takes longer than anybody should wait for: it goes on, and whoever comes next waits for it first.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, timeout_at};

/// One piece of work at a time.
#[derive(Debug)]
pub(crate) struct Late<T>(Mutex<Option<Work<T>>>);

/// Work under way.
#[derive(Debug)]
struct Work<T> {
    ended: JoinHandle<T>,
    obsolete: Obsolete,
}

/// Tells work that is late that somebody has come for something newer: it should stop where what it did so far is of use.
#[derive(Debug, Clone, Default)]
pub(crate) struct Obsolete(Arc<watch::Sender<bool>>);

impl Obsolete {
    pub(crate) fn make(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is.
    pub(crate) async fn set(&self) {
        // What is sent to is held here, so it is never closed.
        let _ = self.0.subscribe().wait_for(|set| *set).await;
    }
}

impl<T> Default for Late<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<F: Send + 'static, T: Send + 'static> Late<Result<T, F>> {
    /// Does work on a thread of its own, after what was late before: that is told so, what it left in caches is then of use,
    /// and why it failed is the answer. Returns `None` where it isn't done in time.
    pub(crate) async fn in_time(
        &self,
        patience: Duration,
        work: impl FnOnce(&Obsolete) -> Result<T, F> + Send + 'static,
    ) -> Option<Result<Result<T, F>, JoinError>> {
        let deadline = Instant::now() + patience;
        let before = self.waiting().take();
        if let Some(before) = before {
            before.obsolete.make();
            let ended = self.until(deadline, before).await?;
            if !matches!(ended, Ok(Ok(_))) {
                return Some(ended);
            }
        }
        let obsolete = Obsolete::default();
        let ended = on_a_thread({
            let obsolete = obsolete.clone();
            move || work(&obsolete)
        });
        self.until(deadline, Work { ended, obsolete }).await
    }

    async fn until(
        &self,
        deadline: Instant,
        mut work: Work<Result<T, F>>,
    ) -> Option<Result<Result<T, F>, JoinError>> {
        let ended = timeout_at(deadline, &mut work.ended).await.ok();
        if ended.is_none() {
            *self.waiting() = Some(work);
        }
        ended
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Work<Result<T, F>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs work on a thread of its own, inside the runtime. On the runtime's threads for blocking, of which there are only so
/// many, repositories that render could keep each other from getting the further ones that their renderers need.
pub(crate) fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let (runtime, (told, answer)) = (Handle::current(), oneshot::channel());
    let started = std::thread::Builder::new().name("renders".to_owned()).spawn(move || {
        let _entered = runtime.enter();
        // Whoever waited for it may be gone.
        let _ = told.send(work());
    });
    tokio::spawn(async move {
        started.expect("a thread can be started");
        answer.await.expect("the work doesn't panic")
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn what_is_late_goes_on_and_is_waited_for_by_the_next() {
        let late = Late::default();
        let (go, told) = channel::<Result<u8, u8>>();
        assert!(late.in_time(Duration::ZERO, move |_| told.recv().unwrap()).await.is_none());
        assert!(late.in_time(Duration::ZERO, |_| Ok(2)).await.is_none(), "one at a time");
        go.send(Ok(1)).unwrap();
        assert_eq!(late.in_time(LONG, |_| Ok(3)).await.unwrap().unwrap(), Ok(3));
    }

    #[tokio::test]
    async fn why_what_was_late_failed_is_told_instead_of_trying_again() {
        let late = Late::default();
        let (go, told) = channel::<Result<u8, u8>>();
        assert!(late.in_time(Duration::ZERO, move |_| told.recv().unwrap()).await.is_none());
        go.send(Err(1)).unwrap();
        assert_eq!(late.in_time(LONG, |_| Ok(2)).await.unwrap().unwrap(), Err(1));
        assert_eq!(late.in_time(LONG, |_| Ok(2)).await.unwrap().unwrap(), Ok(2));
    }

    #[tokio::test]
    async fn what_is_late_learns_that_it_is_obsolete() {
        let late = Late::default();
        let until_obsolete = |obsolete: &Obsolete| {
            while !obsolete.is_set() {
                std::thread::yield_now();
            }
            Ok::<u8, u8>(1)
        };
        assert!(late.in_time(Duration::ZERO, until_obsolete).await.is_none());
        assert_eq!(
            late.in_time(LONG, |obsolete| Ok(u8::from(obsolete.is_set()))).await.unwrap().unwrap(),
            Ok(0)
        );
    }
}
