//! `demo`: the main job, told as it happens, by the real service on a repository of its own.

mod builds;
mod deployer;
mod git;
mod narrator;
mod place;
mod story;
mod trail;

use std::fs::File;
use std::sync::Mutex;

use cfgupdater_server::{Config, Service};

use crate::args::DemoArgs;
use crate::commands::serve;
use crate::exit::Failure;
use crate::signals::Stop;
use crate::{logging, output, text};

use deployer::Deployer;
use narrator::Narrator;
use place::{Place, Role};
use story::Story;

/// Tells the story, and shows how to look around.
pub(crate) async fn run(args: &DemoArgs) -> Result<(), Failure> {
    let mut stop =
        Stop::listen().map_err(|error| Failure::failed(format!("signals can't be heard: {error}")))?;
    let place = Place::make().await?;
    let narrator = Narrator::start(output::paint());
    narrator.chapter("A configuration repository of its own");
    narrator.say("made", None, &format!("{} holds all of this demo", place.directory().display()));
    let service = start(&place).await?;
    let url = format!("http://{}", service.local_addr());
    narrator.say("serving", None, &format!("the service is at {url}, its log in service.log"));
    let deployer = Deployer::start(&place, place.api(&url, Role::Deployer)?, narrator.clone());
    let story = Story::new(&place, &url, narrator.clone())?;
    let told = tokio::select! {
        told = story.tell() => told,
        () = stop.asked() => Err(Failure::failed("the demo was stopped")),
    };
    if told.is_ok() {
        look_back(&place, &url, &narrator).await?;
        if args.keep {
            output::print("\nThe service goes on until Ctrl-C.");
            stop.asked().await;
        }
    }
    drop(deployer);
    service.shutdown().await;
    told
}

async fn start(place: &Place) -> Result<Service, Failure> {
    let path = place.directory().join("service.log");
    let log = File::create(&path)
        .map_err(|error| Failure::failed(format!("{} can't be made: {error}", path.display())))?;
    logging::to(Mutex::new(log), false);
    let config =
        Config::load(&place.configuration()).map_err(|errors| Failure::failed(errors.to_string()))?;
    serve::start(config).await
}

/// Ends the story with what anybody can read back from git alone.
async fn look_back(place: &Place, url: &str, narrator: &Narrator) -> Result<(), Failure> {
    let api = place.api(url, Role::You)?;
    narrator.chapter("The audit log, newest first");
    output::print(&text::log(&api.log(1000, None).await?.said, output::paint()));
    narrator.chapter("What the branches say");
    output::print(&text::status(&api.status().await?.said, output::paint()));
    narrator.chapter("git log --graph");
    output::print(&place.graph(output::paint().is_enabled()).await?);
    narrator.chapter("Look around");
    output::print(&place.guide());
    Ok(())
}
