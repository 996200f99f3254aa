//! `image build`: the images of an application, from files to references that can be announced.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cfgupdater_core::{Error, ErrorKind, explain};
use cfgupdater_image_builder::{
    BuildOptions, BuiltImage, DockerfileDriver, ImagesFile, RegistryClient, RegistrySettings, Revision,
    build, build_dockerfiles, source_date_epoch, write_artefacts,
};
use serde_json::{Value, json};

use crate::args::{BuildArgs, Driver, ImageArgs, ImageCommand, RegistryArgs};
use crate::exit::{Exit, Failure};
use crate::signals::Stop;
use crate::{output, text};

pub(super) async fn run(args: ImageArgs) -> Result<(), Failure> {
    match args.command {
        ImageCommand::Build(args) => {
            let mut stop = Stop::listen()
                .map_err(|error| Failure::failed(format!("signals can't be heard: {error}")))?;
            tokio::select! {
                built = run_build(&args) => built.map_err(|error| failure(&error)),
                // What is given up removes what it left on the disk.
                () = stop.asked() => Err(Failure::failed("stopped by a signal; tags that were not reached are as before")),
            }
        }
    }
}

async fn run_build(args: &BuildArgs) -> Result<(), Error> {
    let file = images_file(args)?;
    let options = options(args)?;
    let client = RegistryClient::new(settings(&args.registry));
    let progress = |image: &BuiltImage| output::note(&text::built_image(image));
    let built = match args.driver {
        Driver::Native => build(&file, &client, &options, progress).await?,
        Driver::Docker => {
            let driver = told(DockerfileDriver::docker(), &args.registry);
            build_dockerfiles(&driver, &file, &client, &options, progress).await?
        }
        Driver::Buildah => {
            let driver = told(DockerfileDriver::buildah(), &args.registry);
            build_dockerfiles(&driver, &file, &client, &options, progress).await?
        }
    };
    write_artefacts(&built, args.artefacts.as_deref(), args.images.as_deref())?;
    if args.show.json {
        output::print_json(&as_json(&built, &client));
    } else {
        output::print(&text::built_images(&built, output::paint()));
    }
    Ok(())
}

/// Passes on to a driver what was said of registries, and to people what it writes.
fn told(driver: DockerfileDriver, registry: &RegistryArgs) -> DockerfileDriver {
    let mut driver = driver.with_listener(output::note);
    if let Some(file) = &registry.auth_file {
        driver = driver.with_auth_file(file);
    }
    if let Some(file) = &registry.ca_file {
        driver = driver.with_ca_file(file);
    }
    driver
}

fn images_file(args: &BuildArgs) -> Result<ImagesFile, Error> {
    let mut file = ImagesFile::load(&args.file)?;
    if let Some(bins) = &args.bins {
        file = file.with_bins(bins);
    }
    if let Some(prefix) = &args.prefix {
        file = file.with_registry(prefix)?;
    }
    Ok(file.with_platforms(&args.platform))
}

fn options(args: &BuildArgs) -> Result<BuildOptions, Error> {
    let directory = args.file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let env = |name: &str| std::env::var(name).ok();
    let revision = Revision::find(directory.unwrap_or(Path::new(".")), env)?;
    let mut options = BuildOptions::new(revision);
    options.cache = args.cache.into();
    options.cache_from.clone_from(&args.cache_from);
    options.jobs = args.jobs.unwrap_or(options.jobs);
    options.epoch = source_date_epoch(env("SOURCE_DATE_EPOCH").as_deref())?;
    options.push = args.pushes();
    options.oci_layout.clone_from(&args.oci_layout);
    options.cache_directory = args.cache_dir.clone().or_else(|| usual_cache(|name| std::env::var_os(name)));
    Ok(options)
}

/// Finds the directory that the user's caches are in.
fn usual_cache(env: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    caches.map(|caches| caches.join("cfgupdater"))
}

fn settings(args: &RegistryArgs) -> RegistrySettings {
    let mut settings = RegistrySettings::anonymous().with_retry_for(args.retry_for);
    settings = match &args.auth_file {
        Some(file) => settings.with_auth_file(file),
        None => settings.with_usual_logins(),
    };
    if let Some(file) = &args.ca_file {
        settings = settings.with_ca_file(file);
    }
    settings = args.plain_http.iter().fold(settings, RegistrySettings::with_plain_http);
    args.https.iter().fold(settings, RegistrySettings::with_https)
}

fn as_json(built: &[BuiltImage], client: &RegistryClient) -> Value {
    let image = |image: &BuiltImage| {
        let references = image.image();
        json!({
            "name": image.name,
            "service": image.service,
            "digest": references.digest,
            "tag": references.tag,
            "change": image.change.as_str(),
            "blobs_sent": image.blobs_sent,
            "bytes_sent": image.bytes_sent,
        })
    };
    let traffic = client.traffic();
    json!({
        "images": built.iter().map(image).collect::<Vec<_>>(),
        "registry": {"requests": traffic.requests, "sent": traffic.sent, "received": traffic.received},
    })
}

fn failure(error: &Error) -> Failure {
    let exit = match error.kind() {
        ErrorKind::Invalid => Exit::Usage,
        ErrorKind::Unavailable | ErrorKind::RateLimited | ErrorKind::TimedOut => Exit::Unavailable,
        _ => Exit::Failed,
    };
    Failure::new(exit, explain(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_remembered_where_caches_are() {
        let of = |set: &[(&str, &str)]| {
            usual_cache(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
        };
        assert_eq!(of(&[("HOME", "/h")]).unwrap(), Path::new("/h/.cache/cfgupdater"));
        assert_eq!(of(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/c")]).unwrap(), Path::new("/c/cfgupdater"));
        assert_eq!(of(&[("HOME", "relative")]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn scripts_can_tell_a_mistake_from_an_outage() {
        let exit = |kind| failure(&Error::new(kind, "x")).exit;
        assert_eq!(exit(ErrorKind::Invalid), Exit::Usage);
        assert_eq!(exit(ErrorKind::RateLimited), Exit::Unavailable);
        assert_eq!(exit(ErrorKind::Forbidden), Exit::Failed);
    }
}
