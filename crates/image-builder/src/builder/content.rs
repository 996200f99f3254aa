//! [`Content`]: what is put into an image.

use std::collections::BTreeSet;

use super::image_path::{Destination, ImagePath};
use super::images_file::RawEntry;
use super::mode::Mode;
use super::owner::Owner;
use super::source_path::SourcePath;

/// Something that is put into an image.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A file, or what is in a directory.
    Copy {
        source: SourcePath,
        is_bin: bool,
        to: Destination,
        mode: Option<Mode>,
        owner: Owner,
    },
    Directory {
        path: ImagePath,
        mode: Mode,
        owner: Owner,
    },
    Link {
        path: ImagePath,
        target: String,
        owner: Owner,
    },
}

impl Content {
    /// Copies a binary.
    pub(super) fn bin(bin: &SourcePath, to: Destination, mode: Option<Mode>, owner: Owner) -> Self {
        let mode = Some(mode.unwrap_or(Mode::EXECUTABLE));
        Self::Copy { source: bin.clone(), is_bin: true, to, mode, owner }
    }

    /// Reads an entry of `files`. Of binaries, it may name those that may be delivered.
    pub(super) fn parse(entry: &RawEntry, bins: &BTreeSet<SourcePath>) -> Result<Self, String> {
        let owner = entry.owner;
        match entry.clone() {
            RawEntry {
                from: Some(source), to: Some(to), mode, bin: None, directory: None, link: None, target: None, ..
            } => Ok(Self::Copy { source, is_bin: false, to, mode, owner }),
            RawEntry { bin: Some(bin), to, mode, from: None, directory: None, link: None, target: None, .. } => {
                let root = Destination { path: ImagePath::parse("/")?, is_directory: true };
                Ok(Self::bin(permitted(&bin, bins)?, to.unwrap_or(root), mode, owner))
            }
            RawEntry {
                directory: Some(at), mode, from: None, bin: None, to: None, link: None, target: None, ..
            } => Ok(Self::Directory { path: at.path, mode: mode.unwrap_or(Mode::DIRECTORY), owner }),
            RawEntry {
                link: Some(at),
                target: Some(target),
                from: None,
                bin: None,
                to: None,
                directory: None,
                mode: None,
                ..
            } => Ok(Self::Link { path: at.path, target: link_target(target)?, owner }),
            _ => Err("an entry of `files` is one of { from, to }, { bin, to }, { directory } and { link, target }; mode and owner may be added, a link has no mode".to_owned()),
        }
    }
}

/// Tells whether a binary may be delivered.
pub(super) fn permitted<'a>(
    bin: &'a SourcePath,
    bins: &BTreeSet<SourcePath>,
) -> Result<&'a SourcePath, String> {
    if bins.contains(bin) {
        return Ok(bin);
    }
    Err(format!("`{bin}` is not among the binaries that may be delivered; add it to [bins] files"))
}

fn link_target(target: String) -> Result<String, String> {
    if target.is_empty() || target.len() > 4000 || target.chars().any(char::is_control) {
        return Err(format!(
            "a link can't lead to `{}`",
            target.chars().take(80).collect::<String>().escape_debug()
        ));
    }
    Ok(target)
}
