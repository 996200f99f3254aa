//! Keeps what a command starts together, and ends it with the command.

fn main() -> std::process::ExitCode {
    cfgupdater_commands::keep()
}
