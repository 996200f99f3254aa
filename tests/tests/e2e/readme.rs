//! What README.md tells a newcomer to type works.

use std::process::{Command, Output};

use cfgupdater_tests::{Remote, Service, app_sha, binary, images};

const TOKENS: [(&str, &str); 3] = [
    ("APP_CI_TOKEN", "token-of-ci"),
    ("DEPLOYER_TOKEN", "token-of-deployer"),
    ("PLATFORM_TOKEN", "token-of-you"),
];

fn readme() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap()
}

/// Returns the blocks of code in a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// Starts the service with the configuration of the page, on a repository that exists, with a check that passes.
fn serve(remote: &Remote, directory: &std::path::Path) -> Service {
    let configured = blocks(&readme(), "toml");
    let [config] = configured.as_slice() else { panic!("one configuration: {configured:?}") };
    let changes = [
        ("127.0.0.1:8080", "127.0.0.1:0".to_owned()),
        ("file:///srv/git/cfg-app.git", remote.url()),
        (r#"["make", "check"]"#, r#"["true"]"#.to_owned()),
    ];
    let config = changes.iter().fold(config.clone(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    let file = directory.join("cfgupdater.toml");
    std::fs::write(&file, config).unwrap();
    let checked = Command::new(binary()).arg("check-config").arg(&file).envs(TOKENS).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    Service::of_file(&file, &TOKENS)
}

#[test]
fn the_commands_for_ci_deploy_tools_and_people_do_what_they_say() {
    let (remote, directory) = (Remote::new(), tempfile::tempdir().unwrap());
    let service = serve(&remote, directory.path());
    std::fs::write(directory.path().join("images.json"), images(&["Web"], 1).to_string()).unwrap();
    let path = std::env::join_paths(
        std::iter::once(binary().parent().unwrap().to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    let run = |line: &str| -> Output {
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(directory.path()).env("PATH", &path).envs(TOKENS);
        shell.env("CFGUPDATER_SERVER", service.server().base()).env("CFGUPDATER_REPO", "cfg-app");
        shell.env("GIT_SHA", app_sha(1)).env("REVISION", remote.master()).output().unwrap()
    };
    let text = readme();
    let blocks = blocks(&text, "console");
    let lines: Vec<&str> = blocks
        .iter()
        .flat_map(|block| block.lines())
        .filter_map(|line| line.strip_prefix("$ ").filter(|line| line.starts_with("CFGUPDATER_TOKEN=")))
        .collect();
    assert!(lines.len() > 5, "{lines:?}");
    for line in lines {
        let output = run(line);
        assert!(output.status.success(), "{line}: {output:?}");
    }
    assert!(remote.file(&remote.master(), "images/staging/tags.json").is_some());
    let status = String::from_utf8(run("CFGUPDATER_TOKEN=$PLATFORM_TOKEN cfgupdater status").stdout).unwrap();
    assert!(status.contains("staging-1 ok") && status.contains("held by platform"), "{status}");
}
