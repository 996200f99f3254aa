//! A page for people: what the branches and waves of each repository hold, and why what waits waits.

use std::fmt::Write;

use crate::api::{ChainEntry, CheckView, IntentView, RepoStatus, Target, Wave, WaveSet};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}\
    td,th{text-align:left;vertical-align:top;padding:.1rem 1rem .1rem 0}.red,.bad{color:#b00}.green{color:#070}";

/// Renders the page: each repository with its state, or with why it isn't open.
pub(crate) fn page(repos: &[(String, Result<RepoStatus, String>)]) -> String {
    let sections: String = repos.iter().map(|(name, status)| section(name, status)).collect();
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>cfgupdater</title><style>{STYLE}</style><h1>cfgupdater</h1>{sections}</html>"
    )
}

fn section(name: &str, status: &Result<RepoStatus, String>) -> String {
    let mut out = format!("<h2>{}</h2>", escape(name));
    match status {
        Ok(status) => repository(status, &mut out),
        Err(why) => alarm(&mut out, why),
    }
    out
}

fn repository(status: &RepoStatus, out: &mut String) {
    if !status.reachable {
        alarm(out, "can't be read now");
    }
    if let Some(paused) = &status.paused {
        alarm(out, &format!("landing paused by {paused}"));
    }
    let branches = status.branches.iter().map(|branch| {
        let commit = branch.commit.as_deref().map_or("-", short);
        [
            text(&branch.role),
            text(&branch.name),
            code(commit),
            verdict(branch.verdict.as_deref().unwrap_or_default()),
        ]
    });
    table(out, "", ["branch", "", "commit", "checks"], branches);
    table(out, "On auto, oldest first", ["commit", "", "", "checks"], status.chain.iter().map(chained));
    table(out, "Queued", ["intent", "what", "into", "by"], status.queued.iter().map(queued));
    let waves = status.waves.iter().flat_map(|wave| wave.sets.iter().map(move |set| placed(wave, set)));
    table(out, "Waves", ["wave", "set", "release", "targets"], waves);
    list(
        out,
        "Why",
        status.why.iter().map(|why| {
            let until = why.until.as_deref().map(|until| format!(" (until {until})")).unwrap_or_default();
            format!("{}: {}{until}", why.subject, why.text)
        }),
    );
    let findings = status.preflight.iter().flatten();
    list(
        out,
        "Settings of the forge",
        findings.map(|finding| format!("{}; {}", finding.problem, finding.remedy)),
    );
}

fn chained(entry: &ChainEntry) -> [String; 4] {
    let checks: Vec<String> = entry.checks.iter().map(check).collect();
    [code(short(&entry.commit)), text(&entry.subject), verdict(&entry.verdict), checks.join(", ")]
}

/// Shows a check, with a link where it leads to a page: a forge's text may hold any other.
fn check(check: &CheckView) -> String {
    let shown = format!("{} {}", text(&check.name), verdict(&check.verdict));
    let web = |link: &&String| link.starts_with("https://") || link.starts_with("http://");
    match check.link.as_ref().filter(web) {
        Some(link) => format!("<a rel=\"noreferrer\" href=\"{}\">{shown}</a>", escape(link)),
        None => shown,
    }
}

fn queued(intent: &IntentView) -> [String; 4] {
    let or_none = |part: &Option<String>| text(part.as_deref().unwrap_or("?"));
    [code(short(&intent.id)), or_none(&intent.kind), or_none(&intent.wave), or_none(&intent.actor)]
}

fn placed(wave: &Wave, set: &WaveSet) -> [String; 4] {
    let held =
        wave.held.as_deref().map(|held| format!("<br><span class=bad>held by {}</span>", escape(held)));
    let release = set.app_sha.as_deref().or(set.release.as_deref()).map_or("nothing", short);
    let targets: Vec<String> = wave.targets.iter().map(|target| said(target, set)).collect();
    [text(&wave.name) + &held.unwrap_or_default(), text(&set.set), code(release), targets.join("<br>")]
}

