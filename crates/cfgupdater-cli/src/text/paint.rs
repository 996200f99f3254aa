//! [`Paint`]: colours, or none.

/// What a colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// It went well.
    Good,
    /// It went wrong.
    Bad,
    /// It isn't decided.
    Open,
    /// It matters less.
    Faint,
    /// It begins something.
    Strong,
}

/// Colours texts, if the reader can see colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint {
    enabled: bool,
}

impl Paint {
    pub(crate) fn new(enabled: bool) -> Self {
        Self { enabled }
    }

    /// Tells whether texts are coloured.
    pub(crate) fn is_enabled(self) -> bool {
        self.enabled
    }

    /// Colours a text.
    pub(crate) fn apply(self, colour: Option<Colour>, text: &str) -> String {
        let Some(colour) = colour.filter(|_| self.enabled && !text.trim().is_empty()) else {
            return text.to_owned();
        };
        let code = match colour {
            Colour::Good => 32,
            Colour::Bad => 31,
            Colour::Open => 33,
            Colour::Faint => 2,
            Colour::Strong => 1,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Returns the colour of a verdict, a report's status or an intent's end.
pub(crate) fn colour_of(word: &str) -> Option<Colour> {
    match word {
        "green" | "succeeded" | "landed" | "subsumed" => Some(Colour::Good),
        "red" | "failed" | "evicted" | "refused" => Some(Colour::Bad),
        "pending" | "missing" | "superseded" | "withdrawn" => Some(Colour::Open),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_nothing_is_added() {
        assert_eq!(Paint::new(false).apply(Some(Colour::Good), "green"), "green");
        assert_eq!(Paint::new(true).apply(None, "x"), "x");
        assert_eq!(Paint::new(true).apply(Some(Colour::Good), "green"), "\x1b[32mgreen\x1b[0m");
    }
}
