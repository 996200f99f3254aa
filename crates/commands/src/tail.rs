//! The end of an output, bounded.

/// How much of the end of the output is kept, in bytes.
pub(crate) const TAIL: usize = 16 * 1024;

/// The end of an output, and how long all of it was.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    bytes: Vec<u8>,
    all: u64,
}

impl Tail {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.all += bytes.len() as u64;
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > 2 * TAIL {
            self.bytes.drain(..self.bytes.len() - TAIL);
        }
    }

    pub(crate) fn all(&self) -> u64 {
        self.all
    }

    pub(crate) fn into_text(mut self) -> String {
        if self.bytes.len() > TAIL {
            self.bytes.drain(..self.bytes.len() - TAIL);
        }
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        if self.all > self.bytes.len() as u64 { format!("… (only the end is kept)\n{text}") } else { text }
    }
}
