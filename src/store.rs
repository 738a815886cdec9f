//! `tollgate store`: the embedded analytics store in a process of its own.

use crate::args::StoreArgs;
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use crate::listen;
use crate::runtime::Runtime;
use crate::setup;
use crate::supervise::child;
use tollgate_analytics::store::{self, serve_store};

/// Its name as a supervised child: `tollgate store`, `run/store.json`.
pub const NAME: &str = "store";

/// Serves the store until it is told to stop.
///
/// # Errors
/// When the engine is not set up, the address is taken, or the directory cannot be opened.
pub fn run(args: &StoreArgs, config: &Config) -> Outcome {
    let runtime = Runtime::locate();
    setup::ready(&runtime, &["chdb"]).map_err(Failure::new)?;
    let directory = args
        .dir
        .clone()
        .unwrap_or_else(|| config.data.dir.join("store"));
    let mut settings = store::Config::new(runtime.chdb(), directory);
    settings.token = listen::token(args.token.as_deref())?;
    let listener = listen::bind("--listen", args.listen, settings.token.is_some())?;
    tracing::info!(address = %args.listen, "the store listens");
    let stop = async { child::shutdown().await.unwrap_or_default() };
    listen::runtime()?.block_on(serve_store(settings, listener, stop))?;
    Ok(())
}
