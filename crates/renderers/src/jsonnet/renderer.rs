//! The side that has the repository.

use std::io::{BufReader, BufWriter, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use async_trait::async_trait;
use cfgupdater_core::{
    BlobId, Error, GitRepo, RenderFailure, RenderFailureKind, RenderRequest, Rendered, Renderer, TreeEdit,
    TreeId, explain,
};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::link::{Task, letter, read, write};
use super::memo::{Memo, file};
use super::settings::{JsonnetEntry, JsonnetSettings};
use super::waiting::{Evaluation, Waiting};

/// Renders by evaluating Jsonnet.
#[derive(Debug)]
pub struct JsonnetRenderer {
    site: Arc<Site>,
}

#[derive(Debug)]
struct Site {
    repo: Arc<dyn GitRepo>,
    settings: JsonnetSettings,
    /// The last evaluation of each entry; held while one is under way, so that there is one at a time.
    memos: Mutex<Vec<Memo>>,
}

impl JsonnetRenderer {
    /// Builds a renderer of one repository.
    pub fn new(repo: Arc<dyn GitRepo>, settings: JsonnetSettings) -> Self {
        let memos = Mutex::new(vec![Memo::default(); settings.entries.len()]);
        Self { site: Arc::new(Site { repo, settings, memos }) }
    }
}

#[async_trait]
impl Renderer for JsonnetRenderer {
    fn identity(&self) -> String {
        let JsonnetSettings { entries, libraries, stack, .. } = &self.site.settings;
        format!("jsonnet 0.5.0-pre97 {:?}", (entries, libraries, stack))
    }

    async fn render(&self, request: &RenderRequest) -> Result<Rendered, RenderFailure> {
        let waiting = Waiting::default();
        let (site, tree, evaluation) = (Arc::clone(&self.site), request.tree, waiting.evaluation());
        let ended = tokio::task::spawn_blocking(move || site.render(&tree, &evaluation)).await;
        ended.unwrap_or_else(|error| Err(environment(format!("rendering was interrupted: {error}"))))
    }
}

impl Site {
    fn render(&self, tree: &TreeId, evaluation: &Evaluation) -> Result<Rendered, RenderFailure> {
        let mut memos = self.memos.lock().unwrap_or_else(PoisonError::into_inner);
        let mut worker = None;
        let mut edits: Vec<TreeEdit> = Vec::new();
        let mut left = self.settings.output;
        for (entry, memo) in self.settings.entries.iter().zip(memos.iter_mut()) {
            let reused = memo.reused(&*self.repo, tree, entry).map_err(|error| unreadable(&error))?;
            if let Some(reused) = reused {
                edits.extend(reused);
                continue;
            }
            if evaluation.is_given_up() {
                return Err(environment("nobody waits for it any more".to_owned()));
            }
            let worker = match &mut worker {
                Some(worker) => worker,
                none => none.insert(Worker::start(&self.settings, evaluation)?),
            };
            *memo = self.evaluate(tree, entry, worker, &mut left)?;
            edits.extend(memo.edits(&*self.repo, tree, entry).map_err(|error| unreadable(&error))?);
        }
        Ok(Rendered::new(edits))
    }

    fn evaluate(
        &self,
        tree: &TreeId,
        entry: &JsonnetEntry,
        worker: &mut Worker,
        left: &mut u64,
    ) -> Result<Memo, RenderFailure> {
        let task = Task {
            entry: entry.file.to_string(),
            libraries: self.settings.libraries.iter().map(ToString::to_string).collect(),
            stack: self.settings.stack,
        };
        let task = serde_json::to_vec(&task).map_err(|error| environment(error.to_string()))?;
        worker.say(letter::TASK, &task);
        let (mut memo, mut name) = (Memo::default(), String::new());
        loop {
            let (letter, bytes) = worker.hear(entry)?;
            let text = || String::from_utf8_lossy(&bytes).into_owned();
            match letter {
                letter::WANT => self.answer(tree, text(), worker, &mut memo)?,
                letter::NAME => name = text(),
                letter::TEXT => {
                    // A line feed after each text, as `jsonnet --string --multi` has it.
                    self.keep(entry, &name, &[bytes.as_slice(), b"\n"].concat(), left, &mut memo)?;
                }
                letter::DONE => return Ok(memo),
                letter::ERROR => return Err(RenderFailure::new(RenderFailureKind::Tree, text())),
                _ => {
                    return Err(environment(
                        "the worker that evaluates Jsonnet said something else".to_owned(),
                    ));
                }
            }
        }
    }

    fn answer(
        &self,
        tree: &TreeId,
        path: String,
        worker: &mut Worker,
        memo: &mut Memo,
    ) -> Result<(), RenderFailure> {
        let found = file(&*self.repo, tree, &path).map_err(|error| unreadable(&error))?;
        memo.asked(path, found);
        match found {
            Some(id) => {
                let content = self.repo.blob(&BlobId::new(id)).map_err(|error| unreadable(&error))?;
                worker.say(letter::CONTENT, &content);
            }
            None => worker.say(letter::ABSENT, b""),
        }
        Ok(())
    }

    fn keep(
        &self,
        entry: &JsonnetEntry,
        name: &str,
        text: &[u8],
        left: &mut u64,
        memo: &mut Memo,
    ) -> Result<(), RenderFailure> {
        let limit = self.settings.output;
        *left = left.checked_sub(text.len() as u64).ok_or_else(|| {
            let message = format!("{} makes more than {limit} bytes", entry.file);
            RenderFailure::new(RenderFailureKind::Limit, message)
        })?;
        let path = entry.directory.join(name).map_err(|error| {
            let message = format!("{} makes a file of a name that can't be one: {error}", entry.file);
            RenderFailure::new(RenderFailureKind::Tree, message)
        })?;
        memo.made(path, self.repo.write_blob(text).map_err(|error| unreadable(&error))?);
        Ok(())
    }
}

/// The process that evaluates; ended when its time is over, and when dropped.
struct Worker {
    child: Arc<Mutex<Child>>,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
    late: Arc<AtomicBool>,
    /// Tells the one who watches the clock that it is over.
    _over: mpsc::Sender<()>,
    limits: String,
    time: String,
}

impl Worker {
    fn start(settings: &JsonnetSettings, evaluation: &Evaluation) -> Result<Self, RenderFailure> {
        let (program, arguments) = settings
            .worker
            .split_first()
            .ok_or_else(|| environment("no worker is configured that could evaluate Jsonnet".to_owned()))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let started = command.spawn();
        let mut child = started.map_err(|error| {
            environment(format!("`{program}`, which evaluates Jsonnet, can't be started: {error}"))
        })?;
        bound(&child, settings);
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(environment(format!("`{program}` has no standard input and output")));
        };
        let (child, late) = (Arc::new(Mutex::new(child)), Arc::new(AtomicBool::new(false)));
        evaluation.runs_in(&child);
        let (over, ended) = mpsc::channel::<()>();
        let (watched, flag, time) = (Arc::clone(&child), Arc::clone(&late), settings.time);
        std::thread::spawn(move || {
            if ended.recv_timeout(time) == Err(mpsc::RecvTimeoutError::Timeout) {
                flag.store(true, Ordering::Release);
                end(&watched);
            }
        });
        Ok(Self {
            child,
            input: BufWriter::new(input),
            output: BufReader::new(output),
            late,
            _over: over,
            limits: format!("{} MiB of memory", settings.memory / (1024 * 1024)),
            time: format!("{} s", settings.time.as_secs()),
        })
    }

    fn say(&mut self, letter: u8, bytes: &[u8]) {
        // One that is gone is noticed when it is listened to.
        let _ = write(&mut self.input, letter, bytes).and_then(|()| self.input.flush());
    }

    fn hear(&mut self, entry: &JsonnetEntry) -> Result<(u8, Vec<u8>), RenderFailure> {
        let heard = read(&mut self.output);
        if let Ok(Some(message)) = heard {
            return Ok(message);
        }
        let message = if self.late.load(Ordering::Acquire) {
            format!("evaluating {} took longer than {}", entry.file, self.time)
        } else {
            format!("evaluating {} took more than {}, or broke down", entry.file, self.limits)
        };
        Err(RenderFailure::new(RenderFailureKind::Limit, message))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        end(&self.child);
    }
}

fn end(child: &Mutex<Child>) {
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    // It may have ended by itself; either way it is waited for.
    let _ = child.kill();
    let _ = child.wait();
}

/// Bounds what it takes, also where nobody is left to look at the clock: it computes on one thread, so it can't need more
/// processor time than time.
fn bound(child: &Child, settings: &JsonnetSettings) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let limit = |most| Rlimit { current: Some(most), maximum: Some(most) };
    // It fails for one that has ended already.
    let _ = prlimit(pid, Resource::As, limit(settings.memory));
    let _ = prlimit(pid, Resource::Cpu, limit(settings.time.as_secs() + 2));
    let _ = prlimit(pid, Resource::Core, limit(0));
}

fn unreadable(error: &Error) -> RenderFailure {
    environment(explain(error))
}

fn environment(message: String) -> RenderFailure {
    RenderFailure::new(RenderFailureKind::Environment, message)
}
