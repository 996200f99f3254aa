//! Work that takes longer than anybody should wait for: it goes on, and whoever comes next waits for it first.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, timeout_at};

/// One piece of work at a time.
#[derive(Debug)]
pub(crate) struct Late<T>(Mutex<Option<JoinHandle<T>>>);

impl<T> Default for Late<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<F: Send + 'static, T: Send + 'static> Late<Result<T, F>> {
    /// Does work on a thread that may block, after what was late before: what that left in caches is then of use, and why
    /// it failed is the answer. Returns `None` where it isn't done in time.
    pub(crate) async fn in_time(
        &self,
        patience: Duration,
        work: impl FnOnce() -> Result<T, F> + Send + 'static,
    ) -> Option<Result<Result<T, F>, JoinError>> {
        let deadline = Instant::now() + patience;
        let before = self.waiting().take();
        if let Some(before) = before {
            let ended = self.until(deadline, before).await?;
            if !matches!(ended, Ok(Ok(_))) {
                return Some(ended);
            }
        }
        self.until(deadline, tokio::task::spawn_blocking(work)).await
    }

    async fn until(
        &self,
        deadline: Instant,
        mut work: JoinHandle<Result<T, F>>,
    ) -> Option<Result<Result<T, F>, JoinError>> {
        let ended = timeout_at(deadline, &mut work).await.ok();
        if ended.is_none() {
            *self.waiting() = Some(work);
        }
        ended
    }

    fn waiting(&self) -> MutexGuard<'_, Option<JoinHandle<Result<T, F>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        assert!(late.in_time(Duration::ZERO, move || told.recv().unwrap()).await.is_none());
        assert!(late.in_time(Duration::ZERO, || Ok(2)).await.is_none(), "one at a time");
        go.send(Ok(1)).unwrap();
        assert_eq!(late.in_time(LONG, || Ok(3)).await.unwrap().unwrap(), Ok(3));
    }

    #[tokio::test]
    async fn why_what_was_late_failed_is_told_instead_of_trying_again() {
        let late = Late::default();
        let (go, told) = channel::<Result<u8, u8>>();
        assert!(late.in_time(Duration::ZERO, move || told.recv().unwrap()).await.is_none());
        go.send(Err(1)).unwrap();
        assert_eq!(late.in_time(LONG, || Ok(2)).await.unwrap().unwrap(), Err(1));
        assert_eq!(late.in_time(LONG, || Ok(2)).await.unwrap().unwrap(), Ok(2));
    }
}
