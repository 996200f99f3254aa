//! [`Sources`]: finds the files that an image asks for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cfgupdater_core::{Error, ErrorKind};

use super::bounded::Budget;
use super::content::Content;
use super::context::{Context, Found};
use super::entry::{Entries, Entry, Kind, Root};
use super::image_path::ImagePath;
use super::image_spec::ImageSpec;
use super::images_file::ImagesFile;
use super::mode::Mode;
use super::platform::Platform;
use super::source_path::SourcePath;

/// The directories that files are taken from.
#[derive(Debug)]
pub(super) struct Sources {
    files: Context,
    bins: Option<Context>,
    max_size: u64,
    given_up: Arc<AtomicBool>,
}

/// Something found that is yet to be looked into.
struct Pending {
    source: SourcePath,
    path: ImagePath,
    found: Found,
}

impl Sources {
    /// Opens the directories that files for a platform are in.
    /// Nothing is read any more once `given_up` is true.
    pub(super) fn open(
        file: &ImagesFile,
        platform: &Platform,
        given_up: &Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        let needs_bins = file.images().iter().flat_map(|image| &image.content);
        let needs_bins =
            needs_bins.into_iter().any(|content| matches!(content, Content::Copy { is_bin: true, .. }));
        let bins = match &file.bins {
            Some(bins) if needs_bins => Some(Context::open(&platform.within(bins))?),
            _ => None,
        };
        let given_up = Arc::clone(given_up);
        Ok(Self { files: Context::open(&file.directory)?, bins, max_size: file.max_size, given_up })
    }

    /// Lists what is in the layer of an image.
    pub(super) fn entries(&self, image: &ImageSpec) -> Result<Entries, Error> {
        let mut entries = Entries::default();
        let mut budget = Budget::new(self.max_size);
        for content in &image.content {
            self.add(content, &mut entries, &mut budget)?;
        }
        Ok(entries)
    }

    /// Tells whether nobody waits for the build any more.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }

    pub(super) fn context(&self, root: Root) -> Result<&Context, Error> {
        match root {
            Root::Files => Ok(&self.files),
            Root::Bins => self.bins.as_ref().ok_or_else(|| {
                Error::new(
                    ErrorKind::Invalid,
                    "it isn't said where the binaries are; set `directory` of [bins]",
                )
            }),
        }
    }

    fn add(&self, content: &Content, entries: &mut Entries, budget: &mut Budget) -> Result<(), Error> {
        match content {
            Content::Directory { path, mode, owner } => {
                put(entries, path.clone(), Entry::new(Kind::Directory, *mode, *owner))
            }
            Content::Link { path, target, owner } => put(
                entries,
                path.clone(),
                Entry::new(Kind::Link { target: target.clone() }, Mode(0o777), *owner),
            ),
            Content::Copy { source, is_bin, to, .. } => {
                let root = if *is_bin { Root::Bins } else { Root::Files };
                let found = self.context(root)?.look(source)?;
                let path = match (found, source.name()) {
                    (Found::File { .. }, Some(name)) if to.is_directory => named(&to.path, name)?,
                    _ => to.path.clone(),
                };
                self.copy(root, Pending { source: source.clone(), path, found }, content, entries, budget)
            }
        }
    }

    /// Adds a file, or everything below a directory.
    fn copy(
        &self,
        root: Root,
        start: Pending,
        content: &Content,
        entries: &mut Entries,
        budget: &mut Budget,
    ) -> Result<(), Error> {
        let Content::Copy { mode, owner, .. } = content else { return Ok(()) };
        let context = self.context(root)?;
        let mut pending = vec![start];
        while let Some(Pending { source, path, found }) = pending.pop() {
            match found {
                Found::File { size } => {
                    budget.take(size)?;
                    let kind = Kind::File { root, source, size };
                    put(entries, path, Entry::new(kind, mode.unwrap_or(Mode::FILE), *owner))?;
                }
                Found::Directory => {
                    budget.take(0)?;
                    for (name, found) in context.list(&source)? {
                        pending.push(Pending {
                            source: source.join(&name),
                            path: named(&path, &name)?,
                            found,
                        });
                    }
                    entries.add_copied_directory(path, *owner).map_err(invalid)?;
                }
            }
        }
        Ok(())
    }
}

fn named(path: &ImagePath, name: &str) -> Result<ImagePath, Error> {
    path.join(name).map_err(invalid)
}

fn put(entries: &mut Entries, path: ImagePath, entry: Entry) -> Result<(), Error> {
    entries.add(path, entry).map_err(invalid)
}

fn invalid(why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Invalid, format!("{why}; correct `files`"))
}