/// Says what a target runs of a set, measured by what its wave has.
fn said(target: &Target, set: &WaveSet) -> String {
    let name = escape(&target.name);
    if let Some(waived) = &target.waived {
        return format!("{name} waived by {}", escape(waived));
    }
    let Some(report) = target.reports.iter().find(|report| report.set == set.set) else {
        return format!("{name} -");
    };
    match (report.status.as_str(), set.release.as_deref() == Some(&report.release)) {
        ("succeeded", true) => format!("{name} <span class=green>ok</span>"),
        ("succeeded", false) => format!("{name} {}", code(short(&report.release))),
        (status, _) => {
            format!("{name} <span class=bad>{}</span> {}", escape(status), code(short(&report.release)))
        }
    }
}

/// Adds a table, whose cells are HTML already; none where there is nothing to show.
fn table<const N: usize>(
    out: &mut String,
    title: &str,
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) {
    let rows: String = rows.map(|cells| format!("<tr><td>{}", cells.join("<td>"))).collect();
    if !rows.is_empty() {
        // Writing to a text can't fail.
        let _ = write!(out, "<h3>{title}</h3><table><tr><th>{}{rows}</table>", head.join("<th>"));
    }
}

fn list(out: &mut String, title: &str, items: impl Iterator<Item = String>) {
    let items: String = items.map(|item| format!("<li>{}", escape(&item))).collect();
    if !items.is_empty() {
        let _ = write!(out, "<h3>{title}</h3><ul>{items}</ul>");
    }
}

fn alarm(out: &mut String, what: &str) {
    let _ = write!(out, "<p class=bad>{}", escape(what));
}

fn text(text: &str) -> String {
    escape(text)
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

fn verdict(verdict: &str) -> String {
    match verdict {
        "green" | "red" => format!("<span class={verdict}>{verdict}</span>"),
        other => escape(other),
    }
}

/// Shortens an id to what people compare by eye.
fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status() -> RepoStatus {
        let hostile = "<script>alert(1)</script>";
        serde_json::from_value(json!({
            "name": "cfg", "reachable": true, "paused": format!("ann since now: {hostile}"), "observations": 1,
            "relation": "ahead", "branches": [{"role": "stable", "name": "master", "commit": "a".repeat(40), "verdict": "green"}],
            "chain": [{"commit": "b".repeat(40), "subject": hostile, "intent": null, "verdict": "red", "checks": [
                {"name": "ci", "verdict": "red", "link": "https://ci.example/1?a=\"b\""},
                {"name": "lint", "verdict": "green", "link": "javascript:alert(1)"}]}],
            "queued": [{"id": "c".repeat(32), "kind": "introduce", "wave": "staging", "actor": hostile, "state": "queued"}],
            "waves": [{"name": "staging", "held": hostile, "sets": [{"set": "app", "release": "d".repeat(64)}], "targets": [
                {"name": "one", "reports": [{"set": "app", "release": "d".repeat(64), "status": "succeeded", "at": "now"}]},
                {"name": "two", "reports": [{"set": "app", "release": "e".repeat(64), "status": "failed", "at": "now"}]},
                {"name": "three", "waived": hostile, "reports": []}]}],
            "why": [{"code": "held", "subject": "staging", "text": hostile}],
            "preflight": [{"fatal": true, "problem": hostile, "remedy": "mend it"}]
        }))
        .unwrap()
    }

    #[test]
    fn all_there_is_is_shown_and_nothing_of_it_is_markup() {
        let page =
            page(&[("cfg".to_owned(), Ok(status())), ("other".to_owned(), Err("<b>away</b>".to_owned()))]);
        assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
        for shown in [
            "landing paused by ann",
            "held by",
            "waived by",
            "one <span class=green>ok",
            ">failed<",
            "mend it",
            "&lt;b&gt;away",
        ] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
        assert!(page.contains("href=\"https://ci.example/1?a=&quot;b&quot;\""), "{page}");
        assert!(!page.contains("javascript:"), "{page}");
    }
}
