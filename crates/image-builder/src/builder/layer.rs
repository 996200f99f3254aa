//! A layer's bytes: an archive that depends on its entries alone.

use std::io::{self, Read, Write};

use cfgupdater_core::{Error, ErrorKind, ImageDigest};
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

use super::context::{Context, Files};
use super::entry::{Entries, Entry, Kind, Root};
use super::image_path::ImagePath;
use super::scan::Sources;
use super::source_path::SourcePath;

/// Writes the archive of a layer.
pub(super) fn write_archive(
    entries: &Entries,
    sources: &Sources,
    epoch: u64,
    sink: &mut impl Write,
) -> Result<(), Error> {
    let mut archive = tar::Builder::new(sink);
    let mut readers = Readers { sources, open: Vec::new() };
    for (path, entry) in entries.iter() {
        write_entry(&mut archive, path, entry, &mut readers, epoch)?;
    }
    archive.finish().map_err(unwritable)
}

/// Returns the digest of a layer's archive without keeping it.
pub(super) fn diff_id(entries: &Entries, sources: &Sources, epoch: u64) -> Result<ImageDigest, Error> {
    let mut hash = Hashing::new(io::sink());
    write_archive(entries, sources, epoch, &mut hash)?;
    Ok(hash.finish().0)
}

/// What reads the files of each root that has any.
struct Readers<'a> {
    sources: &'a Sources,
    open: Vec<(Root, Files<'a>)>,
}

impl<'a> Readers<'a> {
    fn of(&mut self, root: Root) -> Result<&mut Files<'a>, Error> {
        let known = self.open.iter().position(|(known, _)| *known == root);
        if known.is_none() {
            self.open.push((root, Files::of(self.sources.context(root)?)));
        }
        let at = known.unwrap_or(self.open.len() - 1);
        Ok(&mut self.open[at].1)
    }
}

fn write_entry<W: Write>(
    archive: &mut tar::Builder<W>,
    path: &ImagePath,
    entry: &Entry,
    readers: &mut Readers<'_>,
    epoch: u64,
) -> Result<(), Error> {
    let mut header = header(entry, epoch);
    match &entry.kind {
        Kind::Directory => {
            header.set_entry_type(EntryType::Directory);
            let name = format!("{}/", path.as_str());
            archive.append_data(&mut header, name, io::empty()).map_err(unwritable)
        }
        Kind::Link { target } => {
            header.set_entry_type(EntryType::Symlink);
            archive.append_link(&mut header, path.as_str(), target).map_err(unwritable)
        }
        Kind::File { root, source, size } => {
            write_file(archive, header, path, (*root, source, *size), readers)
        }
    }
}

fn write_file<W: Write>(
    archive: &mut tar::Builder<W>,
    mut header: Header,
    path: &ImagePath,
    (root, source, size): (Root, &SourcePath, u64),
    readers: &mut Readers<'_>,
) -> Result<(), Error> {
    let sources = readers.sources;
    let files = readers.of(root)?;
    let (mut file, found) = files.open(source)?;
    let context = files.context();
    if found != size {
        return Err(changed(context, source));
    }
    header.set_size(size);
    let mut content = Counting { inner: (&mut file).take(size), read: 0, sources };
    archive.append_data(&mut header, path.as_str(), &mut content).map_err(unwritable)?;
    let read = content.read;
    let more = file.read(&mut [0]).map_err(unwritable)?;
    // The header says how long a file is: one that shrinks or grows meanwhile would spoil the archive.
    if read == size && more == 0 { Ok(()) } else { Err(changed(context, source)) }
}

fn header(entry: &Entry, epoch: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_size(0);
    header.set_mode(entry.mode.0);
    header.set_uid(u64::from(entry.owner.user));
    header.set_gid(u64::from(entry.owner.group));
    header.set_mtime(epoch);
    header
}

fn changed(context: &Context, source: &SourcePath) -> Error {
    context.refused(source, "changed while it was read; build again when nothing writes there")
}

pub(super) fn unwritable(cause: io::Error) -> Error {
    Error::new(ErrorKind::Other, "a layer can't be written; check its files and the disk").with_source(cause)
}

/// Counts what is read, until the build is given up.
struct Counting<'a, R> {
    inner: R,
    read: u64,
    sources: &'a Sources,
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.sources.is_given_up() {
            return Err(io::Error::other("the build was given up"));
        }
        let read = self.inner.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}

/// Hashes and counts what is written.
pub(super) struct Hashing<W> {
    inner: W,
    hash: Sha256,
    length: u64,
}

impl<W: Write> Hashing<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new(), length: 0 }
    }

    /// Returns the digest and the length of what was written, and where it went.
    pub(super) fn finish(self) -> (ImageDigest, u64, W) {
        (ImageDigest::from_sha256(self.hash.finalize().into()), self.length, self.inner)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
