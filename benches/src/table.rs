//! A table in plain text.

use std::fmt::Write;
use std::time::Duration;

use crate::figures::Figures;

/// One contender's figures.
#[derive(Debug)]
pub struct Row<'a> {
    /// What was measured.
    pub name: &'a str,
    /// From the call to the answer.
    pub latency: &'a Figures,
    /// Processor time.
    pub cpu: &'a Figures,
    /// The processor time that this row's is compared with.
    pub base: Duration,
}

const NAME: usize = 46;

/// Lays rows out in milliseconds, with the ratio of the medians of processor time in the last column.
pub fn render(rows: &[Row<'_>]) -> String {
    let mut text = format!(
        "{:NAME$}{:>24}{:>27}{:>9}\n{:NAME$}{:>8}{:>8}{:>8}{:>11}{:>8}{:>8}{:>9}\n",
        "", "latency, ms", "CPU, ms", "CPU", "", "min", "median", "max", "min", "median", "max", "ratio"
    );
    for row in rows {
        let latency =
            if row.latency.is_empty() { [(); 3].map(|()| "-".to_owned()) } else { columns(row.latency) };
        let cpu = columns(row.cpu);
        let ratio = row.cpu.median().as_secs_f64() / row.base.as_secs_f64().max(f64::EPSILON);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{:NAME$}{:>8}{:>8}{:>8}{:>11}{:>8}{:>8}{:>8.1}x",
            row.name, latency[0], latency[1], latency[2], cpu[0], cpu[1], cpu[2], ratio
        );
    }
    text
}

fn columns(figures: &Figures) -> [String; 3] {
    [figures.min(), figures.median(), figures.max()].map(|time| {
        let millis = time.as_secs_f64() * 1000.0;
        if millis < 100.0 { format!("{millis:.1}") } else { format!("{millis:.0}") }
    })
}
