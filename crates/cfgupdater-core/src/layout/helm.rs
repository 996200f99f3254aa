//! The images of a values file of Helm.

use std::collections::BTreeMap;

use super::fields::Fields;
use crate::name::ServiceName;
use crate::yaml::{Node, Refused, parse};

/// Finds `repository`, `tag` and `digest` of each service at its path of keys.
pub(super) fn locate(text: &str, paths: &BTreeMap<ServiceName, String>) -> Result<Vec<Fields>, Refused> {
    let documents = parse(text)?;
    let [document] = documents.as_slice() else {
        return Err(Refused::new("it must hold exactly one document"));
    };
    paths.iter().map(|(service, path)| fields(document, service, path)).collect()
}

fn fields(document: &Node, service: &ServiceName, path: &str) -> Result<Fields, Refused> {
    let within = |error: Refused| error.within(&format!("`{path}`"));
    let mut node = document;
    for key in path.split('.') {
        node = node.block(key).map_err(within)?;
    }
    let field = |key: &str| node.scalar(key).map_err(within);
    Ok(Fields {
        service: service.clone(),
        repository: field("repository")?,
        tag: field("tag")?,
        digest: field("digest")?,
    })
}
