//! [`Entries`]: what a layer holds, in the one order it can have.

use std::collections::BTreeMap;

use super::image_path::ImagePath;
use super::mode::Mode;
use super::owner::Owner;
use super::source_path::SourcePath;

/// Directories that have other modes than most, wherever they exist.
const SPECIAL: [(&str, u32); 3] = [("tmp", 0o1777), ("var/tmp", 0o1777), ("root", 0o700)];

/// Where a file is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// The directory of the images file.
    Files,
    /// The directory of built binaries.
    Bins,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    File { root: Root, source: SourcePath, size: u64 },
    Directory,
    Link { target: String },
}

/// One entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) mode: Mode,
    pub(super) owner: Owner,
    /// Nobody asked for it: it is there because something is below it.
    implied: bool,
}

impl Entry {
    pub(super) fn new(kind: Kind, mode: Mode, owner: Owner) -> Self {
        Self { kind, mode, owner, implied: false }
    }
}

/// The entries of a layer by their paths. The order of the paths is that of the layer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Entries(BTreeMap<ImagePath, Entry>);

impl Entries {
    /// Adds an entry and the directories above it.
    ///
    /// Layers name the directories above their files, since some tools make missing ones that nobody may enter.
    pub(super) fn add(&mut self, path: ImagePath, entry: Entry) -> Result<(), String> {
        if path.as_str().is_empty() {
            return if entry.kind == Kind::Directory { Ok(()) } else { Err("/ can't be a file".to_owned()) };
        }
        for parent in path.parents() {
            let mode = usual_mode(&parent);
            let implied = Entry { implied: true, ..Entry::new(Kind::Directory, mode, Owner::default()) };
            let known = self.0.entry(parent).or_insert(implied);
            if known.kind != Kind::Directory {
                return Err(format!("{path} is below something that is no directory"));
            }
        }
        match self.0.get(&path) {
            Some(known) if !known.implied => return Err(format!("{path} is put there twice")),
            Some(known) if known.kind != entry.kind => return Err(format!("{path} is a directory, too")),
            _ => {}
        }
        self.0.insert(path, entry);
        Ok(())
    }

    /// Adds a directory because what is in it is copied. One that was asked for by name stays as it is.
    pub(super) fn add_copied_directory(&mut self, path: ImagePath, owner: Owner) -> Result<(), String> {
        match self.0.get_mut(&path) {
            Some(known) if known.kind != Kind::Directory => Err(format!("{path} is no directory")),
            Some(known) => {
                if known.implied {
                    known.owner = owner;
                }
                Ok(())
            }
            None => {
                let implied =
                    Entry { implied: true, ..Entry::new(Kind::Directory, usual_mode(&path), owner) };
                self.add(path, implied)
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&ImagePath, &Entry)> {
        self.0.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn usual_mode(directory: &ImagePath) -> Mode {
    let special = SPECIAL.iter().find(|(special, _)| *special == directory.as_str());
    special.map_or(Mode::DIRECTORY, |(_, mode)| Mode(*mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Entry {
        Entry::new(Kind::Link { target: "x".to_owned() }, Mode(0o777), Owner::default())
    }

    fn directory(mode: u32) -> Entry {
        Entry::new(Kind::Directory, Mode(mode), Owner::default())
    }

    fn path(text: &str) -> ImagePath {
        ImagePath::parse(text).unwrap()
    }

    #[test]
    fn directories_above_come_first_and_have_their_usual_modes() {
        let mut entries = Entries::default();
        entries.add(path("/var/tmp/a"), link()).unwrap();
        entries.add(path("/a-b"), link()).unwrap();
        entries.add(path("/a/b"), link()).unwrap();
        let listed: Vec<_> = entries.iter().map(|(path, entry)| (path.as_str(), entry.mode.0)).collect();
        let expected = [("a", 0o755), ("a-b", 0o777), ("a/b", 0o777), ("var", 0o755), ("var/tmp", 0o1777)];
        assert_eq!(listed[..5], expected);
    }

    #[test]
    fn what_is_asked_for_counts_more_than_what_is_implied() {
        for order in [[0, 1], [1, 0]] {
            let mut entries = Entries::default();
            for step in order {
                let (at, entry) = [("/data/x", link()), ("/data", directory(0o700))][step].clone();
                entries.add(path(at), entry).unwrap();
            }
            assert_eq!(entries.iter().next().unwrap().1.mode.0, 0o700, "{order:?}");
        }
    }

    #[test]
    fn one_path_is_one_thing() {
        let mut entries = Entries::default();
        entries.add(path("/a/b"), link()).unwrap();
        assert!(entries.add(path("/a/b"), link()).is_err());
        assert!(entries.add(path("/a/b/c"), link()).is_err());
        assert!(entries.add(path("/a"), link()).is_err());
        assert!(entries.add(path("/"), link()).is_err());
    }
}
