//! Names and addresses, by the Rampart model (BERT, 6 layers, 35 classes) on ONNX Runtime.
//!
//! The model costs about a millisecond per three tokens on a CPU, so that everything here is
//! about having it read little: [`prefilter`] leaves out what can hold no name, [`window`] reads
//! repetition once, [`cache`] remembers. What it says is then held to rules: [`decode`] to
//! thresholds, [`merge`] to shapes.

mod cache;
mod decode;
mod merge;
mod prefilter;
mod rules;
mod runtime;
mod window;

use crate::{
    Error, Finding, Span,
    config::{Device, NerConfig},
    names::Names,
};
use cache::{Cache, Key, Keys};
use decode::{Labels, Word};
use merge::Placed;
use rules::NerRules;
use runtime::{Batch, Lease, Pool};
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
use window::{Plan, plan};

/// The file of `rules/recognizers/` that is about the model.
pub(crate) const RULES_FILE: &str = "ner.toml";

/// The most bytes of text in one batch. On a CPU a batch is hardly faster than its windows one
/// by one, except for very short ones; it only has to be small enough for a prompt deadline.
const BATCH_BYTES_CPU: usize = 512;
/// On a GPU a batch is nearly free.
const BATCH_BYTES_GPU: usize = 32 * 1024;

/// The model with all that surrounds it.
pub(crate) struct Ner {
    rules: NerRules,
    names: Arc<Names>,
    labels: Labels,
    tokenizer: Tokenizer,
    pool: Pool,
    keys: Keys,
    cache: Mutex<Cache>,
    max_windows: usize,
    name: Arc<str>,
}

/// What the model had to do.
pub(crate) struct Read {
    /// Windows read.
    pub windows: usize,
    /// Windows known from before.
    pub cached: usize,
    /// CPU time of other threads.
    pub cpu_elsewhere: Duration,
}

type Words = Arc<[Word]>;

impl Ner {
    /// Loads tokenizer and model and tests them.
    pub fn new(config: &NerConfig, rules: &Path, names: Arc<Names>) -> Result<Self, Error> {
        let directory = config.runtime_dir.join("rampart");
        let tokenizer = directory.join("tokenizer.json");
        if !tokenizer.exists() {
            return Err(Error::Missing { path: tokenizer });
        }
        let rules = NerRules::read(rules)?;
        let ner = Self {
            labels: Labels::new(&rules.classes, &rules),
            rules,
            names,
            tokenizer: Tokenizer::from_file(&tokenizer).map_err(|error| Error::Runtime {
                path: tokenizer,
                reason: error.to_string(),
            })?,
            pool: Pool::new(
                &config.runtime_dir,
                &directory.join("model_q4.onnx"),
                config.device,
                config.threads,
            )?,
            keys: Keys::default(),
            cache: Mutex::new(Cache::new(config.cache_windows)),
            max_windows: config.max_windows,
            name: "ner/rampart".into(),
        };
        ner.self_test()?;
        Ok(ner)
    }

    pub fn device(&self) -> Device {
        self.pool.device()
    }

    pub fn threads(&self) -> usize {
        self.pool.limit()
    }

    /// Whether the model would have to read anything of it anew.
    pub fn needs(&self, segments: &[&str]) -> bool {
        let plan = self.plan(segments);
        let cache = self.cache();
        plan.windows.iter().any(|window| {
            !cache.contains(
                self.keys
                    .of(&[&segments[window.segment][window.span.range()]]),
            )
        })
    }

    /// Adds to `findings` (one list for each segment, with what rules found) what the model finds.
    pub fn inspect(
        &self,
        segments: &[&str],
        deadline: Instant,
        findings: &mut [Vec<Finding>],
    ) -> Result<Read, Error> {
        let plan = self.plan(segments);
        let mut results: Vec<Option<Words>> = vec![None; plan.windows.len()];
        // Windows to read, those of equal text together.
        let mut missing: HashMap<Key, Vec<usize>> = HashMap::new();
        let mut read = Read {
            windows: 0,
            cached: 0,
            cpu_elsewhere: Duration::ZERO,
        };
        {
            let mut cache = self.cache();
            for (number, window) in plan.windows.iter().enumerate() {
                let key = self
                    .keys
                    .of(&[&segments[window.segment][window.span.range()]]);
                match cache.get(key) {
                    Some(words) => {
                        read.cached += 1;
                        results[number] = Some(words);
                    }
                    None => missing.entry(key).or_default().push(number),
                }
            }
        }
        if missing.len() > self.max_windows {
            return Err(Error::TooMuch {
                needed: missing.len(),
                limit: self.max_windows,
            });
        }
        let mut jobs: Vec<(Key, &str)> = missing
            .iter()
            .map(|(key, numbers)| {
                let window = &plan.windows[numbers[0]];
                (*key, &segments[window.segment][window.span.range()])
            })
            .collect();
        jobs.sort_unstable_by_key(|(key, text)| (text.len(), *key));
        read.windows = jobs.len();
        let (done, cpu) = self.read_all(&jobs, deadline)?;
        read.cpu_elsewhere = cpu;
        let mut cache = self.cache();
        for (key, words) in done {
            for &number in missing.get(&key).into_iter().flatten() {
                results[number] = Some(Arc::clone(&words));
            }
            cache.put(key, words);
        }
        drop(cache);
        self.place(segments, &plan, &results, findings)?;
        Ok(read)
    }

