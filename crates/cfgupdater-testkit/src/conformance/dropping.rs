//! Calls that nobody waits for any more.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// Polls a future so often, letting others run in between, and drops it.
pub(super) async fn drop_after(polls: usize, future: impl Future) {
    let mut future = pin!(future);
    for _ in 0..polls {
        let ended = poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await;
        if ended {
            return;
        }
        tokio::task::yield_now().await;
    }
}
