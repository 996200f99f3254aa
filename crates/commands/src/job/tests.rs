use std::io::Read;

use super::*;
use crate::tail::TAIL;

fn script(script: &str, directory: &Path) -> Job {
    let command: Vec<String> = ["sh", "-c", script].map(str::to_owned).into();
    Job::new(&command, directory, LONG)
}

async fn sh(text: &str, time: Duration) -> Ended {
    let directory = tempfile::tempdir().unwrap();
    run(&Job { time, ..script(text, directory.path()) }).await
}

const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn the_status_decides_and_both_outputs_are_kept() {
    assert_eq!(sh("echo fine", LONG).await, Ended::Passed { output: "fine\n".to_owned() });
    let Ended::Failed { output, how, .. } = sh("echo no >&2; exit 3", LONG).await else { panic!() };
    assert!(output == "no\n" && how.contains('3'), "{output} {how}");
}

#[tokio::test]
async fn a_program_that_is_not_there_says_nothing_of_the_commit() {
    let directory = tempfile::tempdir().unwrap();
    for writable in [vec![], vec![directory.path().to_owned()]] {
        let job = Job::new(&["/nowhere/at/all".to_owned()], directory.path(), LONG);
        let ended = run(&Job { writable, ..job }).await;
        assert!(matches!(ended, Ended::NotStarted { .. }), "{ended:?}");
    }
}

fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

/// Runs a script that leaves a process behind which holds a fifo open, and returns once nobody holds it any more.
async fn ends_with_what_it_left(leave: &str, time: Duration) -> Ended {
    left_behind(leave, time, false).await
}

/// The same; the script is given up once that process holds the fifo, where that is asked for.
async fn left_behind(leave: &str, time: Duration, give_up: bool) -> Ended {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // Its reader ends when the last writer has.
    let script = script(&leave.replace("FIFO", &fifo.display().to_string()), directory.path());
    let (opened, held) = tokio::sync::oneshot::channel();
    let reader = tokio::task::spawn_blocking(move || {
        let mut read = Vec::new();
        let mut fifo = std::fs::File::open(fifo).unwrap();
        // Nobody waits for it where nothing is given up.
        let _ = opened.send(());
        fifo.read_to_end(&mut read).unwrap();
        read
    });
    let given_up = async {
        if !give_up {
            std::future::pending::<()>().await;
        }
        held.await.unwrap();
    };
    let ended = run_until(&Job { time, ..script }, given_up).await;
    assert_eq!(reader.await.unwrap(), b"");
    ended
}

#[tokio::test]
async fn a_command_that_takes_too_long_ends_with_all_its_children() {
    let ended = ends_with_what_it_left("(sleep 600 > FIFO) & wait", Duration::from_secs(1)).await;
    let Ended::Stopped { how, .. } = ended else { panic!("{ended:?}") };
    assert!(how.contains("longer than 1 s"), "{how}");
}

#[tokio::test]
async fn a_command_that_is_given_up_ends_with_all_its_children() {
    let ended = left_behind("(sleep 600 > FIFO) & wait", LONG, true).await;
    let Ended::Stopped { how, .. } = ended else { panic!("{ended:?}") };
    assert!(how.contains("nobody waits"), "{how}");
}

#[tokio::test]
async fn what_leaves_its_process_group_ends_too() {
    let ended = ends_with_what_it_left("setsid sh -c 'sleep 600 > FIFO' & exec sleep 0.2", LONG).await;
    assert!(matches!(ended, Ended::Passed { .. }), "{ended:?}");
}

#[tokio::test]
async fn endless_output_is_read_in_bounded_memory() {
    let Ended::Passed { output } = sh("head -c 200000000 /dev/zero | tr '\\0' x; echo end", LONG).await
    else {
        panic!()
    };
    assert!(output.len() < 2 * TAIL && output.ends_with("xend\n"));
}

#[tokio::test]
async fn a_command_that_prints_too_much_is_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let job = Job { output: Some(1_000_000), ..script("yes", directory.path()) };
    let Ended::Stopped { output, how } = run(&job).await else { panic!() };
    assert!(how.contains("printed more than 1000000 bytes") && output.len() < 2 * TAIL, "{how}");
}

