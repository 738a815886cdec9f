//! What the model said about windows it read before, without their text.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
};

use super::decode::Word;

/// A keyed 128-bit hash of a text. The key is random for each process, so that hashes can
/// neither be guessed nor compared across processes.
pub(super) type Key = u128;

/// Hashes texts with digits read as zeros: what the model says about names does not hang on the
/// digits around them, and log lines differ in little else.
#[derive(Clone, Default)]
pub(super) struct Keys(RandomState, RandomState);

impl Keys {
    pub fn of(&self, parts: &[&str]) -> Key {
        let (mut high, mut low) = (self.0.build_hasher(), self.1.build_hasher());
        let mut buffer = [0u8; 256];
        for part in parts {
            for chunk in part.as_bytes().chunks(buffer.len()) {
                let bytes = &mut buffer[..chunk.len()];
                for (to, &from) in bytes.iter_mut().zip(chunk) {
                    *to = if from.is_ascii_digit() { b'0' } else { from };
                }
                high.write(bytes);
                low.write(bytes);
            }
            high.write_u8(0xff);
            low.write_u8(0xff);
        }
        u128::from(high.finish()) << 64 | u128::from(low.finish())
    }
}

/// A bounded map that forgets the least recently used, in two generations: when the young one is
/// full it becomes the old one, and what the old one held and nobody asked for is gone.
pub(super) struct Cache {
    half: usize,
    young: HashMap<Key, Arc<[Word]>>,
    old: HashMap<Key, Arc<[Word]>>,
}

impl Cache {
    /// Holds at most `limit` entries.
    pub fn new(limit: usize) -> Self {
        Self {
            half: limit / 2,
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }

    pub fn get(&mut self, key: Key) -> Option<Arc<[Word]>> {
        if let Some(words) = self.young.get(&key) {
            return Some(Arc::clone(words));
        }
        let words = self.old.remove(&key)?;
        self.put(key, Arc::clone(&words));
        Some(words)
    }

    pub fn contains(&self, key: Key) -> bool {
        self.young.contains_key(&key) || self.old.contains_key(&key)
    }

    pub fn put(&mut self, key: Key, words: Arc<[Word]>) {
        if self.half == 0 {
            return;
        }
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_do_not_matter_and_boundaries_do() {
        let keys = Keys::default();
        assert_eq!(keys.of(&["line 17 ok"]), keys.of(&["line 42 ok"]));
        assert_ne!(keys.of(&["line 17 ok"]), keys.of(&["line 170 ok"]));
        assert_ne!(keys.of(&["ab", "c"]), keys.of(&["a", "bc"]));
        assert_ne!(keys.of(&["ab"]), Keys::default().of(&["ab"]));
    }

    #[test]
    fn is_bounded_and_keeps_what_is_used() {
        let mut cache = Cache::new(10);
        cache.put(1, Arc::from([]));
        for key in 100..200 {
            assert!(cache.get(1).is_some(), "forgotten at {key}");
            cache.put(key, Arc::from([]));
            assert!(cache.young.len() + cache.old.len() <= 10);
        }
        assert!(cache.get(100).is_none());
    }
}
