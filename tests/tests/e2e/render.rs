//! Generated files: made by whatever renders them, never merged, and never the reason to blame the wrong one.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cfgupdater_testkit::{can_run, git_command};
use cfgupdater_tests::{
    Options, Remote, Service, app_sha, cfg_app, eventually, eventually_within, git, images,
};
use serde_json::Value;

/// Debian's jsonnet needs ten seconds of processor time to render the example, and here it may have to share.
const SLOW: Duration = Duration::from_mins(4);

const SERVICES: [&str; 5] = ["api", "mailer", "search", "web", "worker"];

/// Renders by the example's own make targets, with Debian's jsonnet.
const MAKE: &str = "[repo.render]\nkind = \"command\"\n";

/// Renders by the service itself.
const JSONNET: &str = "[repo.render]\nkind = \"jsonnet\"\nlibrary_paths = [\"lib\"]\n[[repo.render.entry]]\n\
                       file = \"environments/{wave}.jsonnet\"\ndirectory = \"generated/{wave}\"\n";

/// What a service on the example is started with.
fn options(render: &str) -> Options {
    Options { repo: render.to_owned(), image_set: "release_file = \"release\"", ..Options::default() }
}

/// Announces a build.
fn announce(service: &Service, n: u32) -> Value {
    let path = format!("/v1/repos/cfg-app/images?app_sha={}", app_sha(n));
    service.server().post(&path, &images(&SERVICES, n)).ok()
}

/// Waits for an intent's commit, which comes later than the answer where rendering takes long.
fn committed(service: &Service, told: &Value) -> String {
    let path = format!("/v1/repos/cfg-app/intents/{}", told["intent"].as_str().unwrap());
    eventually_within(SLOW, "its commit", || service.get(&path).ok()["commit"].as_str().map(str::to_owned))
}

/// Tells whether the example's tools are here.
fn has_tools() -> bool {
    can_run(&["make", "jsonnet"])
}

fn changed(remote: &Remote, commit: &str) -> Vec<String> {
    let listed = git(remote.path(), &["diff", "--name-only", &format!("{commit}^"), commit]);
    listed.lines().map(str::to_owned).collect()
}

