//! The child's side: what a supervised `tollgate store` or `tollgate local-llm` knows of its
//! parent.

use std::env;
use std::io::{self, Read};
use std::thread;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Holds the token that clients must show. Its presence says that there is a parent.
pub const TOKEN_VARIABLE: &str = "TOLLGATE_CHILD_TOKEN";
/// A child that has lost its parent and has not ended by itself after so long ends anyway.
const ORPHAN_TIMEOUT: Duration = Duration::from_secs(15);

/// The token that the parent set; `None` when this process was started by hand.
pub fn token() -> Option<String> {
    env::var(TOKEN_VARIABLE)
        .ok()
        .filter(|token| !token.is_empty())
}

/// Returns when this process should end: on SIGTERM or SIGINT and, in a supervised child, when
/// the parent closes our standard input or dies.
///
/// # Errors
/// When signals cannot be listened to.
pub async fn shutdown() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        ended = parent_gone(), if token().is_some() => ended?,
    }
    Ok(())
}

async fn parent_gone() -> io::Result<()> {
    let (gone, heard) = oneshot::channel();
    // A thread of its own: it must work even when the runtime is stuck.
    thread::Builder::new()
        .name("parent-watch".into())
        .spawn(move || {
            wait_for_end(io::stdin());
            let _ = gone.send(());
            thread::sleep(ORPHAN_TIMEOUT);
            std::process::abort();
        })?;
    let _ = heard.await;
    Ok(())
}

fn wait_for_end(mut from: impl Read) {
    let mut ignored = [0; 256];
    loop {
        match from.read(&mut ignored) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
