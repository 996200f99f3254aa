//! [`CommandRenderer`]: runs the repository's own entry points.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use cfgupdater_commands::{Ended, Job};
use cfgupdater_core::{
    Action, Error, ErrorKind, GitRepo, Intent, RenderFailure, RenderFailureKind, RenderRequest, Rendered,
    Renderer, explain,
};
use tokio::sync::oneshot;

use crate::directory::{Changes, Directory, Unusable};
use crate::remove::remove;

/// How much of the end of an output goes into a failure, in bytes.
const SAID: usize = 4 * 1024;

/// What is run, where, and within which limits.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CommandSettings {
    /// A directory of the renderer's own. What is in it is lost.
    pub scratch: PathBuf,
    /// What the entry points are given to: `make` unless it is set.
    pub command: Vec<String>,
    /// The entry point for new images. It gets `IMAGE_FILE=…`, `SET=…` and `WAVE=…` as further arguments.
    pub introduce: String,
    /// The entry point for a promotion. It gets the same, and `FROM=…` and `DEPLOYED_SHA=…`.
    pub promote: String,
    /// The entry point for everything else: rendering a tree as it stands.
    pub regenerate: String,
    /// How long a command may take.
    pub time: Duration,
    /// How much it may print, in bytes.
    pub output: u64,
    /// How much its files may take besides those of the tree, in bytes.
    pub disk: u64,
    /// What it may read besides its directory and where programs are, as far as the kernel can see to that.
    pub readable: Vec<PathBuf>,
    /// The command that runs [`keep`](cfgupdater_commands::keep); without one, what a command starts may outlive it.
    pub keeper: Vec<String>,
}

impl CommandSettings {
    /// Builds the settings of the reference architecture's make targets, with the default limits.
    pub fn new(scratch: PathBuf) -> Self {
        Self {
            scratch,
            command: vec!["make".to_owned()],
            introduce: "introduce_images".to_owned(),
            promote: "promote_images".to_owned(),
            regenerate: "regenerate".to_owned(),
            time: Duration::from_mins(2),
            output: 64 * 1024 * 1024,
            disk: 1024 * 1024 * 1024,
            readable: Vec::new(),
            keeper: Vec::new(),
        }
    }
}

/// Renders by running the repository's own commands in a directory that holds its files and no git.
///
/// The directory stays from one rendering to the next and only what differs is written. Only declared paths are taken
/// back; what else a command changes is undone and reported. It can write nowhere else where the kernel has Landlock,
/// sees none of the service's environment, and ends with everything it started.
#[derive(Debug)]
pub struct CommandRenderer {
    site: Arc<Site>,
}

/// What the steps of a rendering share.
#[derive(Debug)]
struct Site {
    repo: Arc<dyn GitRepo>,
    settings: CommandSettings,
    /// One at a time: a repository has one directory.
    turn: tokio::sync::Mutex<()>,
    directory: Mutex<Option<Directory>>,
}

impl CommandRenderer {
    /// Builds a renderer of one repository.
    pub fn new(repo: Arc<dyn GitRepo>, settings: CommandSettings) -> Self {
        let site = Site { repo, settings, turn: tokio::sync::Mutex::default(), directory: Mutex::default() };
        Self { site: Arc::new(site) }
    }
}

impl Site {
    async fn render(
        self: Arc<Self>,
        request: RenderRequest,
        mut gone: oneshot::Receiver<()>,
    ) -> Result<Rendered, RenderFailure> {
        let _turn = tokio::select! {
            turn = self.turn.lock() => turn,
            _ = &mut gone => return Err(environment("nobody waits for it any more".to_owned())),
        };
        let (this, asked) = (Arc::clone(&self), request.clone());
        let (directory, job) = blocking(move || this.prepare(&asked)).await?;
        let started = SystemTime::now();
        let given_up = async {
            // It says nothing but that its sender was dropped.
            let _ = gone.await;
        };
        let ended = cfgupdater_commands::run_until(&job, given_up).await;
        judge(&this_command(&self.settings, &job), ended, &|said| nameless(said, &job))?;
        let this = Arc::clone(&self);
        blocking(move || this.take_back(directory, &request, started)).await
    }

