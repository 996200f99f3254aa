//! Mistakes that the grammar allows.

use std::collections::BTreeSet;
use std::ops::Range;

use cfgupdater::core::{BranchName, ImageRef, Policy, VerifyImages, WaveName, check_branches};
use cfgupdater_git_backend::RemoteUrl;
use toml::Spanned;

use super::Config;
use super::error::Mistake;
use super::file::{AuthMode, File, Foreign, ImageSet, Registry, Repo, Server, Token, Wave};
use crate::tokens::Scope;

/// Finds every mistake of a file.
pub(crate) fn mistakes(config: &Config) -> Vec<Mistake> {
    let file = &config.file;
    let mut found = Found::default();
    found.server(&file.server);
    if file.repo.is_empty() {
        found.push(None, "there is no [[repo]]; add the repository to take care of");
    }
    found.twice("repository", file.repo.iter().map(|repo| &repo.name));
    for repo in &file.repo {
        found.repo(repo);
        found.0.extend(repo.forge.mistakes(config));
        found.0.extend(super::commit::mistakes(repo, config));
        found.0.extend(super::deploy::mistakes(repo));
        found.0.extend(super::release_file::mistakes(repo));
    }
    found.twice("registry", file.registry.iter().map(|registry| &registry.host));
    file.registry.iter().for_each(|registry| found.registry(registry));
    if file.registry.is_empty() {
        found.verification_without_registry(file);
    }
    found.0
}

#[derive(Default)]
struct Found(Vec<Mistake>);

impl Found {
    fn push(&mut self, place: Option<Range<usize>>, message: impl Into<String>) {
        self.0.push(Mistake { place, message: message.into() });
    }

    fn server(&mut self, server: &Server) {
        let listen = server.listen.get_ref();
        if server.auth == AuthMode::None && !listen.ip().is_loopback() {
            let message = format!("auth = \"none\" is allowed on a loopback address only, not on {listen}");
            self.push(Some(server.listen.span()), message);
        }
        self.twice("token", server.token.iter().map(|token| &token.name));
        for token in &server.token {
            self.token(token);
        }
    }

