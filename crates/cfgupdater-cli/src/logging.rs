//! Where log lines go, and which.

use std::io;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// The variable that says which log lines are wanted, as `RUST_LOG` does elsewhere: `debug`, `warn,cfgupdater=trace`.
const VARIABLE: &str = "CFGUPDATER_LOG";

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One object a line, for programs.
    Json,
}

/// Sends log lines to standard error.
pub(crate) fn to_stderr(format: LogFormat) {
    match format {
        LogFormat::Text => to(io::stderr, io::IsTerminal::is_terminal(&io::stderr())),
        LogFormat::Json => {
            tracing_subscriber::fmt().json().with_env_filter(filter()).with_writer(io::stderr).init();
        }
    }
}

/// Sends log lines for people to a writer.
pub(crate) fn to(writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static, colours: bool) {
    tracing_subscriber::fmt().with_env_filter(filter()).with_ansi(colours).with_writer(writer).init();
}

fn filter() -> EnvFilter {
    EnvFilter::builder()
        .with_default_directive(tracing::level_filters::LevelFilter::INFO.into())
        .with_env_var(VARIABLE)
        .from_env_lossy()
}