    /// Checks that the model finds what it must and nothing else in a made-up sentence.
    pub fn self_test(&self) -> Result<(), Error> {
        let text = "My name is Angela Brown and I live at 42 Garden Street, Boston.";
        let mut lease = self.pool.lease(Instant::now() + Duration::from_secs(60))?;
        let words = self
            .read_batch(&mut lease, &[text])?
            .pop()
            .unwrap_or_default();
        let named: Vec<&str> = words
            .iter()
            .map(|word| &text[usize::from(word.start)..usize::from(word.end)])
            .collect();
        let expected = ["Angela", "Brown", "Garden", "Boston"];
        let stray = ["My", "name", "is", "and", "I", "live", "at"];
        if expected.iter().all(|word| named.contains(word))
            && !stray.iter().any(|word| named.contains(word))
        {
            return Ok(());
        }
        Err(Error::Model(
            "it does not find the names in its test sentence".into(),
        ))
    }

    fn plan(&self, segments: &[&str]) -> Plan {
        plan(segments, &self.keys, |unit| {
            prefilter::may_hold_name(unit, &self.rules, &self.names)
        })
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

    /// Reads texts of up to [`window::WINDOW`] bytes at once.
    fn read_batch(&self, lease: &mut Lease<'_>, texts: &[&str]) -> Result<Vec<Vec<Word>>, Error> {
        let encodings = texts
            .iter()
            .map(|text| self.tokenizer.encode(*text, true))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Error::Model(error.to_string()))?;
        let columns = encodings
            .iter()
            .map(|encoding| encoding.len())
            .max()
            .unwrap_or(0);
        if columns > 512 {
            return Err(Error::Model(format!(
                "a window has {columns} tokens, more than 512"
            )));
        }
        let mut batch = Batch {
            rows: texts.len(),
            columns,
            ids: Vec::new(),
            mask: Vec::new(),
        };
        for encoding in &encodings {
            let padding = std::iter::repeat_n(0, columns - encoding.len());
            batch.ids.extend(
                encoding
                    .get_ids()
                    .iter()
                    .map(|&id| i64::from(id))
                    .chain(padding.clone()),
            );
            batch
                .mask
                .extend(encoding.get_ids().iter().map(|_| 1).chain(padding));
        }
        let classes = self.labels.classes();
        let scores = lease.run(&batch, classes)?;
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
                self.labels.decode(&tokens, scores)
            })
            .collect())
    }

    /// Puts the words of windows, and of copies of their units, to their places in the segments.
    fn place(
        &self,
        segments: &[&str],
        plan: &Plan,
        results: &[Option<Words>],
        findings: &mut [Vec<Finding>],
    ) -> Result<(), Error> {
        let mut placed: Vec<Vec<Placed>> = vec![Vec::new(); segments.len()];
        let words = |number: usize| {
            let unread = || Error::Model("a window was not read".into());
            results[number].as_deref().ok_or_else(unread)
        };
        let put = |word: &Word, start: usize, end: usize| Placed {
            span: Span::new(start, end),
            label: word.label,
            begins: word.begins,
            score: word.score,
        };
        for (number, window) in plan.windows.iter().enumerate() {
            let at = window.span.start;
            placed[window.segment].extend(words(number)?.iter().map(|word| {
                put(
                    word,
                    at + usize::from(word.start),
                    at + usize::from(word.end),
                )
            }));
        }
        for copy in &plan.copies {
            let base = plan.windows[copy.window].span.start;
            let (first, last) = (copy.from - base, copy.from - base + copy.span.len());
            for word in words(copy.window)? {
                let start = usize::from(word.start).max(first);
                let end = usize::from(word.end).min(last);
                if start < end {
                    let at = copy.span.start;
                    placed[copy.segment].push(put(word, at + start - first, at + end - first));
                }
            }
        }
        for ((text, placed), findings) in segments.iter().zip(placed).zip(findings) {
            let found = merge::merge(
                text,
                placed,
                findings,
                &self.labels,
                &self.rules,
                &self.names,
                &self.name,
            );
            findings.extend(found);
        }
        Ok(())
    }
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
pub(crate) mod tests {
    use super::*;

    /// The rules of this repository.
    pub(super) fn rules() -> NerRules {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../rules/recognizers")
            .join(RULES_FILE);
        NerRules::read(&path).unwrap()
    }

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
