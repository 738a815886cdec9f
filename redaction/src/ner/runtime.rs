//! ONNX Runtime, loaded at run time: one environment for the process, a pool of sessions.

use super::requantise::{Weights, requantise};
use crate::{Error, config::Device};
use ort::{
    environment::Environment,
    ep,
    session::{Session, SessionInputValue, builder::GraphOptimizationLevel},
    value::TensorRef,
};
use std::{
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, PoisonError},
    time::Instant,
};

/// The one environment that ONNX Runtime allows in a process; the library that was loaded first
/// stays loaded.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// Loads the library, unless that was done before.
fn environment(library: &Path) -> Result<Environment, Error> {
    let mut environment = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = environment.as_ref() {
        return Ok(environment.clone());
    }
    let unusable = |reason: String| Error::Runtime {
        path: library.into(),
        reason,
    };
    let made = ort::init_from(library)
        .map_err(|error| unusable(error.to_string()))?
        .with_name("tollgate")
        .with_telemetry(false)
        .build()
        .map_err(|error| unusable(error.to_string()))?;
    made.set_log_level(ort::logging::LogLevel::Error);
    Ok(environment.insert(made).clone())
}

/// A pool of sessions over one model. Each runs on the thread that took it.
pub(super) struct Pool {
    environment: Environment,
    model: Source,
    device: Device,
    limit: usize,
    sessions: Mutex<Sessions>,
    returned: Condvar,
}

/// A model's file and, where its weights were changed, the model.
struct Source {
    path: PathBuf,
    changed: Option<Vec<u8>>,
}

impl Source {
    /// The model as a device reads it best.
    fn read(path: &Path, device: Device) -> Result<Self, Error> {
        let changed = match device {
            Device::Cuda(_) => None,
            _ => {
                let bytes = std::fs::read(path).map_err(|source| Error::Io {
                    path: path.into(),
                    source,
                })?;
                requantise(&bytes, Weights::of_this_cpu())
            }
        };
        Ok(Self {
            path: path.into(),
            changed,
        })
    }
}

struct Sessions {
    idle: Vec<Session>,
    made: usize,
}

/// A session on loan; it goes back when dropped.
pub(super) struct Lease<'p> {
    pool: &'p Pool,
    session: Option<Session>,
}

impl Pool {
    /// Opens the first session; the others, up to `limit`, when they are needed.
    pub fn new(
        directory: &Path,
        model: &Path,
        device: Device,
        limit: usize,
    ) -> Result<Self, Error> {
        let library = directory.join("onnxruntime").join(LIBRARY);
        for path in [&library, model] {
            if !path.exists() {
                return Err(Error::Missing { path: path.into() });
            }
        }
        let environment = environment(&library)?;
        let cuda = library.with_file_name(CUDA_PROVIDER).exists();
        let open_on = |device| -> Result<(Session, Source, Device), Error> {
            let source = Source::read(model, device)?;
            Ok((open(&environment, &source, device)?, source, device))
        };
        let (session, model, device) = match device {
            Device::Cuda(number) if !cuda => {
                return Err(Error::Device {
                    device: Device::Cuda(number).to_string(),
                    reason: format!("{CUDA_PROVIDER} is not beside {LIBRARY}"),
                });
            }
            Device::Cuda(_) => open_on(device)?,
            Device::Auto if cuda => match open_on(Device::Cuda(0)) {
                Ok(opened) => opened,
                Err(error) => {
                    tracing::info!(%error, "the model runs on the CPU");
                    open_on(Device::Cpu)?
                }
            },
            _ => open_on(Device::Cpu)?,
        };
        Ok(Self {
            environment,
            model,
            device,
            limit: limit.max(1),
            sessions: Mutex::new(Sessions {
                idle: vec![session],
                made: 1,
            }),
            returned: Condvar::new(),
        })
    }

    /// Where the sessions run.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The most sessions at once.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Lends a session, waiting for one until the deadline.
    pub fn lease(&self, deadline: Instant) -> Result<Lease<'_>, Error> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(session) = sessions.idle.pop() {
                return Ok(Lease {
                    pool: self,
                    session: Some(session),
                });
            }
            if sessions.made < self.limit {
                sessions.made += 1;
                drop(sessions);
                return match open(&self.environment, &self.model, self.device) {
                    Ok(session) => Ok(Lease {
                        pool: self,
                        session: Some(session),
                    }),
                    Err(error) => {
                        self.sessions
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .made -= 1;
                        self.returned.notify_one();
                        Err(error)
                    }
                };
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Deadline);
            }
            sessions = self
                .returned
                .wait_timeout(sessions, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.pool
                .sessions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .idle
                .push(session);
            self.pool.returned.notify_one();
        }
    }
}

/// A named tensor for the model.
pub(super) struct Input {
    pub name: &'static str,
    pub shape: Vec<usize>,
    pub data: Data,
}

pub(super) enum Data {
    Ints(Vec<i64>),
    Flags(Vec<bool>),
}

