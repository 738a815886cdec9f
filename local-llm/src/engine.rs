//! What the HTTP side asks of an engine, so that another can take llama.cpp's place.

use crate::gguf::ModelInfo;
use crate::request::{Event, Refusal, Request};
use crate::stats::Stats;
use tokio::sync::mpsc::UnboundedReceiver;

/// Generates text.
pub trait Engine: Send + Sync + 'static {
    /// The model that answers.
    fn model(&self) -> &ModelInfo;

    /// Tokens that one request may hold.
    fn context_tokens(&self) -> u32;

    /// Takes a request on. Rendering and tokenizing take CPU time in proportion to the prompt, so
    /// call it where blocking is allowed.
    ///
    /// # Errors
    /// Says why the request is not taken on; nothing of it is kept then.
    fn submit(&self, request: Request) -> Result<Generation, Refusal>;

    /// The counters.
    fn stats(&self) -> &Stats;

    /// Whether requests are taken on: neither closed nor dead.
    fn is_open(&self) -> bool;

    /// Refuses new requests from now on; those taken on go on.
    fn close(&self);

    /// Drops the requests under way.
    fn abort(&self);
}

/// An answer under way. Dropping it cancels the request.
pub struct Generation {
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    pub(crate) events: UnboundedReceiver<Event>,
}

impl Generation {
    /// The next step; `None` before [`Event::Done`] means that the engine failed.
    pub async fn next(&mut self) -> Option<Event> {
        // Unbounded, yet never longer than the limit on generated tokens.
        self.events.recv().await
    }
}
