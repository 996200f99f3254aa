//! `examples/app` does what its README says: from sources to an announcement, by its own Makefile.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cfgupdater_testkit::{DockerRegistry, can_run};
use cfgupdater_tests::{Remote, Service, app_sha, binary, copy};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::Value;
use tempfile::TempDir;

use crate::deploy_examples::to_json;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/app")
}

/// How one machine differs from another.
struct Machine {
    directory: TempDir,
    /// Where the sources are in it.
    place: &'static str,
    umask: &'static str,
    zone: &'static str,
}

impl Machine {
    fn new(place: &'static str, umask: &'static str, zone: &'static str) -> Self {
        let machine = Self { directory: tempfile::tempdir().unwrap(), place, umask, zone };
        copy(&example(), &machine.app());
        // What somebody built in the example's own directory is none of ours.
        for leftover in ["target", "out"] {
            let _ = std::fs::remove_dir_all(machine.app().join(leftover));
        }
        machine
    }

    fn app(&self) -> PathBuf {
        self.directory.path().join(self.place)
    }

    /// Runs a command as this machine would.
    fn run(&self, command: &str) -> Output {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("umask {}; exec {command}", self.umask)]).current_dir(self.app());
        // Settings of the build that this test is part of.
        for name in ["CARGO", "CARGO_MANIFEST_DIR", "CARGO_ENCODED_RUSTFLAGS", "MAKEFLAGS", "RUSTFLAGS"] {
            shell.env_remove(name);
        }
        let output = shell
            .env("TZ", self.zone)
            .env("CARGO_TARGET_DIR", self.directory.path().join("elsewhere"))
            .env("XDG_CACHE_HOME", self.directory.path().join("cache"))
            .env("CONTAINERS_STORAGE_CONF", self.directory.path().join("storage.conf"))
            .env("BUILDAH_ISOLATION", "chroot")
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Builds the binaries and, as build `n` of the branch main, their images.
    fn build(&self, n: u32, registry: &str) -> Built {
        self.run("make bins");
        self.images(n, registry, "")
    }

    fn images(&self, n: u32, registry: &str, more: &str) -> Built {
        let build = format!(
            "env CFGUPDATER_REGISTRY={registry}/team FORCE_CI_GIT_SHA={} FORCE_CI_BRANCH_NAME=main {} image build \
             --images images.json --json {more}",
            app_sha(n),
            binary().display()
        );
        Built(serde_json::from_slice(&self.run(&build).stdout).unwrap())
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.app().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}: {text}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
    }
}

/// What `image build` told.
struct Built(Value);

impl Built {
    fn of(&self, what: &str) -> Vec<(String, String)> {
        let images = self.0["images"].as_array().unwrap();
        let text = |image: &Value, name: &str| image[name].as_str().unwrap().to_owned();
        images.iter().map(|image| (text(image, "name"), text(image, what))).collect()
    }

    /// Names the images that aren't those of the build before.
    fn changed(&self) -> Vec<String> {
        let images = self.of("change").into_iter();
        images.filter(|(_, change)| change != "unchanged").map(|(name, _)| name).collect()
    }
}

#[test]
fn two_machines_build_the_same_and_a_change_reaches_exactly_who_uses_it() {
    if !can_run(&["make"]) {
        return;
    }
    let Some(registry) = DockerRegistry::start() else { return };
    let host = registry.host();
    let one = Machine::new("one", "022", "Asia/Tokyo");
    let other = Machine::new("some/where/else", "077", "America/New_York");
    let first = one.build(1, host);
    assert_eq!(first.changed(), ["app-bins", "Api", "Web", "Worker"]);
    let second = other.build(2, host);
    assert_eq!(first.of("digest"), second.of("digest"));
    assert_eq!(second.changed(), [""; 0], "on another machine");

    one.edit("README.md", "# An application", "# Another application");
    assert_eq!(one.build(3, host).changed(), [""; 0], "a text");
    one.edit("shared/src/lib.rs", "hello from", "greetings from");
    assert_eq!(one.build(4, host).changed(), ["app-bins", "Api", "Web"], "the shared library");
    one.edit("worker/src/main.rs", "worker", "the worker");
    assert_eq!(one.build(5, host).changed(), ["app-bins", "Worker"]);

    let remote = Remote::new();
    let service = Service::start(&remote);
    let announce = Command::new(binary())
        .args(["announce", "images.json", "--app-sha", &app_sha(5), "--json", "--repo", "cfg-app"])
        .args(["--server", service.server().base()])
        .env("CFGUPDATER_TOKEN", "token-announce")
        .current_dir(one.app())
        .output()
        .unwrap();
    assert!(announce.status.success(), "{}", String::from_utf8_lossy(&announce.stderr));
    let told: Value = serde_json::from_slice(&announce.stdout).unwrap();
    assert_eq!(told["outcome"], "committed");
}

