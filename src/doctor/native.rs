//! The native parts: are they those that the lock file pins, and do they load?

use super::Check;
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use crate::runtime::Runtime;
use crate::setup::check::{Depth, FileState, Stamps};
use crate::setup::lock::{Component, Lock};
use std::process::{Command, Stdio};
use tollgate_redaction::Device;

pub(super) fn look(runtime: &Runtime, config: &Config) -> Vec<Check> {
    let lock = match Lock::read(None) {
        Ok(lock) => lock,
        Err(error) => return vec![Check::fail("lock file", error.to_string(), error.help())],
    };
    let mut stamps = Stamps::read(runtime.dir());
    lock.components
        .iter()
        .map(|component| look_at(component, runtime, config, &mut stamps))
        .chain(configured_model(config))
        .collect()
}

fn look_at(part: &Component, runtime: &Runtime, config: &Config, stamps: &mut Stamps) -> Check {
    let id = part.id.as_str();
    let fix = "run `tollgate setup`";
    for file in &part.files {
        let path = runtime.dir().join(&file.path);
        let fault = match stamps.check(runtime.dir(), file, Depth::Quick, |_| ()) {
            Ok(FileState::Present) => continue,
            Ok(FileState::Missing) => "is missing".to_owned(),
            Ok(FileState::Corrupt(_)) => "is not the file that the lock file pins".to_owned(),
            Err(error) => format!("cannot be read: {error}"),
        };
        let says = format!("{} {fault} ({})", path.display(), part.purpose);
        return if is_needed(id, config) {
            Check::fail(id, says, fix)
        } else {
            Check::warn(
                id,
                format!("{says}; this configuration does not need it"),
                fix,
            )
        };
    }
    for (file, symbol) in part
        .files
        .iter()
        .filter_map(|file| Some((file, file.symbol.as_ref()?)))
    {
        let path = runtime.dir().join(&file.path);
        if let Err(reason) = probe(&path.display().to_string(), symbol) {
            let says = format!("{} does not load: {reason}", path.display());
            let fix =
                "use a system with glibc 2.28 or newer; the message above may name what lacks";
            return Check::fail(id, says, fix);
        }
    }
    let Component {
        version,
        licence,
        attribution,
        ..
    } = part;
    Check::ok(id, format!("{version}, {licence} ({attribution})"))
}

/// Whether a gate with this configuration would use the component.
fn is_needed(id: &str, config: &Config) -> bool {
    match id {
        "onnxruntime" | "rampart" => config.ner.device != Device::Off,
        "chdb" => config.analytics.url.is_empty(),
        "smollm2" => config.embedded_model() && config.local_llm.model.as_os_str().is_empty(),
        _ => true,
    }
}

/// The model file that the configuration names instead of the one set up.
fn configured_model(config: &Config) -> Option<Check> {
    let model = &config.local_llm.model;
    if model.as_os_str().is_empty() {
        return None;
    }
    Some(match tollgate_local_llm::inspect_model(model) {
        Ok(_) => Check::ok("local_llm.model", model.display().to_string()),
        Err(error) => Check::fail(
            "local_llm.model",
            Failure::new(error).to_string(),
            "name a GGUF file with a chat template",
        ),
    })
}

/// Loads a library in a process of its own, which it may crash.
///
/// # Errors
/// The loader's words.
pub fn probe(library: &str, symbol: &str) -> Result<(), String> {
    let executable = std::env::current_exe().map_err(|error| error.to_string())?;
    let child = Command::new(executable)
        .args(["doctor", "--probe", library, symbol])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if child.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&child.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    Err(last.map_or_else(|| child.status.to_string(), |line| line.trim().to_owned()))
}

/// The other side of [`probe`].
///
/// # Errors
/// When the library cannot be loaded or lacks the symbol.
pub(super) fn load(library: &str, symbol: &str) -> Outcome {
    // SAFETY: loading runs the library's initialisers. Those of the libraries named are meant to
    // be run by any program that loads them, and this process does nothing else.
    let library = unsafe { libloading::Library::new(library)? };
    // SAFETY: the symbol is looked up, never called.
    unsafe { library.get::<*const ()>(symbol)? };
    // Unloading runs destructors that some libraries cannot bear.
    std::mem::forget(library);
    Ok(())
}