fn land(service: &Service, told: &Value) -> String {
    let commit = committed(service, told);
    service.status(&commit, "ci", "success");
    assert_eq!(service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
    commit
}

/// Introduces a build and promotes it to the next wave; returns the trees of both commits.
fn main_job(render: &str) -> Vec<String> {
    let remote = Remote::of_directory(&cfg_app());
    let service = Service::with(&remote, &options(render));
    let commit = land(&service, &announce(&service, 1));
    let mut expected: Vec<String> =
        ["digests.json", "release", "tags.json"].map(|file| format!("images/staging/{file}")).into();
    for target in ["staging-1", "staging-2"] {
        // The job that reports names the release.
        let files = SERVICES.into_iter().chain(["report"]);
        expected.extend(files.map(|file| format!("generated/staging/{target}-{file}.yml")));
    }
    expected.sort();
    assert_eq!(changed(&remote, &commit), expected);
    for target in ["staging-1", "staging-2"] {
        service.deployed("staging", target, &commit, "succeeded").ok();
    }
    let promoted = eventually_within(SLOW, "the promotion", || {
        let commits = remote.commits("master..auto");
        commits.first().cloned()
    });
    assert!(
        changed(&remote, &promoted)
            .iter()
            .all(|path| { path.starts_with("images/internal/") || path.starts_with("generated/internal/") })
    );
    let web = remote.file(&promoted, "generated/internal/internal-1-web.yml").unwrap();
    let digest = images(&SERVICES, 1)["web"]["Digest"].as_str().unwrap().to_owned();
    assert!(web.contains(&digest), "{web}");
    service.eventually_why("waits for check ci");
    assert!(!service.why().contains("rendering"), "{}", service.why());
    remote.fsck();
    [commit, promoted].map(|commit| git(remote.path(), &["rev-parse", &format!("{commit}^{{tree}}")])).into()
}

#[test]
fn make_with_debians_jsonnet_and_the_service_itself_make_the_same_trees() {
    if has_tools() {
        assert_eq!(main_job(MAKE), main_job(JSONNET));
    }
}

#[test]
fn the_committed_files_of_the_example_are_up_to_date() {
    if !has_tools() {
        return;
    }
    let remote = Remote::of_directory(&cfg_app());
    let clone = remote.person();
    let made = Command::new("make").arg("check").current_dir(clone.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
}

/// Evaluates a wave by go-jsonnet and prints its files, as `jsonnet --string --multi` writes them.
const GO_JSONNET: &str = "import _gojsonnet, json, sys\n\
    made = _gojsonnet.evaluate_file('environments/' + sys.argv[1] + '.jsonnet', jpathdir=['lib'])\n\
    json.dump({name: text + '\\n' for name, text in json.loads(made).items()}, sys.stdout)";

#[test]
fn go_jsonnet_makes_the_committed_files_of_the_example() {
    let installed = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/python");
    let python = |arguments: &[&str]| {
        let mut python = Command::new("python3");
        python.env("PYTHONPATH", installed).args(arguments).current_dir(cfg_app()).output().ok()
    };
    if !python(&["-c", "import _gojsonnet"]).is_some_and(|output| output.status.success()) {
        eprintln!("skipped: go-jsonnet is missing; `cargo xtask test` installs it where pip is there");
        return;
    }
    for wave in ["staging", "internal", "production"] {
        let made = python(&["-c", GO_JSONNET, wave]).unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let made: std::collections::BTreeMap<String, String> = serde_json::from_slice(&made.stdout).unwrap();
        let directory = cfg_app().join("generated").join(wave);
        assert_eq!(made.len(), std::fs::read_dir(&directory).unwrap().count());
        for (name, text) in made {
            assert_eq!(std::fs::read_to_string(directory.join(&name)).unwrap(), text, "{wave}/{name}");
        }
    }
}

#[test]
fn a_persons_edit_beneath_three_intents_is_rendered_into_all_of_them() {
    let remote = Remote::of_directory(&cfg_app());
    let service = Service::with(&remote, &options(JSONNET));
    let told: Vec<Value> = (1..=3).map(|n| announce(&service, n)).collect();
    let person = remote.person();
    let source = std::fs::read_to_string(person.path().join("lib/shop.libsonnet")).unwrap();
    let edited = source.replace("LOG_LEVEL: 'info'", "LOG_LEVEL: 'debug'");
    let base = person.commit("lib/shop.libsonnet", &edited, "feat: tell more").push();
    let chain = eventually("three commits on the edit", || {
        let commits = remote.commits("master..auto");
        let parent = |commit: &String| git(remote.path(), &["rev-parse", &format!("{commit}^")]);
        let on_edit = commits.first().is_some_and(|first| parent(first) == base);
        (commits.len() == 3 && on_edit).then_some(commits)
    });
    for (n, commit) in (1..).zip(&chain) {
        let api = remote.file(commit, "generated/staging/staging-2-api.yml").unwrap();
        let digest = images(&SERVICES, n)["api"]["Digest"].as_str().unwrap().to_owned();
        assert!(api.contains("debug") && api.contains(&digest), "{api}");
    }
    // The first of them brings what the person forgot to generate, in every wave.
    assert!(changed(&remote, &chain[0]).contains(&"generated/production/prod-1-api.yml".to_owned()));
    service.status(&chain[2], "ci", "success");
    for told in told {
        assert_eq!(service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
    }
}

#[test]
fn a_persons_mistake_makes_everything_wait_until_it_is_mended_and_blames_nobody() {
    let remote = Remote::of_directory(&cfg_app());
    let service = Service::with(&remote, &options(JSONNET));
    let waiting = announce(&service, 1);
    let person = remote.person();
    let source = std::fs::read_to_string(person.path().join("lib/shop.libsonnet")).unwrap();
    person
        .commit("lib/shop.libsonnet", &source.replace("replicas: replicas", "replicas: replica"), "oops")
        .push();
    service.eventually_why("can't be rendered");
    service.eventually_why("lib/shop.libsonnet");
    let late = announce(&service, 2);
    assert_eq!(late["outcome"], "queued", "{late}");
    for told in [&waiting, &late] {
        let intent =
            service.get(&format!("/v1/repos/cfg-app/intents/{}", told["intent"].as_str().unwrap())).ok();
        assert!(intent["end"].is_null(), "{intent}");
    }
    person.commit("lib/shop.libsonnet", &source, "fix: oops").push();
    let chain = eventually("both on auto", || {
        let commits = remote.commits("master..auto");
        (commits.len() == 2).then_some(commits)
    });
    assert!(remote.file(&chain[1], "generated/staging/staging-1-web.yml").is_some());
    service.status(&chain[1], "ci", "success");
    assert_eq!(service.end_of(late["intent"].as_str().unwrap())["end"], "landed");
    eventually("no reason to wait", || (!service.why().contains("rendered")).then_some(()));
}

/// A repository whose `render.sh` is this, run as its renderer.
fn scripted(script: &str, more: &str) -> (Remote, Options) {
    let remote = Remote::new();
    let person = remote.person();
    person.commit("generated/old.yml", "old\n", "feat: generated");
    person.commit("render.sh", script, "feat: render").push();
    let render = format!("[repo.render]\nkind = \"command\"\ncommand = [\"sh\", \"render.sh\"]\n{more}");
    (remote, Options { repo: render, alone: true, ..Options::default() })
}

/// Renders every build but the second.
const ALL_BUT_TWO: &str = "if grep -q 00000002 images/staging/tags.json; then echo 'no two' >&2; exit 3; fi\n\
                           mkdir -p generated; cat images/staging/tags.json > generated/all.yml; touch stray\n";

#[test]
fn an_intent_that_can_not_be_rendered_is_evicted_with_evidence_and_the_others_land() {
    let (remote, options) = scripted(ALL_BUT_TWO, "");
    remote.person().commit("images/staging/tags.json", "{}\n", "feat: images").push();
    let service = Service::with(&remote, &options);
    let told: Vec<Value> = (1..=3).map(|n| service.announce(n)).collect();
    let end = service.end_of(told[1]["intent"].as_str().unwrap());
    assert_eq!(
        (end["end"].as_str(), end["evidence"]["outcome"].as_str()),
        (Some("evicted"), Some("not_rendered"))
    );
    let said = end["evidence"]["summary"].as_str().unwrap();
    assert!(
        said.contains("sh render.sh introduce_images") && said.contains('3') && said.contains("no two"),
        "{said}"
    );
    service.eventually_why("also changed stray");
    let tip = committed(&service, &told[2]);
    service.status(&tip, "ci", "success");
    assert_eq!(service.end_of(told[2]["intent"].as_str().unwrap())["end"], "landed");
    assert_eq!(remote.file(&tip, "stray"), None);
}

#[test]
fn a_renderer_that_misbehaves_is_explained_and_the_service_lives_on() {
    for (script, more, says) in [
        ("sleep 600", "timeout = \"1s\"", "longer than 1 s"),
        ("setsid sleep 600 & sleep 600", "timeout = \"1s\"", "longer than 1 s"),
        ("head -c 1000000000 /dev/zero", "max_output_mib = 1", "printed more than 1048576 bytes"),
        (
            "i=0; while :; do head -c 100000 /dev/zero > generated/x$i; i=$((i+1)); done",
            "max_disk_mib = 2",
            "its files took more than",
        ),
        ("i=0; while [ $i -lt 300 ]; do mkdir d; cd d; i=$((i+1)); done; exit 0", "", "without end"),
        ("rm -r generated", "", "left no generated file at all"),
        ("rm -r generated; ln -s /etc generated", "", "generated something else than a directory"),
        ("no-such-tool", "", "no-such-tool"),
    ] {
        let (remote, options) = scripted(script, more);
        let service = Service::with(&remote, &options);
        let told = service.announce(1);
        assert_eq!(told["outcome"], "queued", "{script}: {told}");
        service.eventually_why(says);
        assert_eq!(service.get("/healthz").status, 200);
        // Nobody is to blame but the renderer, and once it is mended everything goes on.
        remote.person().commit("render.sh", "echo new > generated/old.yml", "fix: render").push();
        let commit = eventually("a commit on auto", || remote.commits("master..auto").first().cloned());
        assert_eq!(remote.file(&commit, "generated/old.yml").as_deref(), Some("new"), "{script}");
    }
}

/// Tells whether the kernel can keep commands from reading.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn confines() -> bool {
    let confines = cfgupdater_commands::confines();
    if !confines {
        eprintln!("skipped: not allowed here: this kernel has no Landlock, so commands can't be confined");
    }
    confines
}

#[test]
fn a_renderer_that_steals_gets_nothing() {
    if !confines() {
        return;
    }
    let (remote, options) = scripted("true", "");
    let service = Service::with(&remote, &options);
    let data = service.data_directory();
    // The mirror holds what other people may not see, and beside it lies the configuration.
    let script = format!(
        "cat /proc/{0}/environ /proc/$PPID/environ {1}/mirrors/*/HEAD {2}/*.toml /etc/shadow 2> /dev/null > generated/old.yml\n\
         kill -9 $PPID\nkill -9 {0}\necho tried >> generated/old.yml",
        service.pid(),
        data.display(),
        data.parent().unwrap().display()
    );
    remote.person().commit("render.sh", &script, "feat: steal").push();
    let commit = committed(&service, &service.announce(1));
    assert_eq!(remote.file(&commit, "generated/old.yml").as_deref(), Some("tried"));
}

/// The section of a second repository in which nothing is generated.
fn another(remote: &Remote) -> String {
    format!(
        "[[repo]]\nname = \"other\"\nurl = \"{}\"\nresync = \"500ms\"\nbatch_window = \"20ms\"\n[repo.forge]\nkind = \
         \"local\"\n[repo.checks]\nrequired = [\"ci\"]\n[[repo.image_set]]\nname = \"app\"\n[[repo.wave]]\nname = \
         \"staging\"\ntargets = [\"one\"]\n",
        remote.url()
    )
}

/// Takes a build all the way to stable in the other repository.
fn lands_in_the_other(service: &Service, n: u32) {
    let path = format!("/v1/repos/other/images?app_sha={}", app_sha(n));
    let told = service.server().post(&path, &images(&["web"], n)).ok();
    let commit = told["commit"].as_str().unwrap();
    let result = serde_json::json!({"context": "ci", "state": "success"});
    service.server().post(&format!("/v1/repos/other/statuses/{commit}"), &result).ok();
    let path = format!("/v1/repos/other/intents/{}", told["intent"].as_str().unwrap());
    eventually("its end", || (service.get(&path).ok()["end"]["end"] == "landed").then_some(()));
}

#[test]
fn while_a_rendering_goes_on_and_on_calls_are_accepted_and_other_repositories_go_on() {
    let (place, other) = (tempfile::tempdir().unwrap(), Remote::new());
    let go = place.path().join("go");
    let script = format!(
        "while ! test -e {}; do sleep 0.1; done; cp images/staging/tags.json generated/old.yml",
        go.display()
    );
    let (remote, options) = scripted(&script, "timeout = \"10m\"");
    let service = Service::with(&remote, &Options { deploy: another(&other), ..options });
    let told: Vec<Value> = (1..=2).map(|n| service.announce(n)).collect();
    assert_eq!((&told[0]["outcome"], &told[1]["outcome"]), (&"queued".into(), &"queued".into()), "{told:?}");
    assert_eq!(service.announce(1)["outcome"], "duplicate");
    service.eventually_why("rendering has gone on for more than 10 s");
    lands_in_the_other(&service, 7);
    std::fs::write(go, "").unwrap();
    for (n, told) in (1..).zip(&told) {
        let commit = committed(&service, told);
        let made = remote.file(&commit, "generated/old.yml").unwrap();
        assert!(made.contains(&app_sha(n)), "{made}");
    }
    eventually("no reason to wait", || (!service.why().contains("rendering")).then_some(()));
}

#[test]
fn a_renderer_that_fails_stops_no_other_repository() {
    let other = Remote::new();
    let (remote, options) = scripted("sleep 600", "timeout = \"1s\"");
    let service = Service::with(&remote, &Options { deploy: another(&other), ..options });
    assert_eq!(service.announce(1)["outcome"], "queued");
    service.eventually_why("longer than 1 s");
    lands_in_the_other(&service, 7);
}

/// Amends the last commit with all that was changed. Its date stays: with another one it would be a stranger's commit.
fn amend_with_its_date(clone: &Path) {
    let date = git(clone, &["log", "-1", "--format=%cI"]);
    let mut amend = git_command(clone, &["commit", "--quiet", "--all", "--amend", "--no-edit"]);
    assert!(amend.env("GIT_COMMITTER_DATE", date).status().unwrap().success());
}

#[test]
fn files_that_were_forged_or_forgotten_are_found_where_it_is_asked_for() {
    let (remote, options) =
        scripted("! test -e images || cat images/staging/tags.json > generated/old.yml", "verify = true");
    let service = Service::with(&remote, &options);
    let told = service.announce(1);
    committed(&service, &told);
    // Somebody puts another generated file into our commit.
    let clone = remote.person();
    git(&clone.path(), &["checkout", "--quiet", "origin/auto"]);
    std::fs::write(clone.path().join("generated/old.yml"), "forged\n").unwrap();
    amend_with_its_date(&clone.path());
    git(&clone.path(), &["push", "--quiet", "--force", "origin", "HEAD:refs/heads/auto"]);
    let forged = git(&clone.path(), &["rev-parse", "HEAD"]);
    service.status(&remote.master(), "ci", "success");
    service.status(&forged, "ci", "success");
    let end = service.end_of(told["intent"].as_str().unwrap());
    assert_eq!(end["evidence"]["check"], "cfgupdater/generated", "{end}");
    assert!(end["evidence"]["summary"].as_str().unwrap().contains("generated/old.yml"), "{end}");
    assert!(!remote.refs().contains("cfgupdater/parked"), "{}", remote.refs());
    // What a person forgot on master is found, and blocks nothing.
    remote.person().commit("generated/old.yml", "forgotten\n", "oops").push();
    service.eventually_why("generated files are not up to date");
    let told = service.announce(2);
    land(&service, &told);
}

#[test]
fn while_a_persons_commit_is_rendered_on_and_on_to_verify_it_others_land() {
    let place = tempfile::tempdir().unwrap();
    let go = place.path().join("go");
    let script = format!(
        "if ! test -e images; then while ! test -e {}; do sleep 0.1; done; exit; fi\n\
         cat images/staging/tags.json > generated/old.yml",
        go.display()
    );
    let (remote, options) = scripted(&script, "verify = true\ntimeout = \"10m\"");
    // One for what is verified and one for what is written, however many processors there are.
    let options = Options { server: "max_renderings = 2\n".to_owned(), ..options };
    let service = Service::with(&remote, &options);
    service.eventually_why("are being rendered");
    let first = land(&service, &service.announce(1));
    assert_eq!(remote.file(&first, "generated/old.yml"), remote.file(&first, "images/staging/tags.json"));
    // What stable was before is of no use to anybody any more, so it was given up and kept no place.
    eventually("nothing to render", || (!service.why().contains("are being rendered")).then_some(()));
    land(&service, &service.announce(2));
}

#[test]
fn images_go_into_kustomizations_and_values_of_helm() {
    for (flavour, set) in [
        ("cfg-app-kustomize", "layout = \"kustomize\""),
        ("cfg-app-helm", "layout = \"helm\"\nservices = { api = \"api.image\", web = \"web.image\" }"),
    ] {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(flavour);
        let remote = Remote::of_directory(&directory);
        let service = Service::with(&remote, &Options { image_set: set, ..Options::default() });
        let announce = |names: &[&str], n| {
            let path = format!("/v1/repos/cfg-app/images?app_sha={}", app_sha(n));
            service.server().post(&path, &images(names, n)).ok()
        };
        let commit = land(&service, &announce(&["api", "web"], 1));
        let stat = git(remote.path(), &["diff", "--numstat", &format!("{commit}^"), &commit]);
        assert!(stat.starts_with("6\t6\t") && stat.lines().count() == 1, "{flavour}: {stat}");
        for target in ["staging-1", "staging-2"] {
            service.deployed("staging", target, &commit, "succeeded").ok();
        }
        let promoted = eventually("the promotion", || remote.commits("master..auto").first().cloned());
        assert!(changed(&remote, &promoted)[0].contains("internal"));
        // Images that the file has no place for are the announcement's fault.
        let told = announce(&["api", "web", "extra"], 2);
        let end = service.end_of(told["intent"].as_str().unwrap());
        assert!(
            end["evidence"]["summary"].as_str().unwrap().contains("no place for service `extra`"),
            "{end}"
        );
    }
}

#[test]
fn check_config_renders_the_stable_branch() {
    let (remote, _) = scripted("echo new > generated/old.yml; echo x > stray", "");
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("c.toml");
    let text = format!(
        "[server]\n[[repo]]\nname = \"cfg-app\"\nurl = \"{}\"\n[repo.forge]\nkind = \"local\"\n[repo.checks]\n\
         required = [\"ci\"]\n[repo.render]\nkind = \"command\"\ncommand = [\"sh\", \"render.sh\"]\n[[repo.image_set]]\n\
         name = \"app\"\n[[repo.wave]]\nname = \"staging\"\ntargets = [\"a\"]\n",
        remote.url()
    );
    std::fs::write(&config, text).unwrap();
    let output =
        Command::new(cfgupdater_tests::binary()).args(["check-config"]).arg(&config).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("1 generated files are not up to date, generated/old.yml for one"), "{said}");
    assert!(said.contains("also changed stray"), "{said}");
}

#[test]
fn people_who_merge_by_hand_get_files_in_conflict_made_anew() {
    if !has_tools() {
        return;
    }
    let remote = Remote::of_directory(&cfg_app());
    let clone = remote.person();
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        if program == "git" {
            command = git_command(&clone.path(), arguments);
        } else {
            command.args(arguments).current_dir(clone.path());
        }
        let ended = command.output().unwrap();
        let said = [ended.stdout, ended.stderr].concat();
        assert!(ended.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&said));
    };
    let edit = |path: &str, from: &str, to: &str| {
        let file = clone.path().join(path);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(file, text.replace(from, to)).unwrap();
        run("make", &["regenerate-staging"]);
        clone.commit_all("feat: an edit");
    };
    run("make", &["merge-driver"]);
    run("git", &["checkout", "--quiet", "-b", "mine"]);
    edit("lib/shop.libsonnet", "memory: '128Mi'", "memory: '256Mi'");
    run("git", &["checkout", "--quiet", "-b", "theirs", "origin/master"]);
    // The same lines of the generated file, and others of its source.
    edit("lib/kube.libsonnet", "limits: {}", "limits: { memory: spec.memory }");
    run("git", &["merge", "--quiet", "--no-edit", "mine"]);
    // Git asks for the files before the merged sources lie there, so they are made once more after it.
    run("make", &["regenerate-staging"]);
    let merged = std::fs::read_to_string(clone.path().join("generated/staging/staging-1-web.yml")).unwrap();
    assert_eq!(merged.matches("\"memory\": \"256Mi\"").count(), 2, "{merged}");
    assert_eq!(merged.matches("<<<<<<<").count(), 0);
}
