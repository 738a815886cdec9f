//! The on-prem model: llama.cpp behind the OpenAI and Anthropic wires.
//!
//! It knows HTTP and tokens and no policy: to the gate it is one more URL. It is meant to run as a
//! child process (`tollgate local-llm`), because C++ that parses model files can end a process,
//! and then only this one ends. [`serve`] is the whole of it.
//!
//! ```text
//!  POST /v1/chat/completions  openai     \
//!  POST /v1/completions       openai      > Request -> Engine::submit -> Generation -> events
//!  POST /v1/messages          anthropic  /                 |                ^
//!                                                    template, tokens       |
//!                                                          v                |
//!                                                        queue -> scheduler: one thread, slots
//!  GET /v1/models  /healthz  /metrics
//! ```
//!
//! `/healthz` and `/metrics` need no token; everything that text passes through does, if
//! [`Config::api_token`] is set.
//!
//! # What it never does
//! Text of a prompt or of an answer is not logged, counted into a label or kept: the types that
//! hold it have no `Debug`, errors quote nothing of a request, llama.cpp's messages are dropped
//! once the model has loaded, and a slot's keys and values go with its request. For the last
//! reason JSON schemas are refused too: llama.cpp prints a schema that it cannot convert to
//! stderr. `json_object` uses a grammar of our own.
//!
//! # What it does not do
//! Tool calls are not parsed out of answers; there are no log probabilities, images or embeddings.
//! No prefix of a prompt is kept for the next request.
//!
//! # Which CPUs
//! llama.cpp is compiled for x86-64 with SSE4.2, AVX, AVX2, FMA, F16C and BMI2 (any server since
//! 2013, Haswell and Zen), without AVX-512 and without OpenMP, and not for the building machine
//! (`GGML_NATIVE` is off unless `-C target-cpu=native` is in `RUSTFLAGS`): a binary can be moved.
//! On a CPU without these, [`LlamaEngine::load`] says so instead of dying of an illegal
//! instruction. On other architectures the compiler's baseline holds.
//!
//! # Speed
//! SmolLM2-135M Q4_1, llama.cpp 0.1.160, one core of an AMD EPYC, by CPU time: 237 prompt
//! tokens/s and 131 decode tokens/s for one sequence, 230 and 130 for four together
//! (`examples/throughput.rs`): on a CPU this quantisation lets slots share the speed and adds none.

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
