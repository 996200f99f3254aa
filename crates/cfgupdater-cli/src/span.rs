//! Durations as people write them: `250ms`, `30s`, `5m`, `2h`, `1d`.

use std::time::Duration;

/// Reads a whole number with its unit.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("`{text}` is not a duration: write a whole number and ms, s, m, h or d, such as 30m");
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(millis).map(Duration::from_millis).ok_or_else(wrong)
}

/// Writes a duration as people would: `850 ms`, `30 s`, `1.5 s`, `2 min`.
pub(crate) fn show(span: Duration) -> String {
    match span.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        millis if millis >= 120_000 && millis.is_multiple_of(60_000) => format!("{} min", millis / 60_000),
        millis if millis.is_multiple_of(1000) => format!("{} s", millis / 1000),
        _ => format!("{:.1} s", span.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_needs_a_unit() {
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse("2h"), Ok(Duration::from_hours(2)));
        for wrong in
            ["", "5", "m", "-5m", "1.5h", "5 minutes", "99999999999999999999s", "9999999999999999999s"]
        {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn durations_are_shown_as_people_say_them() {
        let shown = |millis| show(Duration::from_millis(millis));
        assert_eq!(
            [shown(850), shown(1500), shown(30_000), shown(120_000)],
            ["850 ms", "1.5 s", "30 s", "2 min"]
        );
    }
}
