//! One model with what it needs to read windows of text: tokenizer, sessions, memory.

use super::{
    cache::{Cache, Key},
    decode::{Labels, Word},
    gliner::Gliner,
    runtime::{Data, Input, Lease, Pool},
};
use crate::{
    Error,
    config::{Device, NerConfig},
};
use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokenizers::Tokenizer;

/// The most bytes of text in one batch. On a CPU a batch is hardly faster than its windows one
/// by one, except for very short ones; it only has to be small enough for a prompt deadline.
const BATCH_BYTES_CPU: usize = 512;
/// On a GPU a batch is nearly free.
const BATCH_BYTES_GPU: usize = 32 * 1024;

/// The least number of positions that a model must have: a window is at most
/// [`super::window::WINDOW`] bytes, a token at least one, and there are two special ones.
pub(super) const POSITIONS: usize = 512;

/// What the model said of each window.
pub(super) type Words = Arc<[Word]>;

/// What a model makes of text.
pub(super) enum Head {
    /// Each token has a class.
    Tokens(Labels),
    /// Spans of words are compared with labels that are part of the input.
    Spans(Gliner),
}

/// A model that is ready to read.
pub(super) struct Model {
    head: Head,
    tokenizer: Tokenizer,
    pool: Pool,
    cache: Mutex<Cache>,
    max_windows: usize,
}

/// What a model had to do.
#[derive(Default)]
pub(super) struct Effort {
    /// Windows read.
    pub windows: usize,
    /// Windows known from before.
    pub cached: usize,
    /// CPU time of other threads.
    pub cpu_elsewhere: Duration,
}

impl Model {
    /// Loads `tokenizer.json` and the model `file` of a directory.
    pub fn open(
        config: &NerConfig,
        directory: &Path,
        file: &str,
        head: Head,
    ) -> Result<Self, Error> {
        let path = directory.join("tokenizer.json");
        if !path.exists() {
            return Err(Error::Missing { path });
        }
        let unusable = |error: tokenizers::Error| Error::Runtime {
            path: path.clone(),
            reason: error.to_string(),
        };
        let mut tokenizer = Tokenizer::from_file(&path).map_err(unusable)?;
        // A tokenizer that cuts long texts would hide their ends from the model.
        tokenizer.with_truncation(None).map_err(unusable)?;
        tokenizer.with_padding(None);
        Ok(Self {
            head,
            tokenizer,
            pool: Pool::new(
                &config.runtime_dir,
                &directory.join(file),
                config.device,
                config.threads,
            )?,
            cache: Mutex::new(Cache::new(config.cache_windows)),
            max_windows: config.max_windows,
        })
    }

    /// The labels of [`Word::label`], in their order.
    pub fn labels(&self) -> &[String] {
        match &self.head {
            Head::Tokens(labels) => labels.names(),
            Head::Spans(gliner) => gliner.labels(),
        }
    }

    pub fn device(&self) -> Device {
        self.pool.device()
    }

    pub fn threads(&self) -> usize {
        self.pool.limit()
    }

    /// Whether it has read all of these windows before.
    pub fn knows(&self, keys: &[Key]) -> bool {
        let cache = self.cache();
        keys.iter().all(|key| cache.contains(*key))
    }

    /// What the model says of each window, read now or before. `keys` are those of the texts.
    pub fn read(
        &self,
        keys: &[Key],
        texts: &[&str],
        deadline: Instant,
    ) -> Result<(Vec<Words>, Effort), Error> {
        let mut results: Vec<Option<Words>> = vec![None; texts.len()];
        // Windows to read, those of equal text together.
        let mut missing: HashMap<Key, Vec<usize>> = HashMap::new();
        let mut effort = Effort::default();
        {
            let mut cache = self.cache();
            for (number, key) in keys.iter().enumerate() {
                match cache.get(*key) {
                    Some(words) => {
                        effort.cached += 1;
                        results[number] = Some(words);
                    }
                    None => missing.entry(*key).or_default().push(number),
                }
            }
        }
        if missing.len() > self.max_windows {
            return Err(Error::TooMuch {
                needed: missing.len(),
                limit: self.max_windows,
            });
        }
        if !missing.is_empty() {
            let mut jobs: Vec<(Key, &str)> = missing
                .iter()
                .map(|(key, numbers)| (*key, texts[numbers[0]]))
                .collect();
            jobs.sort_unstable_by_key(|(key, text)| (text.len(), *key));
            effort.windows = jobs.len();
            let (done, cpu) = self.read_all(&jobs, deadline)?;
            effort.cpu_elsewhere = cpu;
            let mut cache = self.cache();
            for (key, words) in done {
                for &number in missing.get(&key).into_iter().flatten() {
                    results[number] = Some(Arc::clone(&words));
                }
                cache.put(key, words);
            }
        }
        let read: Option<Vec<Words>> = results.into_iter().collect();
        match read {
            Some(words) => Ok((words, effort)),
            None => Err(Error::Model("a window was not read".into())),
        }
    }

