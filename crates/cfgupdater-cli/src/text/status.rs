//! The state of a repository as a page of text.

use cfgupdater_server::api::{Branch, ChainEntry, PreflightFinding, RepoStatus, Target, Wave, WaveSet};

use super::paint::{Colour, Paint, colour_of};
use super::table::{Cell, Table};
use super::{intent, reason, short};

/// Shows branches, what is on auto, the waves, what waits, and what is wrong with the forge's settings.
pub(crate) fn status(status: &RepoStatus, paint: Paint) -> String {
    let mut lines = vec![heading(status, paint)];
    lines.extend(branches(status).render(paint));
    section(&mut lines, "on auto, oldest first", chain(&status.chain).render(paint), paint);
    section(&mut lines, "queued", status.queued.iter().map(|queued| format!("  {}", intent(queued))), paint);
    section(&mut lines, "waves", waves(&status.waves).render(paint), paint);
    section(&mut lines, "why", status.why.iter().map(|why| format!("  {}", reason(why))), paint);
    section(&mut lines, "settings of the forge", findings(status, paint), paint);
    lines.join("\n")
}

fn findings(status: &RepoStatus, paint: Paint) -> Vec<String> {
    let shown = |finding: &PreflightFinding| {
        let colour = if finding.fatal { Colour::Bad } else { Colour::Strong };
        format!("  {}; {}", paint.apply(Some(colour), &finding.problem), finding.remedy)
    };
    status.preflight.iter().flatten().map(shown).collect()
}

fn heading(status: &RepoStatus, paint: Paint) -> String {
    let alarm = |text: &str| paint.apply(Some(Colour::Bad), text);
    let unread = (!status.reachable).then(|| alarm("can't be read now"));
    let paused = status.paused.as_ref().map(|paused| alarm(&format!("landing paused by {paused}")));
    let name = paint.apply(Some(Colour::Strong), &status.name);
    [Some(name), unread, paused].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn section(lines: &mut Vec<String>, title: &str, content: impl IntoIterator<Item = String>, paint: Paint) {
    let mut content = content.into_iter().peekable();
    if content.peek().is_some() {
        lines.push(paint.apply(Some(Colour::Strong), title));
        lines.extend(content);
    }
}

fn branches(status: &RepoStatus) -> Table {
    let mut table = Table::default();
    for branch in &status.branches {
        table.row([
            Cell::new(&branch.role),
            Cell::coloured(branch.commit.as_deref().map_or("-", short), Some(Colour::Faint)),
            Cell::new(&branch.name),
            standing(branch, &status.relation),
        ]);
    }
    table
}

/// Says of stable what its checks say, and of auto how it relates to stable.
fn standing(branch: &Branch, relation: &str) -> Cell {
    match (&branch.verdict, branch.role.as_str()) {
        (Some(verdict), _) => Cell::coloured(verdict, colour_of(verdict)),
        (None, "auto") => Cell::new(relation),
        _ => Cell::new(""),
    }
}

fn chain(chain: &[ChainEntry]) -> Table {
    let mut table = Table::default();
    for commit in chain {
        let open = commit.checks.iter().filter(|check| check.verdict != "green");
        let open: Vec<String> = open.map(|check| format!("{} {}", check.name, check.verdict)).collect();
        table.row([
            Cell::coloured(short(&commit.commit), Some(Colour::Faint)),
            Cell::coloured(&commit.verdict, colour_of(&commit.verdict)),
            Cell::new(&commit.subject),
            Cell::coloured(open.join(", "), Some(Colour::Faint)),
        ]);
    }
    table
}

fn waves(waves: &[Wave]) -> Table {
    let mut table = Table::default();
    for wave in waves {
        for (index, set) in wave.sets.iter().enumerate() {
            let name = if index == 0 { wave.name.as_str() } else { "" };
            let mut row = vec![Cell::coloured(name, Some(Colour::Strong))];
            row.extend(of_set(set));
            row.extend(wave.targets.iter().map(|target| said(target, set)));
            table.row(row);
        }
        if let Some(held) = &wave.held {
            table.row([Cell::new(""), Cell::coloured(format!("held by {held}"), Some(Colour::Bad))]);
        }
    }
    table
}

fn of_set(set: &WaveSet) -> [Cell; 2] {
    let release = set.release.as_deref().map_or("-", short);
    let app = set.app_sha.as_deref().map(|sha| format!(" {}", short(sha))).unwrap_or_default();
    [Cell::new(format!("{}{app}", set.set)), Cell::coloured(release, Some(Colour::Faint))]
}

/// Says what a target runs of a set, measured by what its wave has.
fn said(target: &Target, set: &WaveSet) -> Cell {
    if target.waived.is_some() {
        return Cell::coloured(format!("{} waived", target.name), Some(Colour::Open));
    }
    let Some(report) = target.reports.iter().find(|report| report.set == set.set) else {
        return Cell::coloured(format!("{} -", target.name), Some(Colour::Faint));
    };
    let current = set.release.as_deref() == Some(&report.release);
    match (report.status.as_str(), current) {
        ("succeeded", true) => Cell::coloured(format!("{} ok", target.name), Some(Colour::Good)),
        ("succeeded", false) => {
            Cell::coloured(format!("{} {}", target.name, short(&report.release)), Some(Colour::Open))
        }
        (status, _) => {
            Cell::coloured(format!("{} {status} {}", target.name, short(&report.release)), colour_of(status))
        }
    }
}

#[cfg(test)]
mod tests;
