//! Settings of the local engine, with their defaults and limits.

use crate::Error;
use serde::Deserialize;
use std::fmt;
use std::path::PathBuf;

/// Settings of the local engine. Every key has a default, so an empty table is valid.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The GGUF file. Default `.runtime/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf`, relative to
    /// the working directory.
    pub model: PathBuf,
    /// The model id that callers ask for and that `/v1/models` shows; 1 to 128 characters.
    /// Default `smollm2-135m-instruct`.
    pub name: String,
    /// Tokens that one request may hold, prompt and answer together; 256 to 1,048,576, rounded
    /// up to a multiple of 256. Default 4096. A model trained for fewer has the last word. Each
    /// slot reserves this much memory for keys and values (SmolLM2-135M: 23 KB a token).
    pub context_tokens: u32,
    /// Most tokens generated for one request, and what is used when the request names no limit;
    /// a request that asks for more gets this many and ends with "length". At least 1. Default
    /// 1024.
    pub max_output_tokens: u32,
    /// Requests that are worked on together; 1 to 64. Default 4.
    pub slots: u32,
    /// Requests that may wait for a slot; the next one is refused with 429. At most 4096.
    /// Default 32.
    pub queue_max: u32,
    /// CPU threads; at most 256. Default 0: half of what the machine offers, 1 to 16. llama.cpp's
    /// threads wait for each other by spinning: where other work competes for the same cores, one
    /// thread too many costs not a share of the speed but nearly all of it (measured on two busy
    /// cores: 50 tokens/s with one thread, 2 with two).
    pub threads: u32,
    /// Sampling temperature of a request that names none; 0 to 2. Default 0.2, which SmolLM2's
    /// authors recommend: the wires' own default of 1 makes a small model wander.
    pub temperature: f32,
    /// Nucleus of a request that names none; above 0, at most 1. Default 0.9.
    pub top_p: f32,
    /// Seconds that requests under way are given to end when the server is told to stop; at
    /// most 3600. Default 30.
    pub drain_seconds: u32,
    /// What callers must present as a bearer token (or as `x-api-key`). Default: none needed.
    pub api_token: Option<Secret>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model: PathBuf::from(".runtime/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),
            name: "smollm2-135m-instruct".into(),
            context_tokens: 4096,
            max_output_tokens: 1024,
            slots: 4,
            queue_max: 32,
            threads: 0,
            temperature: 0.2,
            top_p: 0.9,
            drain_seconds: 30,
            api_token: None,
        }
    }
}

impl Config {
    /// Checks every limit.
    ///
    /// # Errors
    /// [`Error::Config`] names the first key that is out of its limits.
    pub fn validate(&self) -> Result<(), Error> {
        let bad = |key, expected| Err(Error::Config { key, expected });
        if self.name.is_empty()
            || self.name.chars().count() > 128
            || self.name.chars().any(char::is_control)
        {
            return bad("name", "1 to 128 characters, no control characters");
        }
        if !(256..=1 << 20).contains(&self.context_tokens) {
            return bad("context_tokens", "256 to 1048576");
        }
        if self.max_output_tokens == 0 {
            return bad("max_output_tokens", "at least 1");
        }
        if !(1..=64).contains(&self.slots) {
            return bad("slots", "1 to 64");
        }
        if self
            .context_tokens
            .next_multiple_of(256)
            .checked_mul(self.slots)
            .is_none_or(|n| n > 1 << 24)
        {
            return bad("context_tokens", "at most 16777216 tokens over all slots");
        }
        if self.queue_max > 4096 {
            return bad("queue_max", "at most 4096");
        }
        if self.threads > 256 {
            return bad("threads", "at most 256");
        }
        if !(0.0..=2.0).contains(&self.temperature) {
            return bad("temperature", "0 to 2");
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return bad("top_p", "above 0, at most 1");
        }
        if self.drain_seconds > 3600 {
            return bad("drain_seconds", "at most 3600");
        }
        if self.api_token.as_ref().is_some_and(|t| t.0.is_empty()) {
            return bad("api_token", "not empty when it is set");
        }
        Ok(())
    }

    /// The number of CPU threads to use.
    pub(crate) fn thread_count(&self) -> i32 {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, |n| (n.get() / 2).clamp(1, 16))
                as i32,
            n => n as i32,
        }
    }
}

/// A value that is never shown: neither `Debug` nor anything else prints it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Whether `offered` is the secret; takes the same time wherever they differ.
    pub fn matches(&self, offered: &str) -> bool {
        let (own, offered) = (self.0.as_bytes(), offered.as_bytes());
        let differing = own.iter().zip(offered).fold(0, |acc, (a, b)| acc | (a ^ b));
        own.len() == offered.len() && std::hint::black_box(differing) == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid_and_an_empty_table_is_the_default() {
        let config: Config = serde_json::from_str("{}").unwrap();
        assert_eq!(config, Config::default());
        config.validate().unwrap();
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error = serde_json::from_str::<Config>(r#"{"contxt_tokens": 1}"#).unwrap_err();
        assert!(error.to_string().contains("contxt_tokens"), "{error}");
    }

    #[test]
    fn each_limit_names_its_key() {
        type Change = fn(&mut Config);
        let cases: [(&str, Change); 10] = [
            ("name", |c| c.name.clear()),
            ("context_tokens", |c| c.context_tokens = 255),
            ("context_tokens", |c| {
                (c.context_tokens, c.slots) = (1 << 20, 64)
            }),
            ("max_output_tokens", |c| c.max_output_tokens = 0),
            ("slots", |c| c.slots = 65),
            ("queue_max", |c| c.queue_max = 4097),
            ("threads", |c| c.threads = 257),
            ("temperature", |c| c.temperature = f32::NAN),
            ("top_p", |c| c.top_p = 0.0),
            ("api_token", |c| c.api_token = Some(Secret::new(""))),
        ];
        for (expected, change) in cases {
            let mut config = Config::default();
            change(&mut config);
            match config.validate() {
                Err(Error::Config { key, .. }) => assert_eq!(key, expected),
                other => panic!("{expected}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_secret_is_compared_whole_and_never_shown() {
        let secret = Secret::new("tok-1234");
        assert!(secret.matches("tok-1234"));
        assert!(!secret.matches("tok-123") && !secret.matches("tok-12345") && !secret.matches(""));
        let config = Config {
            api_token: Some(secret),
            ..Config::default()
        };
        assert!(!format!("{config:?}").contains("tok-"));
    }
}
