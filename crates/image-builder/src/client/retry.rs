//! When a request is repeated.

use std::time::{Duration, Instant};

use cfgupdater_core::{Error, Retry};

/// The pause before the first repetition where the registry gave no advice; it doubles with each further one.
const FIRST: Duration = Duration::from_millis(200);

/// The longest pause we choose ourselves.
const LONGEST: Duration = Duration::from_secs(10);

/// Does something until it succeeds, fails for good, or has been tried for long enough.
pub(super) async fn retrying<T, F>(patience: Duration, mut attempt: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let start = Instant::now();
    let mut failures = 0;
    loop {
        let error = match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let left = patience.saturating_sub(start.elapsed());
        let Some(pause) = pause(failures, error.retry(), left, fastrand::f64()) else { return Err(error) };
        tracing::debug!(%error, ?pause, "a registry request is repeated");
        tokio::time::sleep(pause).await;
        failures += 1;
    }
}

/// Returns how long to pause before the next attempt, `None` where there must be none.
///
/// The registry's own advice counts in full; ours is spread by `random`, from 0 to 1, so that builds that were turned
/// away together don't come back together.
fn pause(failures: u32, advice: Retry, left: Duration, random: f64) -> Option<Duration> {
    let pause = match advice {
        Retry::Never => return None,
        Retry::After(pause) => pause,
        Retry::Backoff => {
            FIRST.saturating_mul(1 << failures.min(10)).min(LONGEST).mul_f64(0.5 + random / 2.0)
        }
    };
    (pause < left).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: Duration = Duration::from_mins(2);

    #[test]
    fn pauses_grow_up_to_a_limit() {
        let pauses = [0, 1, 2, 20, u32::MAX].map(|n| pause(n, Retry::Backoff, LEFT, 1.0).unwrap());
        assert_eq!(pauses.map(|pause| pause.as_millis()), [200, 400, 800, 10_000, 10_000]);
        assert_eq!(pause(0, Retry::Backoff, LEFT, 0.0), Some(FIRST / 2));
    }

    #[test]
    fn the_registrys_advice_counts_as_long_as_there_is_time() {
        let advice = Retry::After(Duration::from_secs(7));
        assert_eq!(pause(3, advice, LEFT, 0.0), Some(Duration::from_secs(7)));
        assert_eq!(pause(0, advice, Duration::from_secs(7), 0.0), None);
        assert_eq!(pause(0, Retry::Never, LEFT, 0.0), None);
    }
}
