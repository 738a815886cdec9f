//! The one thread that computes: continuous batching over slots.
//!
//! Each step is one batch. Every slot that generates contributes its last token, and slots that
//! still read their prompt share what room is left, so that a long prompt slows the others'
//! streams a little and stops none. A slot is free again as soon as its request ends or its
//! caller has left, which is looked at before each step. Nothing of a request outlives it: keys
//! and values are dropped with the slot and no prefix is shared, because the time saved would
//! tell one caller what another had asked.

use crate::config::Config;
use crate::error::Error;
use crate::request::{Done, Event, Finish, Refusal, Usage};
use crate::sampler::Sampler;
use crate::stats::Stats;
use crate::text::TextAssembler;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc::UnboundedSender;

/// Prompt tokens in one step while nobody generates. More gains no speed on a CPU and makes a
/// request that has been cancelled hold its slot for longer.
const PREFILL_TOKENS: usize = 128;
/// Prompt tokens in one step while somebody generates: what others' streams wait for.
const PREFILL_TOKENS_SHARED: usize = 32;

/// A request, ready to compute.
pub(crate) struct Job {
    /// The prompt; never empty.
    pub(crate) tokens: Vec<LlamaToken>,
    /// Most tokens to generate; at least 1, and prompt and answer fit the context.
    pub(crate) limit: u32,
    pub(crate) sampler: Sampler,
    pub(crate) text: TextAssembler,
    pub(crate) events: UnboundedSender<Event>,
}

/// What the thread shares with those who submit.
pub(crate) struct Shared {
    pub(crate) stats: Stats,
    queue: Mutex<Queue>,
    wake: Condvar,
    aborted: AtomicBool,
    /// Requests worked on and waiting, at most.
    room: usize,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Job>,
    active: usize,
    closed: bool,
}

impl Shared {
    pub(crate) fn new(slots: usize, queue_max: usize) -> Self {
        let stats = Stats {
            slots: AtomicU64::new(slots as u64),
            ..Stats::default()
        };
        Self {
            stats,
            queue: Mutex::default(),
            wake: Condvar::new(),
            aborted: AtomicBool::new(false),
            room: slots + queue_max,
        }
    }

    /// Whether a job could be pushed now; asked before a prompt is tokenized, to spare the work.
    pub(crate) fn check_room(&self) -> Result<(), Refusal> {
        self.has_room(&mut self.lock())
    }

    pub(crate) fn push(&self, job: Job) -> Result<(), Refusal> {
        let mut queue = self.lock();
        self.has_room(&mut queue)?;
        queue.waiting.push_back(job);
        self.publish(&queue);
        self.wake.notify_one();
        Ok(())
    }

    fn has_room(&self, queue: &mut Queue) -> Result<(), Refusal> {
        self.forget_cancelled(queue);
        if queue.closed {
            Err(Refusal::Unavailable)
        } else if queue.waiting.len() + queue.active >= self.room {
            Err(Refusal::Busy)
        } else {
            Ok(())
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.lock().closed
    }

    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    pub(crate) fn abort(&self) {
        self.aborted.store(true, Relaxed);
        self.close();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Every critical section leaves the queue whole, whoever panicked elsewhere.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget_cancelled(&self, queue: &mut Queue) {
        let before = queue.waiting.len();
        queue.waiting.retain(|job| !job.events.is_closed());
        self.stats
            .cancelled
            .fetch_add((before - queue.waiting.len()) as u64, Relaxed);
    }

    fn publish(&self, queue: &Queue) {
        self.stats
            .queue_waiting
            .store(queue.waiting.len() as u64, Relaxed);
        self.stats.slots_busy.store(queue.active as u64, Relaxed);
    }
}

/// A job being worked on.
struct Slot {
    job: Job,
    /// Prompt tokens computed.
    computed: usize,
    /// The token generated last, not yet computed.
    last: Option<LlamaToken>,
    /// Tokens generated.
    generated: u32,
}

/// The thread's own state.
pub(crate) struct Scheduler<'m> {
    context: LlamaContext<'m>,
    batch: LlamaBatch<'static>,
    model: &'m LlamaModel,
    slots: Vec<Option<Slot>>,
    shared: Arc<Shared>,
}

impl<'m> Scheduler<'m> {
    pub(crate) fn new(
        model: &'m LlamaModel,
        backend: &LlamaBackend,
        config: &Config,
        context_tokens: u32,
        shared: Arc<Shared>,
    ) -> Result<Self, Error> {
        let slots = config.slots as usize;
        let batch_tokens = PREFILL_TOKENS + slots;
        let params = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new(
                context_tokens.next_multiple_of(256) * config.slots,
            ))
            .with_n_seq_max(config.slots)
            .with_kv_unified(false)
            .with_n_batch(batch_tokens as u32)
            .with_n_ubatch(batch_tokens as u32)
            .with_n_threads(config.thread_count())
            .with_n_threads_batch(config.thread_count())
            .with_no_perf(true);
        let context = model.new_context(backend, params).map_err(|_| {
            Error::Start("llama.cpp cannot make a context; is there memory enough for it?".into())
        })?;
        Ok(Self {
            context,
            batch: LlamaBatch::new(batch_tokens, 1),
            model,
            slots: std::iter::repeat_with(|| None).take(slots).collect(),
            shared,
        })
    }

    /// Works until it is closed and everything taken on has ended, or until it is aborted.
    pub(crate) fn run(mut self) {
        let _ended = Ended(self.shared.clone());
        while self.admit() {
            let outputs = self.fill_batch();
            let started = Instant::now();
            match self.context.decode(&mut self.batch) {
                Ok(()) => {
                    for (slot, output) in outputs {
                        self.advance(slot, output);
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "a batch could not be computed");
                    self.fail_all();
                }
            }
            self.shared.stats.step(started.elapsed());
        }
    }

