use std::sync::Arc;

use super::*;
use crate::builder::entry::{Entry, Kind, Root};
use crate::builder::image_path::ImagePath;
use crate::builder::images_file::ImagesFile;
use crate::builder::mode::Mode;
use crate::builder::owner::Owner;
use crate::builder::platform::Platform;
use crate::builder::source_path::SourcePath;

/// A directory with `f` in it, and what opens it.
fn sources(content: &[u8]) -> (tempfile::TempDir, Sources) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("f"), content).unwrap();
    let file = dir.path().join("images.toml");
    let text =
        "registry = \"r.example.com\"\n[service.A]\nimage = \"a\"\nfiles = [{ from = \"f\", to = \"/f\" }]\n";
    std::fs::write(&file, text).unwrap();
    let sources =
        Sources::open(&ImagesFile::load(&file).unwrap(), &Platform::default(), &Arc::default()).unwrap();
    (dir, sources)
}

fn file(size: u64) -> Entry {
    let kind = Kind::File { root: Root::Files, source: SourcePath::parse("f").unwrap(), size };
    Entry::new(kind, Mode(0o755), Owner { user: 65532, group: 1 })
}

fn write(entries: &[(&str, Entry)], content: &[u8], epoch: u64) -> (LayerFile, Vec<u8>) {
    let (dir, sources) = sources(content);
    let mut all = Entries::default();
    for (path, entry) in entries {
        all.add(ImagePath::parse(path).unwrap(), entry.clone()).unwrap();
    }
    let path = dir.path().join("layer");
    let layer = write_layer(&all, &sources, epoch, &path).unwrap();
    (layer, std::fs::read(path).unwrap())
}

/// Content like a program's, the same on every machine: what was there before comes again, near and far.
fn content(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    let mut content: Vec<u8> = (0..16).collect();
    while content.len() < length {
        let (from, long) = (next(content.len() - 8), 3 + next(40));
        content.extend_from_within(from..(from + long).min(from + 8));
        content.push(next(256).to_le_bytes()[0]);
    }
    content.truncate(length);
    content
}

/// These digests are a promise: a build of the same content on any machine, by any later version, has them. If one
/// changes, so does every image of every user, and that is a breaking release.
#[test]
fn golden_digests() {
    let link = Entry::new(Kind::Link { target: "web".to_owned() }, Mode(0o777), Owner::default());
    let long = format!("/srv/{}/{}", "d".repeat(120), "f".repeat(120));
    let bytes = content(300_000);
    let entries = [("/usr/bin/web", file(300_000)), ("/latest", link), (long.as_str(), file(300_000))];
    let (layer, compressed) = write(&entries, &bytes, 0);
    assert_eq!(ImageDigest::of(&compressed), layer.digest);
    assert_eq!(compressed.len() as u64, layer.size);
    let digests = [layer.diff_id.as_str(), layer.digest.as_str()];
    assert_eq!(
        digests,
        [
            "sha256:40a871ab772a85e9f9b16b90555cbfc6a564acc46b1dc2ab556cdefddb977f06",
            "sha256:65d0d08bf2d2cf7f66f48c9e21e1041cfdbcae89e7d24d9a518bf46aa9255186",
        ]
    );
    let (later, _) = write(&entries, &bytes, 1_700_000_000);
    assert_ne!(later.diff_id, layer.diff_id);
}

#[test]
fn a_layer_holds_what_was_asked_for() {
    let (_, compressed) = write(&[("/a/f", file(7))], b"content", 42);
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(compressed.as_slice()));
    let mut listed = Vec::new();
    for entry in archive.entries().unwrap() {
        let header = entry.as_ref().unwrap().header().clone();
        let path = entry.unwrap().path().unwrap().display().to_string();
        listed.push((
            path,
            header.mode().unwrap(),
            header.uid().unwrap(),
            header.gid().unwrap(),
            header.mtime().unwrap(),
        ));
    }
    assert_eq!(listed, [("a/".to_owned(), 0o755, 0, 0, 42), ("a/f".to_owned(), 0o755, 65532, 1, 42)]);
}

#[test]
fn a_file_of_another_size_than_it_had_is_refused() {
    for size in [6, 8] {
        let (dir, sources) = sources(b"content");
        let mut entries = Entries::default();
        entries.add(ImagePath::parse("/f").unwrap(), file(size)).unwrap();
        let error = write_layer(&entries, &sources, 0, &dir.path().join("layer")).unwrap_err();
        assert!(error.to_string().contains("changed while it was read"), "{error}");
    }
}
