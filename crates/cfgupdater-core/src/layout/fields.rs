//! Images kept as three scalars each: repository, tag and digest.

use std::collections::{BTreeMap, BTreeSet};

use crate::image::{Image, ImageMap, ImageRef};
use crate::name::ServiceName;
use crate::yaml::{Refused, Scalar, replace};

/// The scalars of one service.
pub(super) struct Fields {
    pub(super) service: ServiceName,
    pub(super) repository: Scalar,
    pub(super) tag: Scalar,
    pub(super) digest: Scalar,
}

/// Puts references together; `None` where a field is empty or a service is there twice.
pub(super) fn read(located: &[Fields]) -> Option<ImageMap> {
    let image = |fields: &Fields| {
        let Fields { repository, tag, digest, .. } = fields;
        let whole = ![repository, tag, digest].iter().any(|field| field.value.is_empty());
        whole.then(|| Image {
            digest: format!("{}@{}", repository.value, digest.value),
            tag: format!("{}:{}", repository.value, tag.value),
        })
    };
    let images: BTreeMap<ServiceName, Image> =
        located.iter().map(|fields| Some((fields.service.clone(), image(fields)?))).collect::<Option<_>>()?;
    (images.len() == located.len()).then(|| ImageMap::new(images))
}

/// Says what keeps images from going into these fields: every service of one side must be on the other.
pub(super) fn fits(located: &[Fields], images: &ImageMap) -> Result<(), String> {
    let there: BTreeSet<&ServiceName> = located.iter().map(|fields| &fields.service).collect();
    let wanted: BTreeSet<&ServiceName> = images.iter().map(|(service, _)| service).collect();
    let list = |names: Vec<&&ServiceName>| {
        names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    if there.len() < located.len() {
        return Err("two of its places are the same service's".to_owned());
    }
    let (absent, unset): (Vec<_>, Vec<_>) =
        (wanted.difference(&there).collect(), there.difference(&wanted).collect());
    if !absent.is_empty() {
        return Err(format!("it has no place for service {}; add one", list(absent)));
    }
    if !unset.is_empty() {
        return Err(format!("it also has service {}, whose image isn't among them", list(unset)));
    }
    Ok(())
}

/// Replaces the scalars of every service, and nothing else.
pub(super) fn write(text: &str, located: &[Fields], images: &ImageMap) -> Result<String, Refused> {
    let parse =
        |reference: &str| reference.parse::<ImageRef>().map_err(|error| Refused::new(&error.to_string()));
    let mut edits = Vec::new();
    for (service, image) in images.iter() {
        let Some(fields) = located.iter().find(|fields| fields.service == *service) else { continue };
        let (by_tag, by_digest) = (parse(&image.tag)?, parse(&image.digest)?);
        edits.push((&fields.repository, by_digest.repository().to_owned()));
        edits.push((&fields.tag, by_tag.tag().unwrap_or_default().to_owned()));
        edits.push((&fields.digest, by_digest.digest().unwrap_or_default().to_owned()));
    }
    replace(text, &edits)
}
