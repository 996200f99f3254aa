//! `check-config`: every mistake of a configuration file, and what stands in the way of serving it.

use std::path::Path;

use cfgupdater_core::Finding;
use cfgupdater_server::{Config, RepoFindings, preflight};

use crate::exit::Failure;
use crate::output;

pub(super) async fn run(path: &Path) -> Result<(), Failure> {
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(errors) => {
            output::print(&errors.to_string());
            return Err(not_usable(path));
        }
    };
    let found = preflight(&config).await;
    let lines: Vec<String> = found.iter().flat_map(of_repo).collect();
    output::print(&lines.join("\n"));
    if found.iter().flat_map(|repo| &repo.findings).any(|finding| finding.fatal) {
        return Err(not_usable(path));
    }
    output::print(&format!("{} is fine", path.display()));
    Ok(())
}

fn not_usable(path: &Path) -> Failure {
    Failure::failed(format!("{} can't be used as it is", path.display()))
}

fn of_repo(found: &RepoFindings) -> impl Iterator<Item = String> {
    let subject = found.repo.as_deref().unwrap_or("server");
    found.findings.iter().map(move |finding| line(subject, finding))
}

fn line(subject: &str, finding: &Finding) -> String {
    let kind = if finding.fatal { "error" } else { "warning" };
    format!("{kind}: {subject}: {}; {}", finding.problem, finding.remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_how_bad_it_is_and_what_to_do() {
        let warning = line("cfg-app", &Finding::warning("no check has ever run", "run one"));
        assert_eq!(warning, "warning: cfg-app: no check has ever run; run one");
        assert!(line("server", &Finding::fatal("a", "b")).starts_with("error: server: "));
    }
}
