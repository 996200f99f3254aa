//! The images of a `kustomization.yaml`.

use std::collections::BTreeMap;

use super::fields::Fields;
use crate::name::ServiceName;
use crate::yaml::{Node, Refused, parse};

/// Finds the fields of each entry of `images`; `names` says which entry is which service's, where they are called
/// differently.
pub(super) fn locate(text: &str, names: &BTreeMap<ServiceName, String>) -> Result<Vec<Fields>, Refused> {
    let documents = parse(text)?;
    let with_images: Vec<&Node> = documents.iter().filter(|document| document.has("images")).collect();
    let [document] = with_images.as_slice() else {
        return Err(Refused::new("it must hold exactly one document with a list `images`"));
    };
    let entries = document.block("images")?.items("images")?;
    entries.iter().filter_map(|entry| fields(entry, names).transpose()).collect()
}

fn fields(entry: &Node, names: &BTreeMap<ServiceName, String>) -> Result<Option<Fields>, Refused> {
    let name = entry.scalar("name")?.value;
    let service = if names.is_empty() {
        name.parse().ok()
    } else {
        names.iter().find(|(_, called)| **called == name).map(|(service, _)| service.clone())
    };
    // Entries of others are left alone.
    let Some(service) = service else { return Ok(None) };
    let within = |error: Refused| error.within(&format!("image `{name}`"));
    Ok(Some(Fields {
        service,
        repository: entry.scalar("newName").map_err(within)?,
        tag: entry.scalar("newTag").map_err(within)?,
        digest: entry.scalar("digest").map_err(within)?,
    }))
}
