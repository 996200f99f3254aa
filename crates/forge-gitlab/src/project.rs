//! Endpoints within one project.

use cfgupdater_core::{Error, ErrorKind};
use gitlab::api::common::NameOrId;

use crate::settings::ProjectName;

/// Names the project to the gitlab crate.
pub(crate) fn name(project: &ProjectName) -> NameOrId<'_> {
    match project {
        ProjectName::Path(path) => path.as_str().into(),
        ProjectName::Number(number) => (*number).into(),
    }
}

/// Tells of an endpoint that lacks something, which is a mistake of this crate.
pub(crate) fn incomplete(cause: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Other, "a request to GitLab is incomplete").with_source(cause.to_string())
}
