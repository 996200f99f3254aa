//! Sources that lead elsewhere, never end, or are no files at all.

use std::os::unix::fs::symlink;
use std::path::Path;

use cfgupdater_core::ErrorKind;
use cfgupdater_image_builder::{BuildOptions, ImagesFile, build};
use tempfile::TempDir;

use crate::app::layout_only;
use crate::support::anonymous;

struct Case {
    dir: TempDir,
}

impl Case {
    /// Makes a repository whose only image holds all of `src`.
    fn new() -> Self {
        Self::within(tempfile::tempdir().unwrap())
    }

    /// As [`Case::new`], in memory where there is such a place: disks take a minute to make many files.
    fn in_memory() -> Self {
        Self::within(tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap())
    }

    fn within(dir: TempDir) -> Self {
        std::fs::create_dir(dir.path().join("src")).unwrap();
        std::fs::write(dir.path().join("src/good"), "good").unwrap();
        std::fs::write(
            dir.path().join("images.toml"),
            "registry = \"r.example.com\"\n[service.A]\nimage = \"a\"\nfiles = [{ from = \"src\", to = \"/src\" }]\n",
        )
        .unwrap();
        Self { dir }
    }

    fn src(&self) -> std::path::PathBuf {
        self.dir.path().join("src")
    }

    fn options(&self) -> BuildOptions {
        layout_only(&self.dir.path().join("layout"), 1)
    }

    async fn error(&self) -> String {
        let file = ImagesFile::load(&self.dir.path().join("images.toml")).unwrap();
        let error = build(&file, &anonymous(), &self.options(), |_| ()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        error.to_string()
    }
}

#[tokio::test]
async fn a_link_is_refused_wherever_it_leads() {
    for target in ["/etc/passwd", "good", "../images.toml", "nowhere"] {
        let case = Case::new();
        symlink(target, case.src().join("link")).unwrap();
        let error = case.error().await;
        assert!(error.contains("src/link is a symbolic link"), "{error}");
    }
}

#[test]
fn a_path_that_leads_out_is_refused_with_the_file() {
    for path in ["../secret", "/etc/passwd", "src/../../secret", "..", "src/a\\u0001b"] {
        let case = Case::new();
        let file = case.dir.path().join("images.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace("from = \"src\"", &format!("from = \"{path}\""))).unwrap();
        let error = ImagesFile::load(&file).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("name a path below the directory"), "{path}: {error}");
    }
}

#[tokio::test]
async fn a_device_is_refused() {
    let case = Case::new();
    let device = case.src().join("zero");
    let made = std::process::Command::new("mknod").arg(&device).args(["c", "1", "5"]).output().unwrap();
    if !made.status.success() {
        eprintln!("skipped: not allowed here: making device nodes");
        return;
    }
    assert!(case.error().await.contains("src/zero is neither a file nor a directory"));
}

#[tokio::test]
async fn a_linked_directory_is_refused() {
    let case = Case::new();
    std::fs::rename(case.src(), case.dir.path().join("real")).unwrap();
    symlink("real", case.src()).unwrap();
    assert!(case.error().await.contains("src is a symbolic link"));
}

#[tokio::test]
async fn a_pipe_is_refused_without_waiting_for_its_other_end() {
    let case = Case::new();
    let made = std::process::Command::new("mkfifo").arg(case.src().join("pipe")).status().unwrap();
    assert!(made.success());
    assert!(case.error().await.contains("src/pipe is neither a file nor a directory"));
}

#[tokio::test]
async fn a_socket_is_refused() {
    let case = Case::new();
    let _socket = std::os::unix::net::UnixListener::bind(case.src().join("socket")).unwrap();
    assert!(case.error().await.contains("src/socket is neither"));
}

#[tokio::test]
async fn a_huge_sparse_file_is_refused_before_it_is_read() {
    let case = Case::new();
    std::fs::File::create(case.src().join("sparse")).unwrap().set_len(10 * 1024 * 1024 * 1024).unwrap();
    assert!(case.error().await.contains("hold more than 8589934592 bytes"));
}

#[tokio::test]
async fn a_name_that_would_delete_files_of_the_base_is_refused() {
    let case = Case::new();
    std::fs::write(case.src().join(".wh.passwd"), "").unwrap();
    assert!(case.error().await.contains("would delete a file of the base"));
}

#[tokio::test]
async fn a_name_that_no_log_can_show_is_refused() {
    let case = Case::new();
    std::fs::write(case.src().join("a\nb"), "").unwrap();
    assert!(case.error().await.contains("control character"));
}

#[tokio::test]
async fn a_hundred_thousand_files_are_one_layer() {
    let case = Case::in_memory();
    for directory in 0..100 {
        let directory = case.src().join(directory.to_string());
        std::fs::create_dir(&directory).unwrap();
        (0..1000).for_each(|file| std::fs::write(directory.join(file.to_string()), b"").unwrap());
    }
    let file = ImagesFile::load(&case.dir.path().join("images.toml")).unwrap();
    let built = build(&file, &anonymous(), &case.options(), |_| ()).await.unwrap();
    assert_eq!(built.len(), 1);
    assert!(Path::new(&case.dir.path().join("layout/index.json")).exists());
}
