//! How much memory a process holds.

use std::fmt;

use crate::Result;

/// Resident memory of a process as Linux counts it, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resident {
    /// All of it now: `VmRSS`.
    pub now: u64,
    /// The most there ever was: `VmHWM`.
    pub peak: u64,
    /// Its own memory: `RssAnon`.
    pub own: u64,
    /// Pages of files, which the system takes back when it needs them: `RssFile`.
    pub of_files: u64,
}

impl Resident {
    /// Reads what a process holds now.
    ///
    /// # Errors
    /// Fails where there is no such process.
    pub fn of(process: u32) -> Result<Self> {
        Self::parse(&std::fs::read_to_string(format!("/proc/{process}/status"))?)
    }

    fn parse(status: &str) -> Result<Self> {
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            number.ok_or_else(|| format!("the system doesn't tell {name}"))
        };
        let (now, peak) = (field("VmRSS")?, field("VmHWM")?);
        Ok(Self { now, peak, own: field("RssAnon")?, of_files: field("RssFile")? })
    }
}

impl fmt::Display for Resident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, kib) in
            [("VmRSS", self.now), ("RssAnon", self.own), ("RssFile", self.of_files), ("VmHWM", self.peak)]
        {
            // Tenths of a megabyte, as the claim is worded: 1 MB is 1,000,000 bytes.
            let tenths = kib * 1024 / 100_000;
            write!(f, "{name} {:>4}.{} MB   ", tenths / 10, tenths % 10)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let status =
            "VmRSSX:\t9 kB\nVmHWM:\t   40 kB\nVmRSS:\t   30 kB\nRssAnon:\t 10 kB\nRssFile:\t 20 kB\n";
        let found = Resident::parse(status).unwrap();
        assert_eq!(found, Resident { now: 30, peak: 40, own: 10, of_files: 20 });
        assert!(Resident::parse("VmRSS:\t30 kB\n").is_err());
    }
}
