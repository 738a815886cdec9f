//! Where log lines go: to standard error, as RUST_LOG asks.

use crate::args::Command;
use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;

/// Starts logging. Without RUST_LOG, the commands that run for long tell what they do; the others
/// only what is wrong.
pub fn start(command: &Command) {
    let runs_for_long = matches!(
        command,
        Command::Serve(_) | Command::Store(_) | Command::LocalLlm(_)
    );
    let usual = if runs_for_long { "info" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
}
