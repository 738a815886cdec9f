//! Plausible token counts from text alone.
//!
//! The rule is the one that both providers give for English: four characters a token. Text in
//! other scripts and dense identifiers take more in reality; for a simulation the order of
//! magnitude matters, and that the same text always counts the same. Each message costs three
//! tokens more, as in OpenAI's own counting guide.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

const CHARS_PER_TOKEN: usize = 4;
const TOKENS_PER_MESSAGE: u64 = 3;
/// A prefix shorter than this is not cached (OpenAI and Anthropic: 1,024 tokens).
const CACHE_TOKENS_MIN: u64 = 1_024;
/// Cached tokens come in multiples of this (OpenAI).
const CACHE_TOKENS_STEP: u64 = 128;

/// Tokens of a text.
pub fn of(text: &str) -> u64 {
    text.chars().count().div_ceil(CHARS_PER_TOKEN) as u64
}

/// Tokens of a conversation, each message given as one text.
pub fn of_messages(messages: &[String]) -> u64 {
    messages
        .iter()
        .map(|message| of(message) + TOKENS_PER_MESSAGE)
        .sum()
}

/// How many tokens of the longest prefix of `messages` in `seen` come from the prompt cache; adds
/// every prefix of `messages` to `seen`.
pub fn cached(seen: &mut HashSet<u64>, messages: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut total = 0;
    let mut cached = 0;
    for message in messages {
        message.hash(&mut hasher);
        total += of(message) + TOKENS_PER_MESSAGE;
        if !seen.insert(hasher.finish()) {
            cached = total;
        }
    }
    if cached < CACHE_TOKENS_MIN {
        0
    } else {
        cached / CACHE_TOKENS_STEP * CACHE_TOKENS_STEP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_characters_are_a_token() {
        assert_eq!((of(""), of("a"), of("abcd"), of("éàüö!")), (0, 1, 1, 2));
        assert_eq!(of_messages(&["abcd".into(), "abcde".into()]), 1 + 3 + 2 + 3);
    }

    #[test]
    fn only_a_long_prefix_that_was_seen_is_cached() {
        let mut seen = HashSet::new();
        let long = "word ".repeat(1_000);
        let first = [long.clone(), "one".to_string()];
        assert_eq!(cached(&mut seen, &first), 0);
        assert_eq!(cached(&mut seen, &[long.clone(), "two".into()]), 1_152);
        assert_eq!(cached(&mut seen, &["short".into()]), 0);
        assert_eq!(cached(&mut seen, &["short".into()]), 0);
        assert_eq!(cached(&mut seen, &[format!("{long}."), "one".into()]), 0);
    }
}
