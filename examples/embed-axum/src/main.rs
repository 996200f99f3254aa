//! An axum application that was there before, with routes and a state of its own: `embed-axum URL DIRECTORY TOKEN_FILE`
//! serves cfgupdater's API below `/cfgupdater`.
#![allow(clippy::print_stdout, reason = "whoever started it reads the address")]

// [main]
use std::error::Error;
use std::path::Path;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use cfgupdater::Engine;
use cfgupdater_server::{AppState, Scope, Tokens, router};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The application's own state.
#[derive(Debug, Clone)]
struct Shop {
    motto: &'static str,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, data, token_file] = arguments.as_slice() else {
        return Err("usage: embed-axum URL DIRECTORY TOKEN_FILE".into());
    };
    let mut engine = Engine::new();
    let repo = embed::start(&mut engine, url, Path::new(data)).await?;
    let scopes = vec![Scope::Announce(None), Scope::Read];
    let tokens = Tokens::of_files([("ci".to_owned(), token_file.into(), scopes)]);
    let (stop, stopping) = watch::channel(false);
    let cfgupdater = router(AppState::new([repo], tokens, stopping.clone()));

    let shop = Router::new()
        .route("/motto", get(|State(shop): State<Shop>| async move { shop.motto }))
        .with_state(Shop { motto: "open all night" })
        .nest("/cfgupdater", cfgupdater);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    let asked = async move {
        // Whether it was a signal or none can be heard: this ends, and calls that wait end with it.
        let _ = tokio::signal::ctrl_c().await;
        stop.send_replace(true);
    };
    axum::serve(listener, shop).with_graceful_shutdown(asked).await?;
    engine.stop().await;
    Ok(())
}
// [/main]
