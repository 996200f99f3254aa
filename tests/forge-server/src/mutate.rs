//! Bodies that nobody ever sent.

use fastrand::Rng;

/// Which bodies; another one by the variable that the failure names.
pub fn seed() -> u64 {
    std::env::var("CFGUPDATER_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_260_131)
}

/// Changes a body in a few places.
pub fn mutate(rng: &mut Rng, body: &mut Vec<u8>) {
    for _ in 0..rng.usize(1..8) {
        let at = rng.usize(0..body.len().max(1)).min(body.len());
        match rng.u8(0..6) {
            0 => body.truncate(at),
            1 => body.insert(at, rng.u8(..)),
            2 if at < body.len() => body[at] = rng.u8(..),
            3 if at < body.len() => body[at] = b"{}[]\",:0-e\\u"[rng.usize(0..12)],
            4 => {
                let end = (at + rng.usize(0..64)).min(body.len());
                body.drain(at..end);
            }
            _ => {
                let piece = body[at..(at + rng.usize(0..64)).min(body.len())].to_vec();
                let to = rng.usize(0..=body.len());
                body.splice(to..to, piece);
            }
        }
    }
}
