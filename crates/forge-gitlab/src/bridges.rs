//! Reading the bridges of a pipeline with all attempts.

use std::borrow::Cow;

use gitlab::api::endpoint_prelude::{Endpoint, Method, Pageable, QueryParams};

use crate::project::name;
use crate::settings::ProjectName;

/// Asks for all attempts of all bridges. GitLab takes the same parameter here as for jobs, though neither its
/// documentation nor the gitlab crate says so.
///
/// Source: `app/finders/ci/jobs_finder.rb` of GitLab.
pub(crate) struct Bridges<'a> {
    pub(crate) project: &'a ProjectName,
    pub(crate) pipeline: u64,
}

impl Endpoint for Bridges<'_> {
    fn method(&self) -> Method {
        Method::GET
    }

    fn endpoint(&self) -> Cow<'static, str> {
        format!("projects/{}/pipelines/{}/bridges", name(self.project), self.pipeline).into()
    }

    fn parameters(&self) -> QueryParams<'_> {
        let mut parameters = QueryParams::default();
        parameters.push("include_retried", true);
        parameters
    }
}

impl Pageable for Bridges<'_> {}
