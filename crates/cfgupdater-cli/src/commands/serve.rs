//! `serve`: the service, until somebody stops it.

use cfgupdater_core::explain;
use cfgupdater_server::{Config, Service};
use tokio::net::TcpListener;
use tracing::info;

use crate::args::ServeArgs;
use crate::exit::Failure;
use crate::signals::Stop;
use crate::{logging, output};

pub(super) async fn run(args: &ServeArgs) -> Result<(), Failure> {
    logging::to_stderr(args.log);
    let config = Config::load(&args.config).map_err(|errors| Failure::failed(errors.to_string()))?;
    // From here on a signal asks for an orderly end.
    let mut stop =
        Stop::listen().map_err(|error| Failure::failed(format!("signals can't be heard: {error}")))?;
    let mut service = start(config).await?;
    output::print(&format!("listening on {}", service.url()));
    tokio::select! {
        () = stop.asked() => info!("stopping; a second signal ends at once"),
        () = service.finished() => return Err(Failure::failed("the server's socket failed; the log says how")),
    }
    tokio::select! {
        () = service.shutdown() => Ok(()),
        () = stop.asked() => Err(Failure::failed("ended at once by a second signal")),
    }
}

/// Starts the service where its configuration says.
pub(crate) async fn start(config: Config) -> Result<Service, Failure> {
    let address = config.listen();
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure::failed(format!("{address} can't be listened on: {error}; choose another server.listen"))
    })?;
    Service::start(config, listener).await.map_err(|error| Failure::failed(explain(&error)))
}
