//! `status`: the state of the repository, or the wait for an intent.

use crate::args::StatusArgs;
use crate::client::{Api, Reached, Waiting};
use crate::exit::Failure;
use crate::{output, text};

pub(super) async fn run(args: &StatusArgs) -> Result<(), Failure> {
    let api = super::connect(&args.connection)?;
    if args.wait.wait {
        let reached = wait(&api, args).await?;
        if args.show.json {
            output::print_json(&reached.raw);
        } else {
            output::print(&reached.sentence);
        }
        return Ok(());
    }
    let answer = api.status().await?;
    if args.show.json {
        output::print_json(&answer.raw);
    } else {
        output::print(&text::status(&answer.said, output::paint()));
    }
    Ok(())
}

async fn wait(api: &Api, args: &StatusArgs) -> Result<Reached, Failure> {
    let waiting = Waiting::new(api, args.wait.timeout);
    let intent = match args.intent {
        Some(id) => id.to_string(),
        None => waiting.announced(args.app_sha, args.set.as_ref()).await?,
    };
    waiting.reach(&intent, &args.wait.until).await
}