    /// Frees slots whose caller has left and fills free ones. Waits while there is nothing to
    /// do; false when it is time to end.
    fn admit(&mut self) -> bool {
        let cancelled = |slot: &Option<Slot>| {
            slot.as_ref()
                .is_some_and(|slot| slot.job.events.is_closed())
        };
        while let Some(index) = self.slots.iter().position(cancelled) {
            self.shared.stats.cancelled.fetch_add(1, Relaxed);
            drop(self.release(index));
        }
        let shared = self.shared.clone();
        let mut queue = shared.lock();
        loop {
            if shared.aborted.load(Relaxed) {
                return false;
            }
            shared.forget_cancelled(&mut queue);
            for slot in self.slots.iter_mut().filter(|slot| slot.is_none()) {
                let Some(job) = queue.waiting.pop_front() else {
                    break;
                };
                *slot = Some(Slot {
                    job,
                    computed: 0,
                    last: None,
                    generated: 0,
                });
                queue.active += 1;
            }
            shared.publish(&queue);
            if queue.active > 0 {
                return true;
            }
            if queue.closed {
                return false;
            }
            queue = shared
                .wake
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Fills the batch. Returns which slots get logits, and where in the batch.
    fn fill_batch(&mut self) -> Vec<(usize, i32)> {
        self.batch.clear();
        let mut outputs = Vec::new();
        for (index, slot) in self.slots.iter().enumerate() {
            if let Some((slot, last)) = slot.as_ref().and_then(|slot| Some((slot, slot.last?))) {
                let position = slot.job.tokens.len() + slot.generated as usize - 1;
                outputs.push((index, self.batch.n_tokens()));
                add(&mut self.batch, last, position, index, true);
            }
        }
        let mut room = if outputs.is_empty() {
            PREFILL_TOKENS
        } else {
            PREFILL_TOKENS_SHARED
        };
        let reading = |slot: &&mut Slot| slot.last.is_none();
        let mut readers = self.slots.iter_mut().flatten().filter(reading).count();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let Some(slot) = slot.as_mut().filter(|slot| slot.last.is_none()) else {
                continue;
            };
            let (from, len) = (slot.computed, slot.job.tokens.len());
            let to = len.min(from + room.div_ceil(readers));
            for position in from..to {
                if position + 1 == len {
                    outputs.push((index, self.batch.n_tokens()));
                }
                let token = slot.job.tokens[position];
                add(&mut self.batch, token, position, index, position + 1 == len);
            }
            slot.computed = to;
            self.shared
                .stats
                .prompt_tokens
                .fetch_add((to - from) as u64, Relaxed);
            room -= to - from;
            readers -= 1;
        }
        outputs
    }

    /// Chooses a slot's next token and passes on what it says.
    fn advance(&mut self, index: usize, output: i32) {
        let Some(slot) = &mut self.slots[index] else {
            return;
        };
        let Some(token) = slot.job.sampler.next(&self.context, output) else {
            // Only a grammar that is complete leaves nothing to choose from.
            return self.finish(index, Finish::EndOfTurn);
        };
        slot.generated += 1;
        self.shared.stats.completion_tokens.fetch_add(1, Relaxed);
        let vocabulary = self.model.vocab();
        if vocabulary.is_eog(token) {
            return self.finish(index, Finish::EndOfTurn);
        }
        let (text, stop) = slot
            .job
            .text
            .push(&vocabulary.token_to_piece(token, false, None));
        if !text.is_empty() {
            // A caller who has left is noticed before the next step.
            let _ = slot.job.events.send(Event::Text(text));
        }
        if let Some(stop) = stop {
            return self.finish(index, Finish::Stop(stop));
        }
        if slot.generated >= slot.job.limit || !slot.job.sampler.accept(token) {
            return self.finish(index, Finish::Length);
        }
        slot.last = Some(token);
    }

    /// Ends a request: the slot is free before the caller learns of the end.
    fn finish(&mut self, index: usize, finish: Finish) {
        let Some(mut slot) = self.release(index) else {
            return;
        };
        self.shared.stats.completed.fetch_add(1, Relaxed);
        if !matches!(finish, Finish::Stop(_)) {
            let rest = slot.job.text.finish();
            if !rest.is_empty() {
                let _ = slot.job.events.send(Event::Text(rest));
            }
        }
        let usage = Usage {
            prompt_tokens: slot.job.tokens.len() as u32,
            completion_tokens: slot.generated,
        };
        let _ = slot.job.events.send(Event::Done(Done { finish, usage }));
    }

    fn fail_all(&mut self) {
        for index in 0..self.slots.len() {
            if self.release(index).is_some() {
                self.shared.stats.failed.fetch_add(1, Relaxed);
            }
        }
    }

    fn release(&mut self, index: usize) -> Option<Slot> {
        let slot = self.slots[index].take()?;
        // Removing a whole sequence succeeds with every kind of memory.
        let _ = self
            .context
            .clear_kv_cache_seq(Some(index as u32), None, None);
        let mut queue = self.shared.lock();
        queue.active -= 1;
        self.shared.publish(&queue);
        Some(slot)
    }
}

fn add(batch: &mut LlamaBatch<'_>, token: LlamaToken, position: usize, slot: usize, logits: bool) {
    // The batch has room for one token of each slot and the prefill besides.
    batch
        .add(token, position as i32, &[slot as i32], logits)
        .expect("the batch is large enough");
}

/// However the thread ends, nobody is left waiting for it.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.closed = true;
        queue.waiting.clear();
        queue.active = 0;
        self.0.publish(&queue);
    }
}
