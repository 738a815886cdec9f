//! Where tests find the real model.

use std::path::PathBuf;

/// The model that the set-up unpacks.
///
/// # Panics
/// If it is not there.
pub(crate) fn model_path() -> PathBuf {
    let runtime = std::env::var_os("TOLLGATE_RUNTIME").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.runtime")),
        PathBuf::from,
    );
    let path = runtime.join("smollm2/SmolLM2-135M-Instruct.Q4_1.gguf");
    assert!(
        path.is_file(),
        "{} is missing: run the set-up, or set TOLLGATE_RUNTIME to a folder that has it",
        path.display()
    );
    path
}
