//! The one point in time that an image shows: <https://reproducible-builds.org/specs/source-date-epoch/>.

use cfgupdater_core::{Error, ErrorKind, Timestamp};

/// Latest time that a layer can hold: the end of the year 9999, as RFC 3339 writes it.
const LATEST: u64 = 253_402_300_799;

/// Reads `SOURCE_DATE_EPOCH` as the environment has it; 0 where it isn't set, since the time of a commit would make
/// another digest of every build.
///
/// # Errors
/// Refuses what is not a whole number of seconds.
pub fn source_date_epoch(variable: Option<&str>) -> Result<u64, Error> {
    let Some(text) = variable.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(0) };
    let seconds = text.parse().ok().filter(|seconds| *seconds <= LATEST);
    seconds.ok_or_else(|| {
        let message = "SOURCE_DATE_EPOCH must be a whole number of seconds since 1970, or not set";
        Error::new(ErrorKind::Invalid, message)
    })
}

/// Writes seconds since 1970 as images show them.
pub(super) fn rfc_3339(seconds: u64) -> String {
    let millis = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000);
    Timestamp::from_millis(millis).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_read_and_may_be_missing() {
        assert_eq!(source_date_epoch(None).unwrap(), 0);
        assert_eq!(source_date_epoch(Some("")).unwrap(), 0);
        assert_eq!(source_date_epoch(Some("1700000000\n")).unwrap(), 1_700_000_000);
        for bad in ["-1", "now", "1.5", "99999999999999"] {
            assert!(source_date_epoch(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(rfc_3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc_3339(1_700_000_000), "2023-11-14T22:13:20Z");
    }
}
