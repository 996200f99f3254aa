//! The process that evaluates.

use std::cell::RefCell;
use std::io::{self, BufReader, BufWriter, Stdin, Stdout, Write};
use std::process::ExitCode;
use std::rc::Rc;

use super::evaluate::evaluate;
use super::link::{Task, letter, read, write};

/// The other side.
pub(super) struct Asker {
    input: BufReader<Stdin>,
    output: BufWriter<Stdout>,
}

impl Asker {
    /// Asks for a file.
    pub(super) fn want(&mut self, path: &str) -> io::Result<Option<Vec<u8>>> {
        write(&mut self.output, letter::WANT, path.as_bytes())?;
        self.output.flush()?;
        match read(&mut self.input)? {
            Some((letter::CONTENT, content)) => Ok(Some(content)),
            Some((letter::ABSENT, _)) => Ok(None),
            _ => Err(io::Error::other("the renderer answered something else")),
        }
    }

    /// Hands a file over.
    pub(super) fn made(&mut self, name: &str, text: &str) -> io::Result<()> {
        write(&mut self.output, letter::NAME, name.as_bytes())?;
        write(&mut self.output, letter::TEXT, text.as_bytes())
    }
}

/// Evaluates what a [`JsonnetRenderer`](super::JsonnetRenderer) asks for over standard input and output, until it hangs up.
/// Programs that render Jsonnet call this when they are started as its worker.
pub fn serve() -> ExitCode {
    end_with_the_renderer();
    let asker = Asker { input: BufReader::new(io::stdin()), output: BufWriter::new(io::stdout()) };
    match serve_all(&Rc::new(RefCell::new(asker))) {
        Ok(()) => ExitCode::SUCCESS,
        // The renderer sees that its worker is gone.
        Err(_) => ExitCode::FAILURE,
    }
}

/// However the renderer ends, an evaluation without end must not go on after it.
fn end_with_the_renderer() {
    #[cfg(target_os = "linux")]
    // Where it can't be had there is the limit of processor time.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
}

fn serve_all(asker: &Rc<RefCell<Asker>>) -> io::Result<()> {
    loop {
        let asked = read(&mut asker.borrow_mut().input)?;
        let Some((letter::TASK, task)) = asked else { return Ok(()) };
        let task: Task = serde_json::from_slice(&task)?;
        let ended = evaluate(&task, asker);
        let output = &mut asker.borrow_mut().output;
        match ended {
            Ok(()) => write(output, letter::DONE, b"")?,
            Err(why) => write(output, letter::ERROR, why.as_bytes())?,
        }
        output.flush()?;
    }
}
