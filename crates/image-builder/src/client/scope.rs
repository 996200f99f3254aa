//! [`Scope`]: what a token must permit.

use super::repository::Repository;

/// What a request needs: to read one repository or to write it too, and maybe to read another at the same host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Scope {
    host: String,
    path: String,
    wanted: Vec<String>,
}

impl Scope {
    /// Nothing but being let in.
    pub(super) fn entry(host: &str) -> Self {
        Self { host: host.to_owned(), path: String::new(), wanted: Vec::new() }
    }

    pub(super) fn pull(repository: &Repository) -> Self {
        let wanted = vec![format!("repository:{}:pull", repository.path())];
        Self { host: repository.host().to_owned(), path: repository.path().to_owned(), wanted }
    }

    pub(super) fn push(repository: &Repository) -> Self {
        let wanted = vec![format!("repository:{}:pull,push", repository.path())];
        Self { host: repository.host().to_owned(), path: repository.path().to_owned(), wanted }
    }

    /// A mount reads one repository and writes the other: a token for the target alone is refused.
    pub(super) fn mount(target: &Repository, from: &Repository) -> Self {
        let mut scope = Self::push(target);
        scope.wanted.extend(Self::pull(from).wanted);
        scope
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Returns the path of the repository that is meant, nothing where none is.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Returns the scopes as token servers take them, one parameter each.
    pub(super) fn wanted(&self) -> &[String] {
        &self.wanted
    }
}
