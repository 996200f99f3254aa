//! The files that tell CI what was built: those that `cfgupdater announce` takes.

use std::collections::BTreeMap;
use std::path::Path;

use cfgupdater_core::{Error, ErrorKind, Image, ImageMap, ServiceName};

use super::built_image::BuiltImage;

/// Writes `SERVICE.json` for each service into a directory, and all of them into one file.
///
/// Each file is `{"SERVICE":{"Digest":"…","Tag":"…"}}`, with sorted names.
///
/// # Errors
/// Fails where a file can't be written.
pub fn write_artefacts(
    built: &[BuiltImage],
    directory: Option<&Path>,
    merged: Option<&Path>,
) -> Result<(), Error> {
    let images: BTreeMap<ServiceName, Image> =
        built.iter().filter_map(|built| Some((built.service.clone()?, built.image()))).collect();
    if let Some(directory) = directory {
        std::fs::create_dir_all(directory).map_err(|cause| unwritable(directory, cause))?;
        for (service, image) in &images {
            let one = BTreeMap::from([(service.clone(), image.clone())]);
            write(&directory.join(format!("{service}.json")), one)?;
        }
    }
    merged.map_or(Ok(()), |file| write(file, images))
}

fn write(file: &Path, images: BTreeMap<ServiceName, Image>) -> Result<(), Error> {
    let mut text = serde_json::to_string_pretty(&ImageMap::new(images))
        .map_err(|cause| Error::new(ErrorKind::Other, "an artefact has no JSON form").with_source(cause))?;
    text.push('\n');
    std::fs::write(file, text).map_err(|cause| unwritable(file, cause))
}

fn unwritable(path: &Path, cause: std::io::Error) -> Error {
    Error::new(ErrorKind::Other, format!("{} can't be written", path.display())).with_source(cause)
}

#[cfg(test)]
mod tests {
    use cfgupdater_core::ImageDigest;

    use super::*;
    use crate::builder::Change;

    fn built(service: Option<&str>) -> BuiltImage {
        BuiltImage {
            name: service.unwrap_or("bins").to_owned(),
            service: service.map(|name| name.parse().unwrap()),
            repository: format!("r.example.com/{}", service.unwrap_or("bins").to_lowercase())
                .parse()
                .unwrap(),
            digest: ImageDigest::of(b"x"),
            tag: "ab".repeat(20),
            change: Change::New,
            blobs_sent: 0,
            bytes_sent: 0,
        }
    }

    #[test]
    fn artefacts_are_what_an_announcement_takes() {
        let dir = tempfile::tempdir().unwrap();
        let all = dir.path().join("images.json");
        let images = [built(Some("Web")), built(Some("Api")), built(None)];
        write_artefacts(&images, Some(&dir.path().join("services")), Some(&all)).unwrap();
        let read =
            |path: &Path| -> ImageMap { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
        let merged = read(&all);
        merged.check().unwrap();
        assert_eq!(merged.len(), 2);
        let web = read(&dir.path().join("services/Web.json"));
        web.check().unwrap();
        assert_eq!(web.iter().next().unwrap().1.tag, format!("r.example.com/web:{}", "ab".repeat(20)));
        let text = std::fs::read_to_string(&all).unwrap();
        assert!(text.find("Api").unwrap() < text.find("Web").unwrap() && text.ends_with("}\n"), "{text}");
    }
}
