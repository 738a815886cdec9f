//! `tollgate local-llm`: the on-prem model in a process of its own.

use crate::args::LocalLlmArgs;
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use crate::listen;
use crate::runtime::Runtime;
use crate::setup;
use crate::supervise::child;
use tollgate_local_llm as engine;

/// Its name as a supervised child: `tollgate local-llm`, `run/local-llm.json`.
pub const NAME: &str = "local-llm";

/// Serves the model until it is told to stop.
///
/// # Errors
/// When the model is not set up or cannot be used, or the address is taken.
pub fn run(args: &LocalLlmArgs, config: &Config) -> Outcome {
    let chosen = &config.local_llm;
    let named = args.model.clone().or_else(|| {
        let model = &chosen.model;
        (!model.as_os_str().is_empty()).then(|| model.clone())
    });
    let model = match named {
        Some(model) => model,
        None => {
            let runtime = Runtime::locate();
            setup::ready(&runtime, &["smollm2"]).map_err(Failure::new)?;
            runtime.local_model()
        }
    };
    let token = listen::token(args.token.as_deref())?;
    let listener = listen::bind("--listen", args.listen, token.is_some())?;
    let settings = engine::Config {
        model,
        name: chosen.name.clone(),
        context_tokens: chosen.context_tokens,
        slots: chosen.slots,
        queue_max: chosen.queue_max,
        threads: args.threads.map_or(chosen.threads, u32::from),
        api_token: token.map(engine::Secret::new),
        ..engine::Config::default()
    };
    settings.validate().map_err(Failure::usage)?;
    let ready = |address, _: &engine::ModelInfo| tracing::info!(%address, "the model listens");
    let stop = async { child::shutdown().await.unwrap_or_default() };
    listen::runtime()?.block_on(engine::serve(settings, listener, ready, stop))?;
    Ok(())
}