    /// Lays the tree out; the directory is dropped where that fails, and made anew the next time.
    fn prepare(&self, request: &RenderRequest) -> Result<(Directory, Job), RenderFailure> {
        let place = self.settings.scratch.join("files");
        let kept = self.directory.lock().unwrap_or_else(PoisonError::into_inner).take();
        // One that can't be moved may hold what is no longer in the repository.
        let moved = kept.and_then(|mut directory| {
            directory.move_to(&*self.repo, &request.tree).is_ok().then_some(directory)
        });
        let directory = if let Some(directory) = moved {
            directory
        } else {
            // What an earlier process left is nobody's.
            let _ = remove(&place);
            let made = Directory::lay_out(&*self.repo, &request.tree, &place);
            made.map_err(|error| not_laid_out(&error))?
        };
        let job = self.job(request, &directory)?;
        Ok((directory, job))
    }

    fn job(&self, request: &RenderRequest, directory: &Directory) -> Result<Job, RenderFailure> {
        let home = self.settings.scratch.join("home");
        let images = home.join("images.json");
        let mut command = self.settings.command.clone();
        command.extend(self.arguments(request.intent.as_ref(), &images.display().to_string()));
        let made = || {
            // What the command before left there must not be seen.
            remove(&home)?;
            std::fs::create_dir_all(home.join("tmp"))?;
            let file = request.intent.as_ref().map(|intent| serde_json::to_vec_pretty(&intent.images));
            file.transpose()?.map_or(Ok(()), |json| std::fs::write(&images, json))
        };
        let unwritable = |error: std::io::Error| {
            environment(format!("{} can't be written: {error}; look at its disk", home.display()))
        };
        made().map_err(unwritable)?;
        let mut job = Job::new(&command, &directory.path(), self.settings.time)
            .with_variable("TMPDIR", home.join("tmp").display().to_string());
        job.output = Some(self.settings.output);
        job.disk = Some(self.settings.disk.saturating_add(directory.size()));
        job.writable = vec![directory.path(), home.clone()];
        job.readable.clone_from(&self.settings.readable);
        job.keeper.clone_from(&self.settings.keeper);
        job.home = home;
        Ok(job)
    }

    fn arguments(&self, intent: Option<&Intent>, images: &str) -> Vec<String> {
        let Some(intent) = intent else { return vec![self.settings.regenerate.clone()] };
        let mut given = vec![
            format!("IMAGE_FILE={images}"),
            format!("SET={}", intent.set),
            format!("WAVE={}", intent.wave),
        ];
        let entry = match &intent.action {
            Action::Introduce { .. } => &self.settings.introduce,
            Action::Promote { from, config_sha, .. } => {
                given.extend([format!("FROM={from}"), format!("DEPLOYED_SHA={config_sha}")]);
                &self.settings.promote
            }
            _ => return vec![self.settings.regenerate.clone()],
        };
        given.insert(0, entry.clone());
        given
    }

    /// Takes back what was generated, and keeps the directory for the next time.
    fn take_back(
        &self,
        mut directory: Directory,
        request: &RenderRequest,
        started: SystemTime,
    ) -> Result<Rendered, RenderFailure> {
        let taken = directory.take_back(&*self.repo, &request.generated, started, self.settings.disk);
        let changes = taken.and_then(|changes| {
            directory.accept(&*self.repo, &changes.edits)?;
            Ok(changes)
        });
        let Changes { edits, strays } = changes.map_err(|unusable| self.unusable(unusable))?;
        *self.directory.lock().unwrap_or_else(PoisonError::into_inner) = Some(directory);
        Ok(Rendered::new(edits).with_strays(&strays))
    }

