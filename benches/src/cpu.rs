//! How much processor time was spent.

use std::ops::{Add, Sub};
use std::time::Duration;

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::Result;

/// Processor time, user and system, of this process and of every child that was waited for, with their children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cpu(Duration);

impl Cpu {
    /// Returns what was spent since this process started.
    ///
    /// # Errors
    /// Fails where the system doesn't tell.
    pub fn spent() -> Result<Self> {
        let own = total(&getrusage(UsageWho::RUSAGE_SELF)?);
        Ok(Self(own + total(&getrusage(UsageWho::RUSAGE_CHILDREN)?)))
    }

    /// Returns what the calling thread spent since it started.
    ///
    /// # Errors
    /// Fails where the system doesn't tell.
    pub fn of_thread() -> Result<Duration> {
        Ok(total(&getrusage(UsageWho::RUSAGE_THREAD)?))
    }
}

impl Add<Duration> for Cpu {
    type Output = Self;

    fn add(self, others: Duration) -> Self {
        Self(self.0 + others)
    }
}

impl Sub for Cpu {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

fn total(usage: &Usage) -> Duration {
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(microseconds.try_into().unwrap_or_default())
}
