//! The service with one more kind of forge: `cfgupdater-gitea CONFIG`.
#![allow(clippy::print_stdout, reason = "whoever started it reads the address")]

// [main]
use std::error::Error;
use std::path::Path;

use cfgupdater_server::{Config, Forges, Service};
use gitea_forge::GiteaKind;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: cfgupdater-gitea CONFIG")?;
    let config = Config::load_with(Path::new(&path), Forges::default().with(GiteaKind))?;
    let listener = TcpListener::bind(config.listen()).await?;
    let mut service = Service::start(config, listener).await?;
    println!("listening on {}", service.url());
    tokio::select! {
        stopped = tokio::signal::ctrl_c() => stopped?,
        () = service.finished() => return Err("the server's socket failed".into()),
    }
    service.shutdown().await;
    Ok(())
}
// [/main]
