//! The on-prem model.
mod anthropic;
mod config;
mod engine;
mod error;
mod gguf;
mod llama;
mod logging;
mod openai;
mod request;
mod sampler;
mod scheduler;
mod serve;
mod stats;
mod template;
#[cfg(test)]
mod testing;
mod text;
mod wire;

pub use config::{Config, Secret};
pub use engine::{Engine, Generation};
pub use error::Error;
pub use gguf::{ModelInfo, inspect_model};
pub use llama::LlamaEngine;
pub use request::{
    Done, Event, Finish, Format, Message, Prompt, Refusal, Request, Role, Sampling, ToolCall, Usage,
};
pub use serve::{serve, serve_engine};
pub use stats::Stats;
