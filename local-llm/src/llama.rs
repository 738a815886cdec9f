//! The engine by llama.cpp: loads a model, turns requests into tokens and hands them to the one
//! thread that computes (see [`scheduler`](crate::scheduler)).

use crate::config::Config;
use crate::engine::{Engine, Generation};
use crate::error::Error;
use crate::gguf::{self, ModelInfo};
use crate::logging;
use crate::request::{Prompt, Refusal, Request, invalid};
use crate::sampler::Sampler;
use crate::scheduler::{Job, Scheduler, Shared};
use crate::stats::Stats;
use crate::template::{ChatTemplate, Piece};
use crate::text::TextAssembler;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::token::LlamaToken;
use std::ffi::CStr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread::JoinHandle;
use tokio::sync::mpsc::unbounded_channel;

/// llama.cpp with one model. Dropping it drops the requests under way and frees the model.
pub struct LlamaEngine {
    config: Config,
    info: ModelInfo,
    context_tokens: u32,
    model: Arc<LlamaModel>,
    /// `None` if the model carries none: it can complete text and not chat.
    template: Option<ChatTemplate>,
    /// A prompt of more bytes has more tokens than fit and need not be tokenized.
    prompt_bytes_max: usize,
    bos_token: String,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl LlamaEngine {
    /// Loads the model and starts the thread that computes. Blocks for as long as loading takes.
    ///
    /// # Errors
    /// What is wrong with the configuration, the file, the model or the machine.
    pub fn load(config: &Config) -> Result<Self, Error> {
        config.validate()?;
        check_cpu()?;
        let refused = |reason: String| Error::Model {
            path: config.model.clone(),
            reason,
        };
        let header = gguf::read_header(&config.model)?;
        let backend = backend()?;
        let _loading = logging::Loading::begin();

        let params = LlamaModelParams::default();
        let model = LlamaModel::load_from_file(backend, &config.model, &params)
            .map_err(|_| refused("llama.cpp cannot load it (its log is at debug level)".into()))?;
        let model = Arc::new(model);
        let vocabulary = model.vocab();
        let text = |token| vocabulary.text(token).map_or(String::new(), lossy);
        let control: Vec<String> = vocabulary
            .tokens()
            .filter(|&token| vocabulary.is_control(token))
            .map(text)
            .collect();
        let (bos_token, eos_token) = (text(vocabulary.bos()), text(vocabulary.eos()));
        let template = header
            .chat_template
            .map(|source| ChatTemplate::new(source, control, bos_token.clone(), eos_token))
            .transpose()
            .map_err(|error| refused(format!("its chat template is not understood: {error}")))?;
        let longest_token = vocabulary
            .tokens()
            .map(|token| vocabulary.token_to_piece(token, true, None).len())
            .max()
            .unwrap_or(1);

        let trained = header.info.context_tokens;
        let wanted = config.context_tokens.next_multiple_of(256);
        let context_tokens = if trained == 0 {
            wanted
        } else {
            wanted.min(trained)
        };

        let shared = Arc::new(Shared::new(
            config.slots as usize,
            config.queue_max as usize,
        ));
        let (started, outcome) = mpsc::sync_channel(1);
        let thread = {
            let (model, shared, config) = (model.clone(), shared.clone(), config.clone());
            std::thread::Builder::new()
                .name("llama".into())
                .spawn(move || {
                    let scheduler =
                        Scheduler::new(&model, backend, &config, context_tokens, shared.clone());
                    match scheduler {
                        Ok(scheduler) => {
                            // The receiver waits below, so this cannot fail.
                            let _ = started.send(Ok(()));
                            scheduler.run();
                        }
                        Err(error) => {
                            let _ = started.send(Err(error));
                        }
                    }
                })
        };
        let thread = thread.map_err(|error| Error::Start(error.to_string()))?;
        outcome
            .recv()
            .unwrap_or_else(|_| Err(Error::Start("its thread ended at once".into())))?;

        Ok(Self {
            config: config.clone(),
            info: header.info,
            context_tokens,
            prompt_bytes_max: longest_token.saturating_mul(context_tokens as usize),
            bos_token,
            template,
            model,
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// The tokens of a prompt.
    fn tokenize(&self, prompt: &Prompt) -> Result<Vec<LlamaToken>, Refusal> {
        let pieces = match prompt {
            Prompt::Text(text) => vec![Piece::Literal(text.clone())],
            Prompt::Chat { messages, tools } => {
                let template = self.template.as_ref().ok_or_else(|| {
                    invalid(
                        "messages",
                        "cannot be answered: the model has no chat template",
                    )
                })?;
                template.render(messages, tools)?
            }
        };
        let bytes = |piece: &Piece| match piece {
            Piece::Template(text) | Piece::Literal(text) => text.len(),
        };
        let too_long = |prompt| Refusal::ContextLength {
            context: self.context_tokens,
            prompt,
        };
        if pieces.iter().map(bytes).sum::<usize>() > self.prompt_bytes_max {
            return Err(too_long(None));
        }
        let vocabulary = self.model.vocab();
        let mut tokens = Vec::new();
        for (index, piece) in pieces.iter().enumerate() {
            let (text, control) = match piece {
                Piece::Template(text) => (text, true),
                Piece::Literal(text) => (text, false),
            };
            // Some templates write the token that begins a text themselves.
            let begins = index == 0
                && !(control && !self.bos_token.is_empty() && text.starts_with(&self.bos_token));
            tokens.extend(vocabulary.tokenize(text.as_bytes(), begins, control));
        }
        match u32::try_from(tokens.len()) {
            Ok(0) => Err(invalid("prompt", "is empty")),
            Ok(count) if count < self.context_tokens => Ok(tokens),
            count => Err(too_long(count.ok())),
        }
    }

    fn take_on(&self, request: Request) -> Result<Generation, Refusal> {
        request.validate()?;
        self.shared.check_room()?;
        let tokens = self.tokenize(&request.prompt)?;
        let prompt_tokens = tokens.len() as u32;
        let most = self
            .config
            .max_output_tokens
            .min(self.context_tokens - prompt_tokens);
        let sampler = Sampler::new(&self.model, &request.sampling, request.format, &self.config)?;
        let (sender, events) = unbounded_channel();
        self.shared.push(Job {
            tokens,
            limit: request.max_tokens.map_or(most, |asked| asked.min(most)),
            sampler,
            text: TextAssembler::new(request.stop),
            events: sender,
        })?;
        Ok(Generation {
            prompt_tokens,
            events,
        })
    }
}

impl Engine for LlamaEngine {
    fn model(&self) -> &ModelInfo {
        &self.info
    }

    fn context_tokens(&self) -> u32 {
        self.context_tokens
    }

    fn submit(&self, request: Request) -> Result<Generation, Refusal> {
        self.take_on(request).inspect_err(|_| {
            self.shared.stats.refused.fetch_add(1, Relaxed);
        })
    }

    fn stats(&self) -> &Stats {
        &self.shared.stats
    }

    fn is_open(&self) -> bool {
        self.shared.is_open()
    }

    fn close(&self) {
        self.shared.close();
    }

    fn abort(&self) {
        self.shared.abort();
    }
}

impl Drop for LlamaEngine {
    fn drop(&mut self) {
        self.abort();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the engine's thread had panicked");
        }
    }
}

/// llama.cpp's global state: made once, never freed.
fn backend() -> Result<&'static LlamaBackend, Error> {
    static BACKEND: OnceLock<Option<LlamaBackend>> = OnceLock::new();
    BACKEND
        .get_or_init(|| {
            logging::capture();
            LlamaBackend::init().ok()
        })
        .as_ref()
        .ok_or_else(|| Error::Start("llama.cpp is already in use by other code".into()))
}

/// Says so if this CPU lacks what llama.cpp was built for, where it would die of an illegal
/// instruction.
fn check_cpu() -> Result<(), Error> {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        if !(has!("avx2") && has!("fma") && has!("f16c") && has!("bmi2")) {
            return Err(Error::Start(
                "this build of llama.cpp needs a CPU with AVX2, FMA, F16C and BMI2".into(),
            ));
        }
    }
    Ok(())
}

fn lossy(text: &CStr) -> String {
    text.to_string_lossy().into_owned()
}