#[test]
fn its_dockerfiles_build_the_same_services_by_buildah() {
    if !can_run(&["buildah"]) {
        return;
    }
    let Some(registry) = DockerRegistry::start() else { return };
    let machine = Machine::new("app", "022", "UTC");
    let storage = machine.directory.path().display().to_string();
    let settings =
        format!("[storage]\ndriver = \"vfs\"\ngraphroot = \"{storage}/root\"\nrunroot = \"{storage}/run\"\n");
    std::fs::write(machine.directory.path().join("storage.conf"), settings).unwrap();
    // The stage that compiles needs an image from the internet: it is given what it would make.
    std::fs::create_dir(machine.app().join("made")).unwrap();
    for bin in ["api", "web", "worker"] {
        std::fs::write(machine.app().join("made").join(bin), bin).unwrap();
    }
    let dockerfile = std::fs::read_to_string(machine.app().join("docker/Dockerfile.base")).unwrap();
    let (compiling, rest) = dockerfile.split_once("\n\n").unwrap();
    assert!(compiling.contains(" AS builder") && compiling.ends_with("RUN make bins"), "{compiling}");
    let stand_in = format!("FROM scratch AS builder\nCOPY made/ /app/out/\n\n{rest}");
    std::fs::write(machine.app().join("docker/Dockerfile.base"), stand_in).unwrap();

    let host = registry.host();
    let first = machine.images(1, host, "--driver buildah");
    assert_eq!(first.changed(), ["app-bins", "Api", "Web", "Worker"]);
    let again = machine.images(2, host, "--driver buildah");
    assert_eq!(first.of("digest"), again.of("digest"));
    assert_eq!(again.changed(), [""; 0]);
    std::fs::write(machine.app().join("made/web"), "another web").unwrap();
    assert_eq!(machine.images(3, host, "--driver buildah").changed(), ["app-bins", "Web"]);

    // What the Dockerfiles say of a service is what images.toml says of it.
    std::fs::rename(machine.app().join("made"), machine.app().join("out")).unwrap();
    let native = machine.images(4, &format!("{host}/native"), "");
    let names = |built: &Built| built.of("tag").into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(&native), names(&again));
    for image in ["app-cd-api", "app-cd-web", "app-cd-worker"] {
        let of = |prefix: &str, n: u32| configuration(&format!("{host}/{prefix}{image}:{}", app_sha(n)));
        let (driven, own) = (of("team/", 3), of("native/team/", 4));
        for name in ["Entrypoint", "User", "ExposedPorts"] {
            assert_eq!(driven[name], own[name], "{image} {name}");
        }
        let queue = |config: &Value| config["Env"].to_string().contains("QUEUE=default");
        assert_eq!(queue(&driven), queue(&own), "{image}");
    }
}

/// Reads what an image says of the container that is made of it.
fn configuration(image: &str) -> Value {
    let inspected = Command::new("skopeo")
        .args(["inspect", "--config", "--tls-verify=false", &format!("docker://{image}")])
        .output()
        .unwrap();
    assert!(inspected.status.success(), "{}", String::from_utf8_lossy(&inspected.stderr));
    let config: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    config["config"].clone()
}

fn workflow(name: &str) -> Value {
    let text = std::fs::read_to_string(example().join("ci").join(name)).unwrap();
    to_json(&Yaml::load_from_str(&text).unwrap()[0])
}

/// Runs the words of a workflow that call the program, to see that it knows all of them.
fn is_understood(script: &str) {
    for line in script.lines().filter_map(|line| line.trim().strip_prefix("cfgupdater ")) {
        let line = line.replace("$GITHUB_RUN_NUMBER", "7").replace("$GITHUB_RUN_ATTEMPT", "1");
        let line = line.replace("$CI_PIPELINE_IID", "7").replace("$GITHUB_SHA", &app_sha(1));
        let line = line.replace("$CI_COMMIT_SHA", &app_sha(1)).replace('"', "");
        let output = Command::new(binary())
            .args(line.split_whitespace())
            .args(["--server", "http://127.0.0.1:1", "--repo", "cfg-app"])
            .env("CFGUPDATER_TOKEN", "x")
            .current_dir("/")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // All that is missing is the file of images.
        assert!(said.contains("images.json") && !said.contains("Usage"), "{line}: {said}");
    }
}

#[test]
fn githubs_workflow_pushes_where_it_logs_in() {
    let workflow = workflow("github.yml");
    let job = &workflow["jobs"]["images"];
    let steps = job["steps"].as_array().unwrap();
    let login = steps.iter().find_map(|step| step["with"]["registry"].as_str()).unwrap();
    let scripts: Vec<&str> = steps.iter().filter_map(|step| step["run"].as_str()).collect();
    let all = scripts.join("\n");
    assert!(all.contains(&format!("CFGUPDATER_REGISTRY={login}/")), "{all}");
    assert!(all.contains("cargo install --locked cfgupdater-cli --version"), "{all}");
    assert!(scripts.contains(&"make images"), "{scripts:?}");
    assert!(job["env"]["FORCE_CI_BRANCH_NAME"].is_string() && job["env"]["FORCE_CI_GIT_SHA"].is_string());
    is_understood(&all);
}

#[test]
fn gitlabs_pipeline_pushes_where_it_logs_in() {
    let job = workflow("gitlab.yml")["deliver"].clone();
    assert_eq!(job["variables"]["CFGUPDATER_REGISTRY"], "$CI_REGISTRY_IMAGE");
    assert!(job["image"].as_str().unwrap().starts_with("rust:"), "{job}");
    let lines = |name: &str| {
        let lines = job[name].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned());
        lines.collect::<Vec<_>>()
    };
    let (before, script) = (lines("before_script"), lines("script"));
    assert!(before[0].starts_with("cargo install --locked cfgupdater-cli --version"), "{before:?}");
    assert!(script.contains(&"make images".to_owned()), "{script:?}");
    is_understood(&script.join("\n"));

    // What the job writes is a file of logins.
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("auth.json");
    let written = Command::new("sh")
        .args(["-euc", &before[1..].join("\n")])
        .env("CI_REGISTRY", "r.example.com")
        .env("CI_REGISTRY_USER", "me")
        .env("CI_REGISTRY_PASSWORD", "canary")
        .env("REGISTRY_AUTH_FILE", &file)
        .status()
        .unwrap();
    assert!(written.success());
    let logins: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(logins["auths"]["r.example.com"]["auth"], "bWU6Y2FuYXJ5");
}
