//! [`App`]: an application's repository with three services, two of which share a library.

use std::path::{Path, PathBuf};

use cfgupdater_core::Error;
use cfgupdater_image_builder::{
    BuildOptions, BuiltImage, Change, ImagesFile, RegistryClient, Revision, build,
};
use tempfile::TempDir;

/// Files of an app: path and content.
const FILES: [(&str, &str); 6] = [
    ("out/web", "the web binary"),
    ("out/api", "the api binary"),
    ("out/worker", "the worker binary"),
    ("lib/shared.so", "a library"),
    ("conf/app/settings.toml", "level = 1"),
    ("README.md", "# App"),
];

/// An application's repository.
pub(crate) struct App {
    dir: TempDir,
}

impl App {
    /// Makes one that pushes to a registry.
    pub(crate) fn new(host: &str) -> Self {
        Self::on_base(host, "scratch")
    }

    /// Makes one whose services are built on a base.
    pub(crate) fn on_base(host: &str, base: &str) -> Self {
        let app = Self { dir: tempfile::tempdir().unwrap() };
        for (path, content) in FILES {
            app.write(path, content.as_bytes());
        }
        app.write("images.toml", images_toml(host, base).as_bytes());
        app
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, content: &[u8]) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn images(&self) -> ImagesFile {
        ImagesFile::load(&self.path("images.toml")).unwrap()
    }

    pub(crate) async fn build(
        &self,
        client: &RegistryClient,
        options: &BuildOptions,
    ) -> Result<Vec<BuiltImage>, Error> {
        build(&self.images(), client, options, |_| ()).await
    }
}

fn images_toml(host: &str, base: &str) -> String {
    format!(
        r#"
registry = "{host}/team"
base = "{base}"
[bins]
directory = "out"
files = ["web", "api", "worker"]
[service.Web]
image = "app-cd-web"
bins = ["web"]
files = [
  {{ from = "lib/shared.so", to = "/usr/lib/shared.so", mode = "0755" }},
  {{ from = "conf", to = "/etc" }},
  {{ link = "/usr/lib/shared.so.1", target = "shared.so" }},
  {{ directory = "/var/lib/web", mode = "0700", owner = "65532:65532" }},
]
entrypoint = ["/web"]
env = {{ LEVEL = "info" }}
[service.Api]
image = "app-cd-api"
bins = ["api"]
files = [{{ from = "lib/shared.so", to = "/usr/lib/shared.so", mode = "0755" }}]
entrypoint = ["/api"]
[service.Worker]
image = "app-cd-worker"
bins = ["worker"]
entrypoint = ["/worker"]
"#
    )
}

/// Options for build `n` of the branch `main`.
pub(crate) fn options(n: u32) -> BuildOptions {
    let sha = format!("{n:08x}").repeat(5).parse().unwrap();
    BuildOptions::new(Revision::new(sha, Some("main")))
}

/// Options of a build that sends nothing.
pub(crate) fn layout_only(layout: &Path, jobs: usize) -> BuildOptions {
    let mut options = options(1);
    options.push = false;
    options.jobs = jobs;
    options.oci_layout = Some(layout.to_owned());
    options.cache = cfgupdater_image_builder::CacheMode::Off;
    options
}

/// Returns what became of each image, `Web` before `Worker`.
pub(crate) fn changes(built: &[BuiltImage]) -> Vec<(&str, Change)> {
    built.iter().map(|built| (built.name.as_str(), built.change)).collect()
}

pub(crate) fn digests(built: &[BuiltImage]) -> Vec<String> {
    built.iter().map(|built| built.digest.to_string()).collect()
}
