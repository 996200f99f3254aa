//! Durations as people say them.

use std::time::Duration;

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
    fn durations_are_shown_as_people_say_them() {
        let shown = |millis| show(Duration::from_millis(millis));
        assert_eq!(
            [shown(850), shown(1500), shown(30_000), shown(120_000)],
            ["850 ms", "1.5 s", "30 s", "2 min"]
        );
    }
}
