//! The command line of a benchmark: `--name value`, numbers only.

use crate::Result;

/// The options that were given.
#[derive(Debug)]
pub struct Options(Vec<(String, String)>);

impl Options {
    /// Reads the command line of this process.
    ///
    /// # Errors
    /// Fails on an option that is not among `known`, or that has no value.
    pub fn read(known: &[&str]) -> Result<Self> {
        let mut given = Vec::new();
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let name = argument.strip_prefix("--").filter(|name| known.contains(name));
            let known = || format!("unknown argument `{argument}`; there are: --{}", known.join(" N, --"));
            let name = name.ok_or_else(known)?.to_owned();
            let value = arguments.next().ok_or_else(|| format!("--{name} needs a value"))?;
            given.push((name, value));
        }
        Ok(Self(given))
    }

    /// Returns a list of numbers.
    ///
    /// # Errors
    /// Fails where the value isn't one.
    pub fn numbers(&self, name: &str, default: &[u32]) -> Result<Vec<u32>> {
        let Some((_, value)) = self.0.iter().rfind(|(given, _)| given == name) else {
            return Ok(default.to_vec());
        };
        let number = |text: &str| match text.trim().parse() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(format!("--{name} {value}: expected numbers above zero, separated by commas").into()),
        };
        value.split(',').map(number).collect()
    }

    /// Returns a number.
    ///
    /// # Errors
    /// Fails where the value isn't one.
    pub fn number(&self, name: &str, default: u32) -> Result<u32> {
        match self.numbers(name, &[default])?[..] {
            [number] => Ok(number),
            _ => Err(format!("--{name} takes one number").into()),
        }
    }
}