    /// What the model says of one text, whether it was read before or not.
    pub fn read_anew(&self, text: &str, deadline: Instant) -> Result<Vec<Word>, Error> {
        let mut lease = self.pool.lease(deadline)?;
        let mut words = self.read_batch(&mut lease, &[text])?;
        words
            .pop()
            .ok_or_else(|| Error::Model("it said nothing".into()))
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads all texts, on several threads if they are many. Also returns the CPU time of the
    /// threads other than this one.
    fn read_all(
        &self,
        jobs: &[(Key, &str)],
        deadline: Instant,
    ) -> Result<(Vec<(Key, Words)>, Duration), Error> {
        let budget = match self.pool.device() {
            Device::Cuda(_) => BATCH_BYTES_GPU,
            _ => BATCH_BYTES_CPU,
        };
        let batches = batches(jobs, budget);
        let next = AtomicUsize::new(0);
        let failed = AtomicBool::new(false);
        let work = || -> Result<Vec<(Key, Words)>, Error> {
            let mut done = Vec::new();
            let mut lease: OnceLock<Lease<'_>> = OnceLock::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(batch) = batches
                    .get(number)
                    .filter(|_| !failed.load(Ordering::Relaxed))
                else {
                    return Ok(done);
                };
                if Instant::now() >= deadline {
                    return Err(Error::Deadline);
                }
                let lease = match lease.get_mut() {
                    Some(lease) => lease,
                    None => {
                        let _ = lease.set(self.pool.lease(deadline)?);
                        match lease.get_mut() {
                            Some(lease) => lease,
                            None => return Err(Error::Model("no session".into())),
                        }
                    }
                };
                let texts: Vec<&str> = batch.iter().map(|(_, text)| *text).collect();
                let words = self.read_batch(lease, &texts)?;
                done.extend(
                    batch
                        .iter()
                        .zip(words)
                        .map(|((key, _), words)| (*key, words.into())),
                );
            }
        };
        let guarded = || work().inspect_err(|_| failed.store(true, Ordering::Relaxed));
        let helpers = self.pool.limit().min(batches.len()).saturating_sub(1);
        let mut done = Vec::with_capacity(jobs.len());
        let mut cpu = Duration::ZERO;
        std::thread::scope(|scope| {
            let helpers: Vec<_> = (0..helpers)
                .map(|_| scope.spawn(|| (guarded(), crate::cpu::thread_time())))
                .collect();
            let mut outcome = guarded().map(|words| done.extend(words));
            for helper in helpers {
                match helper.join() {
                    Ok((words, time)) => {
                        cpu += time;
                        match words {
                            Ok(words) => done.extend(words),
                            Err(error) => outcome = Err(error),
                        }
                    }
                    Err(_) => outcome = Err(Error::Model("a thread of the model panicked".into())),
                }
            }
            outcome
        })?;
        // A batch that nobody took because another failed must never pass as read.
        if done.len() != jobs.len() {
            return Err(Error::Model("not every window was read".into()));
        }
        Ok((done, cpu))
    }

    /// Reads texts of up to [`super::window::WINDOW`] bytes at once.
    fn read_batch(&self, lease: &mut Lease<'_>, texts: &[&str]) -> Result<Vec<Vec<Word>>, Error> {
        match &self.head {
            Head::Tokens(labels) => read_tokens(&self.tokenizer, labels, lease, texts),
            Head::Spans(gliner) => texts
                .iter()
                .map(|text| gliner.read(&self.tokenizer, lease, text))
                .collect(),
        }
    }
}

/// Has a model that classifies tokens read some texts.
fn read_tokens(
    tokenizer: &Tokenizer,
    labels: &Labels,
    lease: &mut Lease<'_>,
    texts: &[&str],
) -> Result<Vec<Vec<Word>>, Error> {
    let encodings = texts
        .iter()
        .map(|text| tokenizer.encode(*text, true))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::Model(error.to_string()))?;
    let columns = encodings
        .iter()
        .map(|encoding| encoding.len())
        .max()
        .unwrap_or(0);
    if columns > POSITIONS {
        return Err(Error::Model(format!(
            "a window has {columns} tokens, more than {POSITIONS}"
        )));
    }
    let (mut ids, mut mask) = (Vec::new(), Vec::new());
    for encoding in &encodings {
        let padding = std::iter::repeat_n(0, columns - encoding.len());
        let tokens = encoding.get_ids().iter();
        ids.extend(tokens.map(|&id| i64::from(id)).chain(padding.clone()));
        mask.extend(encoding.get_ids().iter().map(|_| 1).chain(padding));
    }
    let types = vec![0; ids.len()];
    let input = |name, data| Input {
        name,
        shape: vec![texts.len(), columns],
        data: Data::Ints(data),
    };
    let inputs = [
        input("input_ids", ids),
        input("attention_mask", mask),
        input("token_type_ids", types),
    ];
    let classes = labels.classes();
    let scores = lease.run(&inputs, texts.len() * columns * classes)?;
    Ok(encodings
        .iter()
        .zip(scores.chunks(columns.max(1) * classes))
        .map(|(encoding, scores)| {
            let tokens: Vec<_> = encoding
                .get_word_ids()
                .iter()
                .copied()
                .zip(encoding.get_offsets().iter().copied())
                .collect();
            labels.decode(&tokens, scores)
        })
        .collect())
}

/// Cuts jobs, ordered by length, into batches whose padded texts take at most `budget` bytes.
fn batches<'j, 't>(jobs: &'j [(Key, &'t str)], budget: usize) -> Vec<&'j [(Key, &'t str)]> {
    let mut batches = Vec::new();
    let mut first = 0;
    for at in 0..jobs.len() {
        if at > first && (at - first + 1) * jobs[at].1.len() > budget {
            batches.push(&jobs[first..at]);
            first = at;
        }
    }
    if first < jobs.len() {
        batches.push(&jobs[first..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_everything_in_order_and_stay_small() {
        let text = "x".repeat(400);
        let jobs: Vec<(Key, &str)> = (1..=40).map(|n| (n as Key, &text[..n * 10])).collect();
        let cut = batches(&jobs, 512);
        assert_eq!(cut.concat(), jobs);
        for batch in cut {
            assert!(batch.len() == 1 || batch.len() * batch[batch.len() - 1].1.len() <= 512);
        }
    }
}
