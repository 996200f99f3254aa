//! Lower-case hexadecimal, as git writes it.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Writes two digits a byte.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|b| [b >> 4, b & 15])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

/// Reads an even number of digits of either case, `None` for anything else.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let nibbles = text
        .bytes()
        .map(|c| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<Vec<u8>>>()?;
    let pairs = nibbles.chunks_exact(2);
    pairs.remainder().is_empty().then(|| nibbles.chunks_exact(2).map(|p| p[0] << 4 | p[1]).collect())
}
