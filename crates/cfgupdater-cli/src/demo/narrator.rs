//! [`Narrator`]: prints what happens, each line with the seconds since the beginning.

use std::time::Instant;

use crate::client::Logged;
use crate::output;
use crate::text::{self, Colour, Paint};

/// Prints what happens; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Narrator {
    started: Instant,
    paint: Paint,
}

impl Narrator {
    /// Starts the clock.
    pub(super) fn start(paint: Paint) -> Self {
        Self { started: Instant::now(), paint }
    }

    /// Begins a part of the story.
    pub(super) fn chapter(&self, title: &str) {
        output::print(&format!("\n{}", self.paint.apply(Some(Colour::Strong), title)));
    }

    /// Tells one thing that happened.
    pub(super) fn say(&self, word: &str, colour: Option<Colour>, rest: &str) {
        let seconds = format!("{:5.1}s", self.started.elapsed().as_secs_f32());
        let word = self.paint.apply(colour, &format!("{word:<9}"));
        output::print(&format!("  {}  {word}  {rest}", self.paint.apply(Some(Colour::Faint), &seconds)));
    }

    /// Tells what the service recorded.
    pub(super) fn recorded(&self, item: &Logged) {
        let (word, colour, rest) = text::transition(&item.record);
        self.say(word, colour, &rest);
    }
}
