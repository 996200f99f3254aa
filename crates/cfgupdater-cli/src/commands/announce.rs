//! `announce`: what an application's CI calls after it pushed its images.

use std::io::Read;
use std::path::Path;

use cfgupdater_core::End;
use cfgupdater_server::api::Announced;

use crate::args::AnnounceArgs;
use crate::client::{Announcement, Waiting};
use crate::exit::{Exit, Failure};
use crate::{output, text};

pub(super) async fn run(args: AnnounceArgs) -> Result<(), Failure> {
    let images = read(&args.images)?;
    let api = super::connect(&args.connection)?;
    let AnnounceArgs { app_sha, set, sequence, attempt, dry_run, .. } = args;
    let answer = api.announce(Announcement { app_sha, set, sequence, attempt, dry_run, images }).await?;
    if args.show.json {
        output::print_json(&answer.raw);
    } else {
        output::print(&text::announced(&answer.said));
    }
    judge(&answer.said)?;
    if !args.wait.wait || answer.said.outcome == "unchanged" {
        return Ok(());
    }
    let reached = Waiting::new(&api, args.wait.timeout).reach(&answer.said.intent, &args.wait.until).await?;
    if args.show.json {
        output::print_json(&reached.raw);
    } else {
        output::print(&reached.sentence);
    }
    Ok(())
}

/// Turns the answer into an exit code: a build that will not be delivered must not leave CI green.
fn judge(answer: &Announced) -> Result<(), Failure> {
    if answer.outcome == "stale" {
        let message = "a newer announcement of this set was accepted before; this one is not delivered";
        return Err(Failure::new(Exit::GivenUp, message));
    }
    match &answer.end {
        Some(End::Evicted { .. } | End::Superseded { .. }) => {
            let message =
                "this build was given up before; announce it with a higher --attempt to try it again";
            Err(Failure::new(Exit::GivenUp, message))
        }
        Some(end @ (End::Withdrawn { .. } | End::Refused { .. })) => Err(Failure::failed(format!(
            "this build was {end}; announce it with a higher --attempt to try it again"
        ))),
        _ => Ok(()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut images = Vec::new();
    let outcome = if path == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut images)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut images))
    };
    match outcome {
        Ok(0) => Err(Failure::usage(format!("{} holds no images", path.display()))),
        Ok(_) => Ok(images),
        Err(error) => Err(Failure::usage(format!("{} can't be read: {error}", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(outcome: &str, end: &serde_json::Value) -> Option<Exit> {
        let answer = serde_json::json!({"intent": "i", "outcome": outcome, "commit": null, "end": end});
        judge(&serde_json::from_value(answer).unwrap()).err().map(|failure| failure.exit)
    }

    #[test]
    fn what_will_be_delivered_ends_well() {
        for outcome in ["committed", "queued", "duplicate", "unchanged"] {
            assert_eq!(exit(outcome, &serde_json::Value::Null), None, "{outcome}");
        }
        let landed = serde_json::json!({"end": "landed", "commit": "1".repeat(40)});
        assert_eq!(exit("duplicate", &landed), None);
    }

    #[test]
    fn what_will_not_be_delivered_does_not() {
        assert_eq!(exit("stale", &serde_json::Value::Null), Some(Exit::GivenUp));
        let evidence = serde_json::json!({"commit": "1".repeat(40), "check": "ci", "outcome": "failed"});
        let evicted = serde_json::json!({"end": "evicted", "evidence": evidence});
        assert_eq!(exit("duplicate", &evicted), Some(Exit::GivenUp));
        let refused = serde_json::json!({"end": "refused", "reason": "a hook"});
        assert_eq!(exit("duplicate", &refused), Some(Exit::Failed));
    }

    #[test]
    fn an_empty_file_is_a_mistake() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(read(file.path()).unwrap_err().exit, Exit::Usage);
    }
}
