//! What goes between the renderer and the process that evaluates: a letter, a length and that many bytes.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

/// No message is longer.
const LONGEST: u32 = 256 * 1024 * 1024;

/// What shall be evaluated.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Task {
    pub(super) entry: String,
    pub(super) libraries: Vec<String>,
    pub(super) stack: usize,
}

/// The letters.
pub(super) mod letter {
    /// To the evaluator: a [`Task`](super::Task).
    pub(in super::super) const TASK: u8 = b'T';
    /// To the evaluator: the content of the file it asked for.
    pub(in super::super) const CONTENT: u8 = b'C';
    /// To the evaluator: there is no such file.
    pub(in super::super) const ABSENT: u8 = b'A';
    /// To the renderer: the path of a file that is wanted.
    pub(in super::super) const WANT: u8 = b'W';
    /// To the renderer: the name of a file that was made; its text follows.
    pub(in super::super) const NAME: u8 = b'N';
    /// To the renderer: the text of the file named before.
    pub(in super::super) const TEXT: u8 = b'X';
    /// To the renderer: the task is done.
    pub(in super::super) const DONE: u8 = b'D';
    /// To the renderer: the task failed, and how.
    pub(in super::super) const ERROR: u8 = b'E';
}

/// Writes one message.
pub(super) fn write(to: &mut impl Write, letter: u8, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::Error::other("the message is too long"))?;
    to.write_all(&[letter])?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(bytes)
}

/// Reads one message; `None` at the end.
pub(super) fn read(from: &mut impl Read) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut letter = [0];
    if from.read(&mut letter)? == 0 {
        return Ok(None);
    }
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > LONGEST {
        return Err(io::Error::other("the message is too long"));
    }
    let mut bytes = Vec::new();
    from.take(u64::from(length)).read_to_end(&mut bytes)?;
    if bytes.len() < length as usize {
        Err(io::ErrorKind::UnexpectedEof.into())
    } else {
        Ok(Some((letter[0], bytes)))
    }
}