#[tokio::test]
async fn a_command_that_fills_the_disk_is_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let many = "i=0; while :; do head -c 100000 /dev/zero > file$i; i=$((i+1)); done";
    let job = Job { disk: Some(5_000_000), ..script(many, directory.path()) };
    let Ended::Stopped { how, .. } = run(&job).await else { panic!() };
    assert!(how.contains("more than 5000000 bytes"), "{how}");
    // A single file hits its own limit, whether or not anybody looked.
    let job =
        Job { disk: Some(5_000_000), ..script("sleep 0.1; cat /dev/zero > file; exit 3", directory.path()) };
    assert!(!matches!(run(&job).await, Ended::Passed { .. } | Ended::NotStarted { .. }));
    assert!(std::fs::metadata(directory.path().join("file")).unwrap().len() <= 5_000_000);
}

#[tokio::test]
async fn a_confined_command_writes_nowhere_else() {
    if !crate::confines() {
        return skip("not allowed here: this kernel has no Landlock, so commands can't be confined");
    }
    let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(outside.path().join("kept"), "old").unwrap();
    let text = "echo in > file && ls > /dev/null; cd OUT; echo new > made; echo new > kept; rm kept; ln -s x link; true";
    let text = text.replace("OUT", &outside.path().display().to_string());
    let job = Job { writable: vec![inside.path().to_owned()], ..script(&text, inside.path()) };
    let ended = run(&job).await;
    assert!(matches!(&ended, Ended::Passed { output } if output.contains("Permission denied")), "{ended:?}");
    assert_eq!(std::fs::read_to_string(inside.path().join("file")).unwrap(), "in\n");
    assert_eq!(std::fs::read_to_string(outside.path().join("kept")).unwrap(), "old");
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
    std::fs::write(outside.path().join("ours"), "this process itself is not confined").unwrap();
}

#[tokio::test]
async fn a_confined_command_reads_nothing_of_the_service_and_of_its_user() {
    if !crate::confines() {
        return skip("not allowed here: this kernel has no Landlock, so commands can't be confined");
    }
    let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(outside.path().join("token"), "secret").unwrap();
    // Into one pipe: what comes by two is put together as it comes.
    let text = "exec 2>&1; for file in /proc/$PPID/environ /proc/$PPID/mem OUT/token /etc/shadow; do cat $file > /dev/null && echo $file; \
                done; ls OUT && echo listed; cat GIVEN/file";
    let text = text.replace("OUT", &outside.path().display().to_string());
    let given = tempfile::tempdir().unwrap();
    std::fs::write(given.path().join("file"), "given").unwrap();
    let text = text.replace("GIVEN", &given.path().display().to_string());
    let writable = vec![inside.path().to_owned()];
    let readable = vec![given.path().to_owned()];
    let ended = run(&Job { writable, readable, ..script(&text, inside.path()) }).await;
    let Ended::Passed { output } = ended else { panic!("{ended:?}") };
    let read: Vec<&str> = output.lines().filter(|line| !line.contains("denied")).collect();
    assert_eq!(read, ["given"], "{output}");
}

#[tokio::test]
async fn empty_files_without_end_and_directories_without_bottom_take_disk_too() {
    let directory = tempfile::tempdir().unwrap();
    for endless in
        ["i=0; while :; do : > file$i; i=$((i+1)); done", "while mkdir d && cd d; do :; done; sleep 600"]
    {
        let job = Job { disk: Some(2_000_000), ..script(endless, directory.path()) };
        let ended = run(&job).await;
        assert!(matches!(&ended, Ended::Stopped { how, .. } if how.contains("2000000 bytes")), "{ended:?}");
    }
}

#[tokio::test]
async fn the_environment_holds_nothing_of_the_service() {
    let Ended::Passed { output } = sh("env", LONG).await else { panic!() };
    let mut names: Vec<&str> = output.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.retain(|name| !matches!(*name, "PWD" | "OLDPWD" | "SHLVL" | "_"));
    names.sort_unstable();
    assert_eq!(names, ["CFGUPDATER_JOB", "CI", "HOME", "LC_ALL", "PATH"]);
}
