//! `[repo.forge]`, as its kind sees it.

use std::ops::Range;
use std::path::PathBuf;

use cfgupdater::core::{Error, ErrorKind, RequiredChecks};
use toml::Spanned;

use super::Config;
use super::error::Mistake;
use super::file::{Forge, Project, Run};
use crate::forges::{CheckRunner, Connection, ForgeSection, Forges, Site};

impl Forge {
    /// Makes the forge of a repository.
    pub(crate) fn connect(&self, config: &Config, site: &Site) -> Result<Connection, Error> {
        let unknown = || Error::new(ErrorKind::Invalid, unknown_kind(self.kind.get_ref(), &config.forges));
        let kind = config.forges.find(self.kind.get_ref()).ok_or_else(unknown)?;
        kind.connect(&self.section(config), site)
    }

    /// Completes what the configuration requires as its kind has it.
    pub(crate) fn complete(&self, config: &Config, required: RequiredChecks) -> RequiredChecks {
        match config.forges.find(self.kind.get_ref()) {
            Some(kind) => kind.complete(&self.section(config), required),
            None => required,
        }
    }

    /// Finds what its kind does not take.
    pub(crate) fn mistakes(&self, config: &Config) -> Vec<Mistake> {
        let here = |message| Mistake { place: Some(self.kind.span()), message };
        let name = self.kind.get_ref();
        let Some(kind) = config.forges.find(name) else {
            return vec![here(unknown_kind(name, &config.forges))];
        };
        let foreign = self.keys().into_iter().filter(|(key, _)| !kind.keys().contains(key));
        let foreign = foreign.map(|(key, place)| Mistake {
            place: Some(place),
            message: format!("`{key}` means nothing to kind = \"{name}\"; remove it"),
        });
        foreign.chain(kind.mistakes(&self.section(config)).into_iter().map(here)).collect()
    }

    /// Lists the keys that are there, with their places.
    fn keys(&self) -> Vec<(&'static str, Range<usize>)> {
        fn place<T>(key: Option<&Spanned<T>>) -> Option<Range<usize>> {
            key.map(Spanned::span)
        }
        [
            ("api_url", place(self.api_url.as_ref())),
            ("app_id", place(self.app_id.as_ref())),
            ("private_key_file", place(self.private_key_file.as_ref())),
            ("private_key_env", place(self.private_key_env.as_ref())),
            ("installation_id", place(self.installation_id.as_ref())),
            ("project", place(self.project.as_ref())),
            ("token_file", place(self.token_file.as_ref())),
            ("token_env", place(self.token_env.as_ref())),
            ("webhook_secret_file", place(self.webhook_secret_file.as_ref())),
            ("webhook_secret_env", place(self.webhook_secret_env.as_ref())),
            ("ca_file", place(self.ca_file.as_ref())),
            ("pushes_per_minute", place(self.pushes_per_minute.as_ref())),
            ("require_pipeline", place(self.require_pipeline.as_ref())),
            ("run", place(self.run.as_ref())),
        ]
        .into_iter()
        .filter_map(|(key, place)| Some((key, place?)))
        .collect()
    }

    fn section(&self, config: &Config) -> ForgeSection {
        fn value<T: Clone>(key: Option<&Spanned<T>>) -> Option<T> {
            key.map(|key| key.get_ref().clone())
        }
        let path = |key: Option<&Spanned<PathBuf>>| value(key).map(|path| config.absolute(&path));
        ForgeSection {
            api_url: value(self.api_url.as_ref()),
            app_id: value(self.app_id.as_ref()),
            private_key_file: path(self.private_key_file.as_ref()),
            private_key_env: value(self.private_key_env.as_ref()),
            installation_id: value(self.installation_id.as_ref()),
            project: value(self.project.as_ref()).map(|project| match project {
                Project::Path(path) => path,
                Project::Number(number) => number.to_string(),
            }),
            token_file: path(self.token_file.as_ref()),
            token_env: value(self.token_env.as_ref()),
            webhook_secret_file: path(self.webhook_secret_file.as_ref()),
            webhook_secret_env: value(self.webhook_secret_env.as_ref()),
            ca_file: path(self.ca_file.as_ref()),
            pushes_per_minute: value(self.pushes_per_minute.as_ref()),
            require_pipeline: value(self.require_pipeline.as_ref()),
            run: value(self.run.as_ref()).into_iter().flatten().map(check_runner).collect(),
        }
    }
}

fn check_runner(run: Run) -> CheckRunner {
    CheckRunner { context: run.context, command: run.command, timeout: run.timeout.map(|timeout| timeout.0) }
}

fn unknown_kind(name: &str, forges: &Forges) -> String {
    format!("there is no forge of kind \"{name}\"; this service knows {}", forges.names().join(", "))
}
