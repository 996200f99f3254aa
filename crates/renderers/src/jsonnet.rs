//! [`JsonnetRenderer`]: turns declared entry files into generated ones, as `jsonnet --string --multi` does.
//!
//! Each entry evaluates to an object: file name -> the text of that file, to which a line feed is added. How the text is made
//! is the repository's choice, by `std.manifestYamlDoc` for example. Evaluation has no way to be interrupted and takes what
//! memory it wants, so it happens in a process of its own: the same program, started again to run [`serve`]. It has no files; what
//! is imported it asks for, and gets it from the tree that is rendered.

mod evaluate;
mod link;
mod memo;
mod renderer;
mod settings;
mod sources;
mod waiting;
mod worker;

pub use renderer::JsonnetRenderer;
pub use settings::{JsonnetEntry, JsonnetSettings};
pub use worker::serve;
