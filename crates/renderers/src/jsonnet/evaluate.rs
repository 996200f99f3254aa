//! Evaluates one entry with jrsonnet, importing through the other side alone.

use std::any::Any;
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use jrsonnet_evaluator::error::{Error, ErrorKind, Result};
use jrsonnet_evaluator::function::CallLocation;
use jrsonnet_evaluator::trace::{CompactFormat, PathResolver, TraceFormat};
use jrsonnet_evaluator::{IStr, ImportResolver, State, Val, stack};
use jrsonnet_gcmodule::Trace;
use jrsonnet_parser::{SourceFile, SourcePath};
use jrsonnet_stdlib::{ContextInitializer, TracePrinter};

use super::link::Task;
use super::sources::candidates;
use super::worker::Asker;

/// Imports from the tree that is rendered, and from nowhere else.
#[derive(Trace)]
struct Imports {
    #[trace(skip)]
    asker: Rc<RefCell<Asker>>,
    #[trace(skip)]
    libraries: Vec<String>,
    /// What was found, until it is loaded.
    #[trace(skip)]
    found: RefCell<std::collections::HashMap<PathBuf, Vec<u8>>>,
}

impl Imports {
    fn find(&self, from: Option<&str>, wanted: &str) -> Result<SourcePath> {
        let refused = |why: String| Error::from(ErrorKind::RuntimeError(why.into()));
        for candidate in candidates(from, wanted, &self.libraries).map_err(refused)? {
            let path = PathBuf::from(&candidate);
            let known = self.found.borrow().contains_key(&path);
            if !known {
                let answer = self.asker.borrow_mut().want(&candidate);
                let Some(content) = answer.map_err(|error| refused(error.to_string()))? else { continue };
                self.found.borrow_mut().insert(path.clone(), content);
            }
            return Ok(SourcePath::new(SourceFile::new(path)));
        }
        Err(refused(format!(
            "`{wanted}` is not in the repository, neither beside the importing file nor in a library"
        )))
    }
}

impl ImportResolver for Imports {
    fn resolve_from(&self, from: &SourcePath, path: &str) -> Result<SourcePath> {
        let from = from.path().map(|path| path.to_string_lossy().into_owned());
        self.find(from.as_deref(), path)
    }

    fn load_file_contents(&self, resolved: &SourcePath) -> Result<Vec<u8>> {
        let path = resolved.path().map(PathBuf::from).unwrap_or_default();
        let unknown =
            || Error::from(ErrorKind::RuntimeError("a file was loaded that was never found".into()));
        self.found.borrow().get(&path).cloned().ok_or_else(unknown)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// Traces of people's debugging go nowhere: standard output is spoken for.
struct Silent;

impl TracePrinter for Silent {
    fn print_trace(&self, _: CallLocation<'_>, _: IStr) {}
}

/// Evaluates an entry and hands its files over.
pub(super) fn evaluate(task: &Task, asker: &Rc<RefCell<Asker>>) -> std::result::Result<(), String> {
    let _limit = stack::limit_stack_depth(task.stack);
    let context = ContextInitializer::new(PathResolver::Absolute);
    context.settings_mut().trace_printer = Box::new(Silent);
    let imports =
        Imports { asker: Rc::clone(asker), libraries: task.libraries.clone(), found: RefCell::default() };
    let mut builder = State::builder();
    builder.import_resolver(imports).context_initializer(context);
    let state = builder.build();
    files(&state, task, asker).map_err(|error| match error {
        Stopped::Jsonnet(error) => {
            let format = CompactFormat { resolver: PathResolver::Absolute, max_trace: 12, padding: 2 };
            format.format(&error).unwrap_or_else(|_| error.error().to_string())
        }
        Stopped::Said(why) => format!("{}: {why}", task.entry),
    })
}

enum Stopped {
    Jsonnet(Error),
    Said(String),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Jsonnet(error)
    }
}

fn files(state: &State, task: &Task, asker: &Rc<RefCell<Asker>>) -> std::result::Result<(), Stopped> {
    let said = |why: &str| Stopped::Said(why.to_owned());
    let path = state.resolve_from(&SourcePath::default(), &task.entry)?;
    let value = state.import_resolved(path)?;
    let Val::Obj(object) = value else {
        return Err(said("it must evaluate to an object of file names and texts"));
    };
    for name in object.fields() {
        let Some(Val::Str(text)) = object.get(name.clone())? else {
            return Err(Stopped::Said(format!(
                "the value of `{name}` is no text; make one of it, by std.manifestYamlDoc for example"
            )));
        };
        let handed = asker.borrow_mut().made(&name, &text.into_flat());
        handed.map_err(|error| Stopped::Said(error.to_string()))?;
    }
    Ok(())
}
