//! Metrics in the Prometheus text format.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cfgupdater::View;
use cfgupdater::core::{ApiUsage, Finding, RepoName, Verdict};

/// Upper bounds of the latency histogram, in milliseconds.
const BUCKETS: [u64; 8] = [5, 25, 100, 250, 1000, 5000, 20_000, 60_000];

/// Counts of requests, by method, route and status.
#[derive(Debug, Default)]
pub(crate) struct HttpMetrics {
    requests: Mutex<BTreeMap<(&'static str, String, u16), Requests>>,
}

#[derive(Debug, Default, Clone)]
struct Requests {
    count: u64,
    millis: u64,
    buckets: [u64; BUCKETS.len()],
}

impl HttpMetrics {
    pub(crate) fn record(&self, method: &str, route: &str, status: u16, took: Duration) {
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = requests.entry((known_method(method), route.to_owned(), status)).or_default();
        entry.count += 1;
        entry.millis += millis;
        for (bucket, bound) in entry.buckets.iter_mut().zip(BUCKETS) {
            *bucket += u64::from(millis <= bound);
        }
    }

    fn render(&self, out: &mut String) {
        heading(
            out,
            "cfgupdater_http_request_duration_seconds",
            "histogram",
            "Requests by route, and how long they took.",
        );
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for ((method, route, status), seen) in requests {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
            let name = "cfgupdater_http_request_duration_seconds";
            for (count, bound) in seen.buckets.iter().zip(BUCKETS) {
                line(
                    out,
                    &format!("{name}_bucket"),
                    &format!("{labels},le=\"{}\"", seconds(bound)),
                    &count.to_string(),
                );
            }
            line(out, &format!("{name}_bucket"), &format!("{labels},le=\"+Inf\""), &seen.count.to_string());
            line(out, &format!("{name}_sum"), &labels, &seconds(seen.millis));
            line(out, &format!("{name}_count"), &labels, &seen.count.to_string());
        }
    }
}

/// Names a method; those that HTTP doesn't define have one name, or callers could make up as many as they like.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("OTHER")
}

/// Reads one figure of a view.
type Read = fn(&View) -> u64;

/// Renders everything that is measured.
pub(crate) fn render(
    views: &[std::sync::Arc<View>],
    usages: &[(&RepoName, ApiUsage)],
    http: &HttpMetrics,
) -> String {
    let mut out = String::new();
    let counters: [(&str, &str, Read); 10] = [
        ("observations", "Readings of the repository.", |view| view.counters.observations),
        ("failed_observations", "Readings that failed.", |view| view.counters.failed_observations),
        ("writes", "Writes of the state branch.", |view| view.counters.writes),
        ("landings", "Movements of stable.", |view| view.counters.landings),
        ("lost_races", "Pushes that somebody else was ahead of.", |view| view.counters.lost_races),
        ("renders", "Trees whose generated files were made.", |view| view.counters.renders),
        (
            "renders_reused",
            "Trees whose generated files were known, since what they depend on was rendered before.",
            |view| view.counters.renders_reused,
        ),
        ("failed_renders", "Writes that ended at files which can't be rendered.", |view| {
            view.counters.failed_renders
        }),
        ("declined_pushes", "Pushes that the remote declined.", |view| view.counters.declined),
        ("calls", "Calls answered.", |view| view.counters.calls),
    ];
    for (name, help, read) in counters {
        family(&mut out, &format!("cfgupdater_{name}_total"), "counter", help, views, read);
    }
    let gauges: [(&str, &str, Read); 5] = [
        ("reachable", "Whether the latest reading succeeded.", |view| u64::from(view.reachable)),
        ("waiting", "Reasons why something waits.", |view| view.why.len() as u64),
        ("chain_commits", "Commits on auto that are not on stable.", |view| chain(view, |_| true)),
        ("chain_red_commits", "Red ones among them.", |view| chain(view, |verdict| verdict == Verdict::Red)),
        ("live_intents", "Intents without an end.", |view| {
            view.snapshot.as_ref().map_or(0, |snapshot| snapshot.state.live().len() as u64)
        }),
    ];
    for (name, help, read) in gauges {
        family(&mut out, &format!("cfgupdater_{name}"), "gauge", help, views, read);
    }
    render_usages(&mut out, usages);
    http.render(&mut out);
    out
}

/// Renders how often deploy tools were asked.
pub(crate) fn render_polls(polls: &[(&RepoName, (u64, u64))], out: &mut String) {
    type ReadPolls = fn((u64, u64)) -> u64;
    let families: [(&str, &str, ReadPolls); 2] = [
        ("cfgupdater_polls_total", "Questions to deploy tools about a target.", |(asked, _)| asked),
        ("cfgupdater_failed_polls_total", "Questions to deploy tools that failed.", |(_, failed)| failed),
    ];
    for (name, help, read) in families {
        heading(out, name, "counter", help);
        for (repo, polled) in polls {
            line(out, name, &format!("repo=\"{repo}\""), &read(*polled).to_string());
        }
    }
}

