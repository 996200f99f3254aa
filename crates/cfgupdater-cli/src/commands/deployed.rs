//! `deployed`: what a deploy tool calls after it brought a target to a revision.

use cfgupdater_core::DeploymentStatus;
use cfgupdater_server::api::Deployment;

use crate::args::{DeployedArgs, Went};
use crate::exit::Failure;
use crate::{output, text};

pub(super) async fn run(args: DeployedArgs) -> Result<(), Failure> {
    let api = super::connect(&args.connection)?;
    let said = Deployment {
        wave: args.wave,
        target: args.target,
        status: match args.status {
            Went::Succeeded => DeploymentStatus::Succeeded,
            Went::Failed => DeploymentStatus::Failed,
        },
        revision: args.revision,
        release: args.release,
        set: args.set,
        observed_at: args.observed_at,
    };
    let answer = api.deployed(&said).await?;
    if args.show.json {
        output::print_json(&answer.raw);
    } else {
        output::print(&text::recorded(&answer.said));
    }
    Ok(())
}
