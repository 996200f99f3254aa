//! [`Place`]: the directory of the demo with the bare repository, a person's clone and the service's configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cfgupdater_core::RepoName;

use super::builds::{DENIED, SERVICES};
use super::git::git;
use crate::client::{Address, Api, Client};
use crate::exit::Failure;
use crate::secret::Token;

const CHECK: &str = include_str!("files/check.sh");
const CONFIGURATION: &str = include_str!("files/cfgupdater.toml");

/// Who calls the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The application's CI.
    Ci,
    /// The deploy tool.
    Deployer,
    /// The reader.
    You,
}

impl Role {
    const ALL: [Self; 3] = [Self::Ci, Self::Deployer, Self::You];

    fn token(self) -> &'static str {
        match self {
            Self::Ci => "shop-ci",
            Self::Deployer => "deployer",
            Self::You => "you",
        }
    }
}

/// The directory of the demo. It stays, so that people can look around.
#[derive(Debug, Clone)]
pub(super) struct Place {
    directory: PathBuf,
}

impl Place {
    /// Makes a repository with a dozen services and the check that its commits must pass.
    pub(super) async fn make() -> Result<Self, Failure> {
        let directory = tempfile::Builder::new().prefix("cfgupdater-demo-").tempdir();
        let directory =
            directory.map_err(|error| Failure::failed(format!("no directory can be made: {error}")))?;
        let place = Self { directory: directory.keep() };
        let (remote, clone) = (place.remote(), place.clone_of_a_person());
        make_directory(&remote)?;
        git(&remote, &["init", "--quiet", "--bare", "--initial-branch=master", "."]).await?;
        git(place.directory(), &["clone", "--quiet", &place.url(), "clone"]).await?;
        for service in SERVICES {
            write(&clone.join("services").join(service).join("deployment.yaml"), &deployment(service, 2))?;
        }
        write(&clone.join("checks/check.sh"), CHECK)?;
        let denied = format!("{} carries CVE-2026-1000\n", DENIED.digest("payments"));
        write(&clone.join("checks/denied.txt"), &denied)?;
        write(&clone.join("README.md"), "The configuration of the shop.\n")?;
        place.commit_and_push("feat: a dozen services and the check of their images").await?;
        place.configure()?;
        Ok(place)
    }

    fn configure(&self) -> Result<(), Failure> {
        write(&self.configuration(), &CONFIGURATION.replace("{url}", &self.url()))?;
        for role in Role::ALL {
            write_secret(&self.token_file(role), &secret()?)?;
        }
        Ok(())
    }

    /// Returns where everything is.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the service's configuration file.
    pub(super) fn configuration(&self) -> PathBuf {
        self.directory.join("cfgupdater.toml")
    }

    /// Returns the bare repository.
    pub(super) fn remote(&self) -> PathBuf {
        self.directory.join("cfg-app.git")
    }

    fn url(&self) -> String {
        format!("file://{}", self.remote().display())
    }

    fn clone_of_a_person(&self) -> PathBuf {
        self.directory.join("clone")
    }

    fn token_file(&self, role: Role) -> PathBuf {
        self.directory.join("tokens").join(role.token())
    }

    /// Returns the service's API as somebody calls it.
    pub(super) fn api(&self, url: &str, role: Role) -> Result<Api, Failure> {
        let token = Token::find(Some(&self.token_file(role)))?;
        let repo: RepoName =
            "cfg-app".parse().map_err(|error| Failure::failed(format!("a wrong name: {error}")))?;
        Ok(Api::new(Client::new(&Address::new(url, None)?, token, Duration::from_secs(20))?, repo))
    }

    /// Lets the person scale the frontend on master, and returns the commit.
    pub(super) async fn person_pushes(&self) -> Result<String, Failure> {
        let clone = self.clone_of_a_person();
        git(&clone, &["pull", "--quiet", "--rebase"]).await?;
        write(&clone.join("services/frontend/deployment.yaml"), &deployment("frontend", 5))?;
        self.commit_and_push("feat: five replicas of the frontend").await
    }

    async fn commit_and_push(&self, message: &str) -> Result<String, Failure> {
        let clone = self.clone_of_a_person();
        git(&clone, &["add", "--all"]).await?;
        git(&clone, &["commit", "--quiet", "--message", message]).await?;
        git(&clone, &["push", "--quiet", "origin", "HEAD:refs/heads/master"]).await?;
        git(&clone, &["rev-parse", "HEAD"]).await
    }

    /// Draws the history of all that the story made, without the state and the notes.
    pub(super) async fn graph(&self, colours: bool) -> Result<String, Failure> {
        let colour = if colours { "--color=always" } else { "--color=never" };
        let format = "--format=%C(auto)%h%d %s %C(dim)(%an)%C(reset)";
        git(&self.remote(), &["log", "--graph", colour, format, "master", "auto"]).await
    }

    /// Says how to look around.
    pub(super) fn guide(&self) -> String {
        let (directory, remote) = (self.directory.display(), self.remote().display().to_string());
        format!(
            "  What landed, was accepted and decided is in the repository, nowhere else:
    git -C {remote} log master
    git -C {remote} show master:images/production/digests.json
    git -C {remote} log cfgupdater/state
    git -C {remote} log --notes=cfgupdater/checks master
  Serve it again, and ask it:
    cfgupdater serve --config {directory}/cfgupdater.toml
    cfgupdater status --repo cfg-app --token-file {directory}/tokens/you --server http://ADDRESS
  Remove it:
    rm -r {directory}"
        )
    }
}

fn deployment(service: &str, replicas: u32) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {service}\nspec:\n  replicas: {replicas}\n"
    )
}

fn make_directory(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path)
        .map_err(|error| Failure::failed(format!("{} can't be made: {error}", path.display())))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    path.parent().map_or(Ok(()), make_directory)?;
    std::fs::write(path, text)
        .map_err(|error| Failure::failed(format!("{} can't be written: {error}", path.display())))
}

fn write_secret(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    path.parent().map_or(Ok(()), make_directory)?;
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Failure::failed(format!("{} can't be written: {error}", path.display())))
}

/// Makes a token that nobody can guess.
fn secret() -> Result<String, Failure> {
    use std::io::Read;
    let mut bytes = [0; 24];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut bytes))
        .map_err(|error| Failure::failed(format!("no token can be made: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n")
}
