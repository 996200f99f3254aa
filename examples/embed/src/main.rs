//! The queue is standard input, a line of JSON for each message; what became of them goes to standard output.
//!
//! ```console
//! $ git init --bare --initial-branch=master /srv/git/cfg-app.git    # and push a first commit
//! $ cargo run -p cfgupdater-example-embed -- file:///srv/git/cfg-app.git /var/lib/embed <<'EOF'
//! {"announce":{"app_sha":"0123456789012345678901234567890123456789","images":{"web":{"Digest":"r.example.com/web@sha256:…","Tag":"r.example.com/web:v1"}}}}
//! EOF
//! ```
#![allow(clippy::print_stdout, reason = "standard output is the queue of answers")]

// [main]
use std::error::Error;
use std::path::Path;
use std::time::Duration;

use cfgupdater::Engine;
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(data)) = (arguments.next(), arguments.next()) else {
        return Err("usage: embed URL DIRECTORY".into());
    };
    let mut engine = Engine::new();
    let repo = embed::start(&mut engine, &url, Path::new(&data)).await?;
    let mut queue = BufReader::new(tokio::io::stdin()).lines();
    while let Some(message) = queue.next_line().await? {
        println!("{}", embed::answer(&repo, &message).await);
    }
    // Whatever was accepted lands before this ends; a real service would just go on.
    repo.wait_for(Duration::from_mins(1), |view| {
        let read = view.read_from >= view.written;
        read && view.snapshot.as_ref().is_some_and(|read| read.state.live().is_empty())
    })
    .await;
    engine.stop().await;
    Ok(())
}
// [/main]
