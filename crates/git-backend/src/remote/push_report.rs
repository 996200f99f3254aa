//! What `git push --porcelain` prints: one line a reference, `flag TAB from:to TAB summary`.

use std::collections::BTreeMap;

use cfgupdater_core::RefName;

/// What became of one reference, as git reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RefReport {
    /// The remote took it, or had it already.
    Accepted,
    /// Git or the remote refused, for this reason.
    Rejected(String),
    /// The remote stopped talking before it said.
    Unknown(String),
}

/// The report of a push, empty where git gave up before the remote answered.
pub(crate) type PushReport = BTreeMap<RefName, RefReport>;

/// Reads a report; lines that are none are skipped.
pub(crate) fn parse(stdout: &str) -> PushReport {
    stdout.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<(RefName, RefReport)> {
    let mut fields = line.splitn(3, '\t');
    let (flag, refspec, summary) = (fields.next()?, fields.next()?, fields.next()?);
    let name = refspec.rsplit_once(':')?.1.parse().ok()?;
    let report = match flag {
        " " | "+" | "-" | "*" | "=" => RefReport::Accepted,
        "!" if summary.starts_with("[remote failure]") => RefReport::Unknown(reason(summary)),
        "!" => RefReport::Rejected(reason(summary)),
        _ => return None,
    };
    Some((name, report))
}

/// Returns what stands in parentheses: `[remote rejected] (hook declined)`.
fn reason(summary: &str) -> String {
    let inner = summary.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(summary).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_is_read() {
        let stdout = "To /x\n \tabc:refs/heads/a\tabc..def\n=\tabc:refs/heads/b\t[up to date]\n\
                      -\t:refs/heads/c\t[deleted]\n!\tabc:refs/heads/d\t[remote rejected] (hook declined)\n\
                      !\tabc:refs/heads/e\t[remote failure] (remote failed to report status)\nDone\n";
        let report = parse(stdout);
        let of = |name: &str| report[&name.parse::<RefName>().unwrap()].clone();
        assert_eq!(report.len(), 5);
        assert_eq!(of("refs/heads/c"), RefReport::Accepted);
        assert_eq!(of("refs/heads/d"), RefReport::Rejected("hook declined".into()));
        assert!(matches!(of("refs/heads/e"), RefReport::Unknown(_)));
    }
}