    fn unusable(&self, unusable: Unusable) -> RenderFailure {
        match unusable {
            Unusable::Refused(why) => RenderFailure::new(
                RenderFailureKind::Refused,
                format!("what `{}` made is not taken: {why}", self.settings.command.join(" ")),
            ),
            Unusable::Backend(error) => environment(explain(&error)),
            Unusable::Disk(error) => environment(format!("the renderer's directory can't be read: {error}")),
        }
    }
}

#[async_trait]
impl Renderer for CommandRenderer {
    fn identity(&self) -> String {
        let CommandSettings { command, introduce, promote, regenerate, .. } = &self.site.settings;
        format!("command {:?}", (command, introduce, promote, regenerate))
    }

    async fn render(&self, request: &RenderRequest) -> Result<Rendered, RenderFailure> {
        // Whoever waits may go away in the middle of it. Then it is ended, and only after that comes the next one's turn.
        let (_waiting, gone) = oneshot::channel::<()>();
        let (site, request) = (Arc::clone(&self.site), request.clone());
        let ended = tokio::spawn(async move { site.render(request, gone).await }).await;
        ended.unwrap_or_else(|error| Err(environment(format!("rendering was interrupted: {error}"))))
    }
}

/// Names a command by its entry point: what else it got are paths of this place.
fn this_command(settings: &CommandSettings, job: &Job) -> String {
    job.command[..job.command.len().min(settings.command.len() + 1)].join(" ")
}

/// Leaves out where the directories of this place are: an output becomes evidence that everybody can read.
fn nameless(said: &str, job: &Job) -> String {
    said.replace(&*job.directory.to_string_lossy(), ".").replace(&*job.home.to_string_lossy(), "$HOME")
}

/// Turns every end but a good one into a failure.
fn judge(command: &str, ended: Ended, nameless: &dyn Fn(&str) -> String) -> Result<(), RenderFailure> {
    let failure = |kind, what: String, output: &str| {
        RenderFailure::new(kind, format!("`{command}` {what}{}", quoted(&nameless(output))))
    };
    match ended {
        Ended::Passed { .. } => Ok(()),
        // What shells say of a program that isn't there, or can't be run.
        Ended::Failed { output, how, code: Some(126 | 127) } => {
            let what = format!("failed ({how}), as where a program is missing; install it");
            Err(failure(RenderFailureKind::Environment, what, &output))
        }
        Ended::Failed { output, how, .. } => {
            Err(failure(RenderFailureKind::Tree, format!("failed ({how})"), &output))
        }
        Ended::Stopped { output, how } => {
            Err(failure(RenderFailureKind::Limit, format!("was stopped: {how}"), &output))
        }
        Ended::NotStarted { why } => {
            Err(environment(format!("{why}; install it, or name another command for this repository")))
        }
    }
}

/// Returns the end of an output as it goes into a sentence, without what a terminal would obey.
fn quoted(output: &str) -> String {
    let from = output.len().saturating_sub(SAID);
    let from = (from..=output.len()).find(|at| output.is_char_boundary(*at)).unwrap_or(from);
    let plain: String = output[from..].chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    let mut said = String::new();
    if !plain.trim().is_empty() {
        // Writing to a text can't fail.
        let _ = write!(said, "; the end of its output:\n{}", plain.trim_end());
    }
    said
}

fn not_laid_out(error: &Error) -> RenderFailure {
    let kind = match error.kind() {
        ErrorKind::Invalid => RenderFailureKind::Tree,
        _ => RenderFailureKind::Environment,
    };
    RenderFailure::new(kind, explain(error))
}

fn environment(message: String) -> RenderFailure {
    RenderFailure::new(RenderFailureKind::Environment, message)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RenderFailure> + Send + 'static,
) -> Result<T, RenderFailure> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.unwrap_or_else(|error| Err(environment(format!("rendering was interrupted: {error}"))))
}
