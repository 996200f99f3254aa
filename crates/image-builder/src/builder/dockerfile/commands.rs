//! [`Commands`]: what a driver is told for one image, as values.

use std::path::Path;

use cfgupdater_core::{Error, ErrorKind};

use super::Shop;
use super::driver::{DockerfileDriver, Kind};
use crate::builder::image_spec::ImageSpec;

/// The build argument that names the image of all binaries.
const BIN_IMAGE: &str = "BIN_IMAGE";

/// What it takes to build one image.
#[derive(Debug, Clone)]
pub(super) struct Commands<'a> {
    driver: &'a DockerfileDriver,
    by_commit: String,
    by_branch: Option<String>,
    file: String,
    directory: String,
    bin_image: Option<&'a str>,
    platform: String,
    epoch: u64,
    caches: bool,
    without_tls: bool,
    certificates: Option<&'a Path>,
}

impl<'a> Commands<'a> {
    pub(super) fn new(shop: &'a Shop, image: &ImageSpec) -> Result<Self, Error> {
        let file = image.dockerfile.as_ref().ok_or_else(|| {
            let message = format!("there is no Dockerfile for {}; name it with `dockerfile`", shop.driver);
            Error::new(ErrorKind::Invalid, message)
        })?;
        if image.platforms.len() > 1 {
            let message =
                format!("{} builds for one platform at a time; name it with --platform", shop.driver);
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let (repository, revision) = (image.repository(), &shop.options.revision);
        Ok(Self {
            driver: &shop.driver,
            by_commit: format!("{repository}:{}", revision.sha),
            by_branch: revision.branch_tag.as_ref().map(|tag| format!("{repository}:{tag}")),
            file: shop.directory.join(file.to_string()).display().to_string(),
            directory: shop.directory.display().to_string(),
            bin_image: shop.bin_image.as_deref(),
            platform: image.platform.to_string(),
            epoch: shop.options.epoch,
            caches: shop.options.cache != crate::CacheMode::Off,
            without_tls: shop.client.is_plain(repository.host()),
            certificates: shop.certificates.as_deref(),
        })
    }

    /// Returns the image's name by its commit.
    pub(super) fn tagged(&self) -> &str {
        &self.by_commit
    }

    /// Fetches the branch's image, to be the cache of a machine that has none.
    pub(super) fn pull(&self) -> Option<Vec<String>> {
        let branch = self.by_branch.as_ref()?;
        Some(self.command(&["pull", "--quiet"], &[branch]))
    }

    /// Builds the image and pushes it by its commit.
    pub(super) fn build_and_push(&self) -> Vec<Vec<String>> {
        vec![self.build(), self.command(&["push", "--quiet"], &[&self.by_commit])]
    }

    /// Names the image by its branch, too: last, since the branch's tag must never lead to what is not there.
    pub(super) fn tag_and_push_branch(&self) -> Vec<Vec<String>> {
        let Some(branch) = &self.by_branch else { return Vec::new() };
        let tag = words(&["tag", &self.by_commit, branch]);
        vec![tag, self.command(&["push", "--quiet"], &[branch])]
    }

    fn build(&self) -> Vec<String> {
        let mut build = vec!["build".to_owned()];
        match (self.driver.kind, &self.by_branch) {
            (Kind::Docker, Some(branch)) if self.caches => {
                build.extend(words(&["--pull", "--cache-from", branch]));
            }
            (Kind::Docker, _) => build.push("--pull".to_owned()),
            // The one time that all files have is what makes its digests those of the content.
            (Kind::Buildah, _) => build.extend(words(&["--layers", "--timestamp", &self.epoch.to_string()])),
        }
        if !self.caches {
            build.push("--no-cache".to_owned());
        }
        build.extend(words(&["--platform", &self.platform, "--tag", &self.by_commit, "--file", &self.file]));
        if let Some(image) = self.bin_image {
            build.extend(words(&["--build-arg", &format!("{BIN_IMAGE}={image}")]));
        }
        let start: Vec<&str> = build.iter().map(String::as_str).collect();
        self.command(&start, &[&self.directory])
    }

    fn command(&self, start: &[&str], end: &[&str]) -> Vec<String> {
        let mut command = words(start);
        // Docker's daemon has settings of its own for that.
        if self.driver.kind == Kind::Buildah {
            if self.without_tls {
                command.push("--tls-verify=false".to_owned());
            }
            if let Some(file) = &self.driver.auth_file {
                command.extend(words(&["--authfile", &file.display().to_string()]));
            }
            if let Some(directory) = self.certificates {
                command.extend(words(&["--cert-dir", &directory.display().to_string()]));
            }
        }
        command.extend(words(end));
        command
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(driver: &DockerfileDriver, branch: Option<&str>, caches: bool) -> Vec<String> {
        let commands = Commands {
            driver,
            by_commit: "r/web:sha".to_owned(),
            by_branch: branch.map(|branch| format!("r/web:{branch}")),
            file: "/app/Dockerfile".to_owned(),
            directory: "/app".to_owned(),
            bin_image: Some("r/bins:sha"),
            platform: "linux/amd64".to_owned(),
            epoch: 0,
            caches,
            without_tls: true,
            certificates: driver.ca_file.as_deref(),
        };
        let all = commands.pull().into_iter().chain(commands.build_and_push());
        let all = all.chain(commands.tag_and_push_branch());
        all.map(|command| command.join(" ")).collect()
    }

    #[test]
    fn docker_is_told_what_the_reference_flow_tells_it() {
        let expected = [
            "pull --quiet r/web:main",
            "build --pull --cache-from r/web:main --platform linux/amd64 --tag r/web:sha --file /app/Dockerfile --build-arg BIN_IMAGE=r/bins:sha /app",
            "push --quiet r/web:sha",
            "tag r/web:sha r/web:main",
            "push --quiet r/web:main",
        ];
        assert_eq!(told(&DockerfileDriver::docker(), Some("main"), true), expected);
    }

    #[test]
    fn buildah_fixes_the_time_of_files() {
        let expected = [
            "build --layers --timestamp 0 --platform linux/amd64 --tag r/web:sha --file /app/Dockerfile --build-arg BIN_IMAGE=r/bins:sha --tls-verify=false /app",
            "push --quiet --tls-verify=false r/web:sha",
        ];
        assert_eq!(told(&DockerfileDriver::buildah(), None, true), expected);
    }

    #[test]
    fn buildah_is_told_logins_and_certificates() {
        let driver = DockerfileDriver::buildah().with_auth_file("/a.json").with_ca_file("/certs");
        let told = told(&driver, None, true);
        assert_eq!(told[1], "push --quiet --tls-verify=false --authfile /a.json --cert-dir /certs r/web:sha");
        assert!(told[0].contains("--authfile /a.json --cert-dir /certs /app"), "{}", told[0]);
    }

    #[test]
    fn without_a_cache_nothing_is_taken_from_one() {
        let build = &told(&DockerfileDriver::docker(), Some("main"), false)[1];
        assert!(build.contains("--no-cache") && !build.contains("--cache-from"), "{build}");
    }
}
