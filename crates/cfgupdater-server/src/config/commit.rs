//! Mistakes of `[repo.commit]`.

use cfgupdater_git_backend::{SigningKey, check_author};

use super::Config;
use super::error::Mistake;
use super::file::Repo;

/// Finds an author by whom no commit could be written, and a key that can't sign any.
pub(super) fn mistakes(repo: &Repo, config: &Config) -> Vec<Mistake> {
    let author = repo.policy("stable".parse().expect("a valid branch")).identity;
    let place = repo.commit.name.as_ref().or(repo.commit.email.as_ref()).map(toml::Spanned::span);
    let author = check_author(&author.name, &author.email).err().map(|error| (place, error));
    let key = repo.commit.ssh_signing_key_file.as_ref().and_then(|file| {
        let error = SigningKey::new(config.absolute(file.get_ref())).check().err()?;
        Some((Some(file.span()), error))
    });
    let told = |(place, error)| Mistake { place, message: format!("[repo.commit]: {error}") };
    author.into_iter().chain(key).map(told).collect()
}
