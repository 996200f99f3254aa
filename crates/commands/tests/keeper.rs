//! Commands that run by a keeper: nothing that they start outlives them, and they don't outlive the service.
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cfgupdater_commands::{Ended, Job, run};

const KEEPER: &str = env!("CARGO_BIN_EXE_cfgupdater-job-keeper");

fn job(script: &str, directory: &Path) -> Job {
    let command: Vec<String> = ["sh", "-c", script].map(str::to_owned).into();
    let mut job = Job::new(&command, directory, Duration::from_mins(1));
    job.keeper = vec![KEEPER.to_owned()];
    job
}

/// Makes a fifo whose reader ends when the last process that holds it open for writing has.
fn fifo(directory: &Path) -> tokio::task::JoinHandle<Vec<u8>> {
    let fifo = directory.join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    tokio::task::spawn_blocking(move || std::fs::read(fifo).unwrap())
}

#[tokio::test]
async fn the_status_and_both_outputs_come_through() {
    let directory = tempfile::tempdir().unwrap();
    let ended = run(&job("echo out; echo err >&2; pwd; exit 3", directory.path())).await;
    let Ended::Failed { output, code, .. } = ended else { panic!("{ended:?}") };
    let place = directory.path().canonicalize().unwrap();
    assert!(code == Some(3) && output.contains("out\n") && output.contains("err\n"), "{output}");
    assert!(output.contains(&place.display().to_string()), "{output}");
    let ended = run(&job("true", directory.path())).await;
    assert_eq!(ended, Ended::Passed { output: String::new() });
}

#[tokio::test]
async fn a_program_that_is_missing_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let mut job = job("", directory.path());
    job.command = vec!["/nowhere/at/all".to_owned()];
    let ended = run(&job).await;
    let Ended::Failed { output, code: Some(127), .. } = &ended else { panic!("{ended:?}") };
    assert!(output.contains("`/nowhere/at/all` can't be started"), "{output}");
}

#[tokio::test]
async fn what_leaves_its_group_and_forgets_its_environment_ends_too() {
    for confined in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let reader = fifo(directory.path());
        let escape = "env -i PATH=\"$PATH\" setsid sh -c 'sleep 600 & sleep 600' > fifo & sleep 0.2";
        let mut job = job(escape, directory.path());
        if confined {
            job.writable = vec![directory.path().to_owned()];
        }
        assert_eq!(run(&job).await, Ended::Passed { output: String::new() });
        assert_eq!(reader.await.unwrap(), b"");
    }
}

#[tokio::test]
async fn a_limit_ends_all_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let reader = fifo(directory.path());
    let escape = "env -i PATH=\"$PATH\" setsid sleep 600 > fifo & sleep 600";
    let mut job = job(escape, directory.path());
    job.time = Duration::from_secs(1);
    let ended = run(&job).await;
    assert!(matches!(&ended, Ended::Stopped { how, .. } if how.contains("longer than 1 s")), "{ended:?}");
    assert_eq!(reader.await.unwrap(), b"");
}

#[tokio::test]
async fn it_ends_with_whoever_started_the_keeper() {
    let directory = tempfile::tempdir().unwrap();
    let reader = fifo(directory.path());
    let mut keeper = Command::new(KEEPER)
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let order = r#"{"command":["sh","-c","exec 3> fifo; echo begun; sleep 600"],"reach":null}"#;
    let mut lifeline = keeper.stdin.take().unwrap();
    writeln!(lifeline, "{order}").unwrap();
    let mut begun = [0; 6];
    keeper.stdout.take().unwrap().read_exact(&mut begun).unwrap();
    // As when the service is killed.
    drop(lifeline);
    keeper.wait().unwrap();
    assert_eq!(reader.await.unwrap(), b"");
}
