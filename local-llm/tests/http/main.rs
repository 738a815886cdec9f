//! The real model over real HTTP: one server for the whole binary, on a free port.

mod anthropic;
mod lifecycle;
mod openai;
mod refusals;
mod server;