impl Lease<'_> {
    /// Runs the model on those of the inputs that it takes. Returns `scores` scores.
    pub fn run(&mut self, inputs: &[Input], scores: usize) -> Result<Vec<f32>, Error> {
        let failed = |error: ort::Error| Error::Model(error.to_string());
        let Some(session) = self.session.as_mut() else {
            return Err(Error::Model("the session is gone".into()));
        };
        let mut given: Vec<(&str, SessionInputValue<'_>)> = Vec::new();
        for taken in session.inputs() {
            let Some(input) = inputs.iter().find(|input| input.name == taken.name()) else {
                return Err(Error::Model(format!(
                    "it wants an input `{}`, which models of its kind do not have",
                    taken.name()
                )));
            };
            let shape = input.shape.clone();
            let value = match &input.data {
                Data::Ints(data) => TensorRef::from_array_view((shape, &data[..]))
                    .map_err(failed)?
                    .into(),
                Data::Flags(data) => TensorRef::from_array_view((shape, &data[..]))
                    .map_err(failed)?
                    .into(),
            };
            given.push((input.name, value));
        }
        let outputs = session.run(given).map_err(failed)?;
        let output = outputs.get("logits").unwrap_or(&outputs[0]);
        let (_, found) = output.try_extract_tensor::<f32>().map_err(failed)?;
        if found.len() != scores {
            return Err(Error::Model(format!(
                "it gave {} scores where its description has {scores}",
                found.len()
            )));
        }
        if found.iter().any(|score| !score.is_finite()) {
            return Err(Error::Model("it gave scores that are no numbers".into()));
        }
        Ok(found.to_vec())
    }
}

/// One session: one thread that does not spin, no memory kept between runs.
fn open(environment: &Environment, model: &Source, device: Device) -> Result<Session, Error> {
    let provider = match device {
        Device::Cuda(number) => {
            let number = i32::try_from(number).unwrap_or(i32::MAX);
            ep::CUDA::default()
                .with_device_id(number)
                .build()
                .error_on_failure()
        }
        _ => ep::CPU::default().with_arena_allocator(false).build(),
    };
    let commit = || -> Result<Session, ort::Error> {
        let mut builder = Session::builder(environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            .with_intra_op_spinning(false)?
            .with_memory_pattern(false)?
            .with_execution_providers([provider])?;
        match &model.changed {
            Some(bytes) => builder.commit_from_memory(bytes),
            None => builder.commit_from_file(&model.path),
        }
    };
    commit().map_err(|error| match device {
        Device::Cuda(_) => Error::Device {
            device: device.to_string(),
            reason: error.to_string(),
        },
        _ => Error::Runtime {
            path: model.path.clone(),
            reason: error.to_string(),
        },
    })
}

#[cfg(target_os = "macos")]
const LIBRARY: &str = "libonnxruntime.dylib";
#[cfg(not(target_os = "macos"))]
const LIBRARY: &str = "libonnxruntime.so";
const CUDA_PROVIDER: &str = "libonnxruntime_providers_cuda.so";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use tokenizers::Tokenizer;

    /// The scores that a model gives the tokens of a text.
    fn scores(environment: &Environment, model: &Source, ids: &[i64]) -> Vec<f32> {
        let mut session = open(environment, model, Device::Cpu).unwrap();
        let ones = vec![1i64; ids.len()];
        let zeros = vec![0i64; ids.len()];
        let shape = [1, ids.len()];
        let mut given = HashMap::new();
        for (name, data) in [
            ("input_ids", ids),
            ("attention_mask", &ones),
            ("token_type_ids", &zeros),
        ] {
            given.insert(name, TensorRef::from_array_view((shape, data)).unwrap());
        }
        let outputs = session.run(given).unwrap();
        let (_, scores) = outputs[0].try_extract_tensor::<f32>().unwrap();
        scores.to_vec()
    }

    #[test]
    fn eight_bit_weights_say_what_four_bit_weights_say() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let runtime =
            std::env::var_os("TOLLGATE_RUNTIME").map_or(root.join(".runtime"), PathBuf::from);
        let path = runtime.join("rampart/model_q4.onnx");
        let environment = environment(&runtime.join("onnxruntime").join(LIBRARY)).unwrap();
        let tokenizer = Tokenizer::from_file(runtime.join("rampart/tokenizer.json")).unwrap();
        let text = "Mrs Angela Brown of 42 Garden Street, Boston, asked for a form on Monday.";
        let encoding = tokenizer.encode(text, true).unwrap();
        let ids: Vec<i64> = encoding.get_ids().iter().map(|&id| i64::from(id)).collect();
        let source = |weights: Option<Weights>| Source {
            path: path.clone(),
            changed: weights.map(|weights| {
                requantise(&std::fs::read(&path).unwrap(), weights).expect("it has 4-bit weights")
            }),
        };
        let shipped = scores(&environment, &source(None), &ids);
        let classes = shipped.len() / ids.len();
        let best = |scores: &[f32]| -> Vec<usize> {
            let tokens = scores.chunks_exact(classes);
            let best = |token: &[f32]| (0..classes).max_by(|&a, &b| token[a].total_cmp(&token[b]));
            tokens.map(|token| best(token).unwrap()).collect()
        };
        assert!(best(&shipped).iter().filter(|class| **class != 0).count() >= 5);
        for weights in [Weights::of_this_cpu(), Weights::Unsigned] {
            let scores = scores(&environment, &source(Some(weights)), &ids);
            assert_eq!(best(&scores), best(&shipped), "{weights:?}");
        }
    }
}
