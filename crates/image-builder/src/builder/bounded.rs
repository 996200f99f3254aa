//! Limits on what one image may hold, so that a mistake or an attack ends early.

use cfgupdater_core::{Error, ErrorKind};

/// The most entries of one layer.
const ENTRIES: usize = 1_000_000;

/// What one image may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    entries: usize,
    bytes: u64,
    most_bytes: u64,
}

impl Budget {
    pub(super) fn new(most_bytes: u64) -> Self {
        Self { entries: 0, bytes: 0, most_bytes }
    }

    /// Takes an entry of this size out of the budget.
    pub(super) fn take(&mut self, bytes: u64) -> Result<(), Error> {
        self.entries += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.entries > ENTRIES {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("there are more than {ENTRIES} files; name fewer"),
            ));
        }
        if self.bytes > self.most_bytes {
            let message = format!(
                "the files hold more than {} bytes; leave some out, or raise max_size in the images file",
                self.most_bytes
            );
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        Ok(())
    }
}
