//! Mistakes of `[repo.commit]`.

use cfgupdater_git_backend::check_author;

use super::error::Mistake;
use super::file::Repo;

/// Finds an author by whom no commit could be written.
pub(super) fn mistakes(repo: &Repo) -> Option<Mistake> {
    let author = repo.policy("stable".parse().expect("a valid branch")).identity;
    let error = check_author(&author.name, &author.email).err()?;
    let place = repo.commit.name.as_ref().or(repo.commit.email.as_ref());
    Some(Mistake { place: place.map(toml::Spanned::span), message: format!("[repo.commit]: {error}") })
}
