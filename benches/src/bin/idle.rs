//! `cargo xtask bench idle`: how much memory the service holds while nothing happens.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

use cfgupdater_benches::announcements::Build;
use cfgupdater_benches::options::Options;
use cfgupdater_benches::resident::Resident;
use cfgupdater_benches::server::Server;
use cfgupdater_benches::{Result, config_repository, machine};

const HEAD: &str = "\
idle: resident memory of `cfgupdater serve` with one repository, while it does nothing
Quiet means that neither it nor a process it started spent processor time for 5 s. 1 MB is 1,000,000 bytes.
RssFile is mapped files, such as packs and the program itself: the system takes those pages back when it needs them.
";

fn main() -> Result<()> {
    let options = Options::read(&["files", "announcements"])?;
    let announcements = options.number("announcements", 50)?;
    println!("{HEAD}{}", machine::describe());
    for files in options.numbers("files", &[100_000])? {
        measure(files, announcements)?;
    }
    Ok(())
}

fn measure(files: u32, announcements: u32) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let repository = scratch.path().join("cfg-app.git");
    config_repository::generate(&repository, files)?;
    println!("\n{files} files");
    let server = Server::start(&repository)?;
    server.wait_until_quiet()?;
    println!("{:<42}{}", "quiet after the start", Resident::of(server.process())?);
    for build in 1..=announcements {
        server.announce(Build(build))?;
    }
    println!("{:<42}{}", format!("after {announcements} announcements"), Resident::of(server.process())?);
    server.wait_until_quiet()?;
    println!("{:<42}{}", "quiet again", Resident::of(server.process())?);
    Ok(())
}
