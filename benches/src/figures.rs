//! Figures of several rounds, as least, middle and greatest.

use std::time::Duration;

/// The times of one thing over all rounds.
#[derive(Debug, Clone, Default)]
pub struct Figures(Vec<Duration>);

impl Figures {
    /// Adds the time of one round.
    pub fn add(&mut self, time: Duration) {
        let at = self.0.partition_point(|other| *other <= time);
        self.0.insert(at, time);
    }

    /// Tells whether there was no round.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the least.
    pub fn min(&self) -> Duration {
        self.0.first().copied().unwrap_or_default()
    }

    /// Returns the middle one; of an even number, the lower of the two.
    pub fn median(&self) -> Duration {
        let middle = self.0.len().saturating_sub(1) / 2;
        self.0.get(middle).copied().unwrap_or_default()
    }

    /// Returns the greatest.
    pub fn max(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_found_whatever_the_order() {
        let mut figures = Figures::default();
        for millis in [5, 1, 9, 3] {
            figures.add(Duration::from_millis(millis));
        }
        let found = [figures.min(), figures.median(), figures.max()].map(|time| time.as_millis());
        assert_eq!(found, [1, 3, 9]);
    }
}
