//! Files that look like binaries to a compressor, the same bytes each time.

use std::path::Path;

use crate::Result;

/// Words that the content is made of.
const WORDS: usize = 4096;

/// Writes `bytes` of content that depends on `seed` alone. It shrinks to two thirds, which takes a compressor a little
/// longer than real binaries of this size do.
///
/// # Errors
/// Fails where the file can't be written.
pub fn write(file: &Path, seed: u64, bytes: usize) -> Result<()> {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let words: Vec<Vec<u8>> = (0..WORDS).map(|_| random.word()).collect();
    let mut content = Vec::with_capacity(bytes + 32);
    while content.len() < bytes {
        // Low numbers come more often, as in real code.
        let (one, other) = (random.below(WORDS), random.below(WORDS));
        content.extend_from_slice(&words[one * other / WORDS]);
        content.push(random.next().to_le_bytes()[0]);
    }
    content.truncate(bytes);
    Ok(std::fs::write(file, content)?)
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or_default() % limit
    }

    fn word(&mut self) -> Vec<u8> {
        (0..3 + self.below(6)).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}
