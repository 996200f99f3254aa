//! `why` and `log`.

use crate::args::{LogArgs, ReadArgs};
use crate::exit::Failure;
use crate::{output, text};

pub(super) async fn why(args: &ReadArgs) -> Result<(), Failure> {
    let answer = super::connect(&args.connection)?.status().await?;
    if args.show.json {
        output::print_json(&answer.raw["why"]);
    } else {
        output::print(&text::why(&answer.said.why));
    }
    Ok(())
}

pub(super) async fn log(args: LogArgs) -> Result<(), Failure> {
    let answer = super::connect(&args.connection)?.log(args.limit, args.after).await?;
    if args.show.json {
        output::print_json(&answer.raw);
    } else {
        output::print(&text::log(&answer.said, output::paint()));
    }
    Ok(())
}
