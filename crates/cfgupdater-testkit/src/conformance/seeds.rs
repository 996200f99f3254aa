//! Random cases that can be seen again.

use fastrand::Rng;

/// Runs `case` with a few seeds, always the same ones. `CFGUPDATER_CONFORMANCE_CASES=N` runs N of them, and
/// `CFGUPDATER_CONFORMANCE_SEED=S` begins at S. A seed that fails is printed.
///
/// # Panics
/// Panics where one of the variables holds no number.
pub fn each_seed(few: u64, mut case: impl FnMut(&mut Rng)) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let count = number("CFGUPDATER_CONFORMANCE_CASES").unwrap_or(few);
    let first = number("CFGUPDATER_CONFORMANCE_SEED").unwrap_or(1);
    for seed in first..first + count {
        let told = Told(seed);
        case(&mut Rng::with_seed(seed));
        drop(told);
    }
}

/// Tells its seed if the case panics.
struct Told(u64);

impl Drop for Told {
    #[expect(clippy::print_stderr, reason = "a failing test speaks on its terminal")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let seed = self.0;
            eprintln!("again with CFGUPDATER_CONFORMANCE_SEED={seed} CFGUPDATER_CONFORMANCE_CASES=1");
        }
    }
}
