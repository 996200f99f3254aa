//! `hold`, `release` and `approve`: what operators do to waves.

use cfgupdater_core::Release;
use cfgupdater_server::api::Operation;

use crate::args::OperateArgs;
use crate::exit::Failure;
use crate::{output, text};

pub(super) async fn run(action: &str, args: OperateArgs, release: Option<Release>) -> Result<(), Failure> {
    let api = super::connect(&args.connection)?;
    let asked = Operation { reason: args.reason, release };
    let answer = api.operate(args.wave.as_str(), action, &asked).await?;
    if args.show.json {
        output::print_json(&answer.raw);
    } else {
        output::print(&text::worked(&answer.said));
    }
    Ok(())
}
