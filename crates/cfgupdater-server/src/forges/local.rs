//! `kind = "local"`: a plain bare repository.

use cfgupdater::core::Error;
use cfgupdater_forge_local::{CheckCommand, LocalForge, LocalForgeSettings};
use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Connection, ForgeKind, ForgeSection, Site};

/// A plain bare repository, whose checks the service runs itself or takes over HTTP.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalKind;

impl ForgeKind for LocalKind {
    fn name(&self) -> &'static str {
        "local"
    }

    fn keys(&self) -> &[&str] {
        &["run"]
    }

    fn mistakes(&self, section: &ForgeSection) -> Vec<String> {
        let mut contexts = BTreeSet::new();
        let twice = section.run.iter().filter(move |run| !contexts.insert(&run.context));
        let twice =
            twice.map(|run| format!("check `{}` is configured twice; names must differ", run.context));
        let empty = section.run.iter().filter(|run| run.command.is_empty());
        let empty = empty.map(|run| format!("the command of check `{}` must name a program", run.context));
        twice.chain(empty).collect()
    }

    fn connect(&self, section: &ForgeSection, site: &Site) -> Result<Connection, Error> {
        let replica = format!("replica-{}", std::process::id());
        let mut settings = LocalForgeSettings::new(site.scratch.clone(), site.evidence_url.clone(), replica);
        let command = |run: &super::CheckRunner| {
            let mut command = CheckCommand::new(run.context.clone(), run.command.clone());
            command.timeout = run.timeout.unwrap_or(command.timeout);
            command
        };
        settings.runs = section.run.iter().map(command).collect();
        let look = Arc::clone(&site.look);
        Ok(Connection::InRepository(Box::new(move |repo, remote| {
            Arc::new(LocalForge::new(repo, remote, settings, look))
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forges::CheckRunner;

    #[test]
    fn a_check_has_a_command_and_a_name_of_its_own() {
        let run = vec![CheckRunner::new("ci", vec!["make".to_owned()]), CheckRunner::new("ci", Vec::new())];
        let mut section = ForgeSection { run, ..ForgeSection::default() };
        let mistakes = LocalKind.mistakes(&section);
        assert_eq!(
            mistakes,
            [
                "check `ci` is configured twice; names must differ",
                "the command of check `ci` must name a program"
            ]
        );
        section.run.pop();
        assert!(LocalKind.mistakes(&section).is_empty());
    }
}