/// Renders how much was found of the settings of the forges.
pub(crate) fn render_findings(found: &[(&RepoName, std::sync::Arc<[Finding]>)], out: &mut String) {
    let name = "cfgupdater_preflight_findings";
    heading(out, name, "gauge", "What the settings of the forge would refuse.");
    for (repo, findings) in found {
        for fatal in [true, false] {
            let count = findings.iter().filter(|finding| finding.fatal == fatal).count();
            line(out, name, &format!("repo=\"{repo}\",fatal=\"{fatal}\""), &count.to_string());
        }
    }
}

/// What a forge told of itself; absent where it tells nothing.
type Told = fn(&ApiUsage) -> Option<u64>;

fn render_usages(out: &mut String, usages: &[(&RepoName, ApiUsage)]) {
    let figures: [(&str, &str, &str, Told); 5] = [
        ("requests_total", "counter", "Requests that the forge answered.", |usage| Some(usage.requests)),
        ("unchanged_total", "counter", "Answers that said: unchanged.", |usage| Some(usage.unchanged)),
        ("limited_total", "counter", "Answers that asked for fewer requests.", |usage| Some(usage.limited)),
        ("requests_limit", "gauge", "Requests allowed in a window.", |usage| usage.limit),
        ("requests_remaining", "gauge", "Requests left in it.", |usage| usage.remaining),
    ];
    for (name, kind, help, told) in figures {
        let name = format!("cfgupdater_forge_{name}");
        heading(out, &name, kind, help);
        for (repo, usage) in usages {
            if let Some(figure) = told(usage) {
                line(out, &name, &format!("repo=\"{repo}\""), &figure.to_string());
            }
        }
    }
}

fn chain(view: &View, count: fn(Verdict) -> bool) -> u64 {
    let Some(snapshot) = &view.snapshot else { return 0 };
    snapshot.chain.iter().filter(|commit| count(snapshot.verdict_of(&commit.id))).count() as u64
}

fn family(
    out: &mut String,
    name: &str,
    kind: &str,
    help: &str,
    views: &[std::sync::Arc<View>],
    read: fn(&View) -> u64,
) {
    heading(out, name, kind, help);
    for view in views {
        // A repository's name holds nothing that would need escaping.
        line(out, name, &format!("repo=\"{}\"", view.repo), &read(view).to_string());
    }
}

fn heading(out: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a text can't fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(out: &mut String, name: &str, labels: &str, value: &str) {
    let _ = writeln!(out, "{name}{{{labels}}} {value}");
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_cumulatively() {
        let http = HttpMetrics::default();
        for millis in [3, 30, 90_000] {
            http.record("GET", "/v1/repos/{repo}", 200, Duration::from_millis(millis));
        }
        let text = render(&[], &[], &http);
        assert!(text.contains("status=\"200\",le=\"0.005\"} 1"), "{text}");
        assert!(text.contains("status=\"200\",le=\"0.100\"} 2"), "{text}");
        assert!(
            text.contains("le=\"+Inf\"} 3")
                && text.contains("_sum{method=\"GET\",route=\"/v1/repos/{repo}\",status=\"200\"} 90.033"),
            "{text}"
        );
    }

    #[test]
    fn methods_that_callers_make_up_are_one() {
        let http = HttpMetrics::default();
        for method in ["AAA1", "AAA2", "get", "GET"] {
            http.record(method, "unmatched", 404, Duration::ZERO);
        }
        let text = render(&[], &[], &http);
        assert!(text.contains("_count{method=\"OTHER\",route=\"unmatched\",status=\"404\"} 3"), "{text}");
        assert!(text.contains("_count{method=\"GET\",route=\"unmatched\",status=\"404\"} 1"), "{text}");
    }

    #[test]
    fn what_a_forge_still_takes_is_shown() {
        let name: RepoName = "cfg".parse().unwrap();
        let mut usage = ApiUsage::default();
        (usage.requests, usage.unchanged, usage.remaining) = (7, 3, Some(4993));
        let text = render(&[], &[(&name, usage)], &HttpMetrics::default());
        assert!(text.contains("cfgupdater_forge_unchanged_total{repo=\"cfg\"} 3"), "{text}");
        assert!(text.contains("cfgupdater_forge_requests_remaining{repo=\"cfg\"} 4993"), "{text}");
        assert!(!text.contains("cfgupdater_forge_requests_limit{"), "{text}");
    }
}
