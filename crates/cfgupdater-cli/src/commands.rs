//! What each command does.

mod announce;
mod check_config;
mod deployed;
mod image;
mod operate;
mod read;
pub(crate) mod serve;
mod status;

use crate::args::{Command, ConnectionArgs};
use crate::client::{Address, Api, Client};
use crate::demo;
use crate::exit::Failure;
use crate::secret::Token;

/// Runs a command to its end.
pub(crate) async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Demo(args) => demo::run(&args).await,
        Command::Serve(args) => serve::run(&args).await,
        Command::CheckConfig(args) => check_config::run(&args.path()).await,
        Command::Announce(args) => announce::run(args).await,
        Command::Deployed(args) => deployed::run(args).await,
        Command::Status(args) => status::run(&args).await,
        Command::Why(args) => read::why(&args).await,
        Command::Log(args) => read::log(args).await,
        Command::Hold(args) => operate::wave("hold", args).await,
        Command::Release(args) => operate::wave("release", args).await,
        Command::Approve(args) => operate::approve(args).await,
        Command::Rollback(args) => operate::rollback(args).await,
        Command::Waive(args) => operate::waive(args).await,
        Command::Pause(args) => operate::repo("pause", args).await,
        Command::Resume(args) => operate::repo("resume", args).await,
        Command::Withdraw(args) => operate::intent("withdraw", args).await,
        Command::Retry(args) => operate::intent("retry", args).await,
        Command::Image(args) => image::run(args).await,
        Command::Accept(args) => operate::repo("accept", args).await,
        // Answered before there is a runtime.
        Command::JobKeeper => Ok(()),
        Command::JsonnetWorker => {
            // How it ended is seen by the service, which listens to it.
            cfgupdater_renderers::jsonnet::serve();
            Ok(())
        }
    }
}

/// Prepares to call the service that the command line names.
fn connect(args: &ConnectionArgs) -> Result<Api, Failure> {
    let address = Address::new(&args.server, args.ca_file.as_deref())?;
    let token = Token::find(args.token_file.as_deref())?;
    Ok(Api::new(Client::new(&address, token, args.retry_for)?, args.repo.clone()))
}