    fn token(&mut self, token: &Token) {
        let (name, place) = (token.name.get_ref(), Some(token.name.span()));
        if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
            self.push(place.clone(), "a token's name must be 1 to 128 printable characters");
        }
        match (&token.env, &token.file) {
            (Some(_), Some(_)) => self.push(place, format!("token `{name}` has both env and file; keep one")),
            (None, None) => self.push(place, format!("token `{name}` has neither env nor file; name one")),
            _ => {}
        }
        for scope in &token.scopes {
            if let Err(why) = scope.get_ref().parse::<Scope>() {
                self.push(Some(scope.span()), why);
            }
        }
    }

    fn registry(&mut self, registry: &Registry) {
        let host = registry.host.get_ref();
        let names_it = |image: &ImageRef| image.registry() == host;
        if !format!("{host}/x").parse().is_ok_and(|image| names_it(&image)) {
            let message = format!(
                "`{}` is not a registry's host; write it as in image references, such as registry.example.com:5000",
                host.escape_debug()
            );
            self.push(Some(registry.host.span()), message);
        }
        if let Some(file) = registry.ca_file.as_ref().filter(|_| registry.plain_http) {
            self.push(Some(file.span()), "ca_file is for TLS, which plain_http = true leaves out; keep one");
        }
    }

    /// Only configured registries are asked, so that announcements can't make the service ask others.
    fn verification_without_registry(&mut self, file: &File) {
        let sets = file.repo.iter().flat_map(|repo| &repo.image_set);
        for verify in sets.filter_map(|set| set.verify_images.as_ref()) {
            if *verify.get_ref() != VerifyImages::Off {
                let message = "verify_images asks the registries that are configured, and there is none; add a [[registry]] with the host of the images";
                self.push(Some(verify.span()), message);
            }
        }
    }

    fn repo(&mut self, repo: &Repo) {
        let name = repo.name.get_ref();
        if let Err(error) = repo.url.get_ref().parse::<RemoteUrl>() {
            self.push(Some(repo.url.span()), error.to_string());
        }
        if repo.image_set.is_empty() {
            self.push(
                Some(repo.name.span()),
                format!("repository `{name}` has no [[repo.image_set]]; add one"),
            );
        }
        if repo.wave.is_empty() {
            self.push(Some(repo.name.span()), format!("repository `{name}` has no [[repo.wave]]; add one"));
        }
        self.branches(repo);
        self.twice("image set", repo.image_set.iter().map(|set| &set.name));
        self.twice("wave", repo.wave.iter().map(|wave| &wave.name));
        repo.wave.iter().for_each(|wave| self.wave(wave, repo));
        repo.image_set.iter().for_each(|set| self.image_set(set, repo));
        self.overlapping_paths(repo);
        self.0.extend(super::render::mistakes(repo));
        self.not_yet(repo);
    }

    /// Where no stable branch is named it is the remote's own, and compared once that is asked.
    fn branches(&mut self, repo: &Repo) {
        let or =
            |given: &Option<BranchName>, default: fn() -> BranchName| given.clone().unwrap_or_else(default);
        let auto = or(&repo.auto, Policy::default_auto);
        let state = or(&repo.state, Policy::default_state);
        let probe = or(&repo.probe, Policy::default_probe);
        let mut branches: Vec<(&str, &BranchName)> =
            repo.stable.as_ref().map(|stable| ("stable", stable)).into_iter().collect();
        branches.extend([("auto", &auto), ("state", &state), ("probe", &probe)]);
        if let Err(clash) = check_branches(&branches) {
            self.push(Some(repo.name.span()), clash.to_string());
        }
    }

    fn wave(&mut self, wave: &Wave, repo: &Repo) {
        let targets = wave.targets.get_ref();
        if targets.is_empty() {
            let message = format!(
                "wave `{}` has no targets, so nothing could ever be proven in it; name at least one",
                wave.name.get_ref()
            );
            self.push(Some(wave.targets.span()), message);
        }
        let mut seen = BTreeSet::new();
        for target in targets {
            if !seen.insert(target.name()) {
                self.push(Some(wave.targets.span()), format!("target `{}` is named twice", target.name()));
            }
            for set in target.sets() {
                if !repo.image_set.iter().any(|known| known.name.get_ref() == set) {
                    let message = format!(
                        "target `{}` names image set `{set}`, which is not configured",
                        target.name()
                    );
                    self.push(Some(wave.targets.span()), message);
                }
            }
        }
    }

    fn image_set(&mut self, set: &ImageSet, repo: &Repo) {
        let known: Vec<&WaveName> = repo.wave.iter().map(|wave| wave.name.get_ref()).collect();
        for wave in set.waves.iter().filter(|wave| !known.contains(&wave.get_ref())) {
            let message = format!(
                "image set `{}` names wave `{}`, which is not configured",
                set.name.get_ref(),
                wave.get_ref()
            );
            self.push(Some(wave.span()), message);
        }
    }

    /// Two sets must never write the same file: an eviction of one would take the other's content with it.
    fn overlapping_paths(&mut self, repo: &Repo) {
        for (index, set) in repo.image_set.iter().enumerate() {
            for other in &repo.image_set[..index] {
                let overlap = repo.wave.iter().any(|wave| {
                    let files = |set: &ImageSet| {
                        set.layout().map(|layout| layout.files(wave.name.get_ref())).unwrap_or_default()
                    };
                    files(set).iter().any(|path| files(other).contains(path))
                });
                if overlap {
                    let message = format!(
                        "image sets `{}` and `{}` have the same path; give each one of its own",
                        other.name.get_ref(),
                        set.name.get_ref()
                    );
                    self.push(Some(set.name.span()), message);
                }
            }
        }
    }

    /// What the file may say but this version can't do is refused: passing it over would look like obeying it.
    fn not_yet(&mut self, repo: &Repo) {
        if let Some(foreign) = repo.foreign.as_ref().filter(|foreign| *foreign.get_ref() == Foreign::Carry) {
            self.push(
                Some(foreign.span()),
                "foreign = \"carry\" is not available in this version; use \"park\"",
            );
        }
    }

    fn twice<'a, T: Ord + ToString + 'a>(&mut self, what: &str, names: impl Iterator<Item = &'a Spanned<T>>) {
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name.get_ref()) {
                let message =
                    format!("{what} `{}` is configured twice; names must differ", name.get_ref().to_string());
                self.push(Some(name.span()), message);
            }
        }
    }
}
