//! The runtime directory: where the native libraries and the models lie that `tollgate setup`
//! fetched.

use std::env;
use std::path::{Path, PathBuf};

/// Names the runtime directory when it is not where [`Runtime::locate`] would look.
pub const VARIABLE: &str = "TOLLGATE_RUNTIME";
const DIRECTORY: &str = ".runtime";
const LOCK_FILE: &str = "runtime.lock.toml";

/// Paths inside the runtime directory. That they exist is for [`crate::setup::ready`] to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    dir: PathBuf,
}

impl Runtime {
    /// `TOLLGATE_RUNTIME` if it is set; else `.runtime` beside the lock file of the source tree
    /// that the working directory, or else the executable, is in; else `.runtime` beside the
    /// executable.
    pub fn locate() -> Runtime {
        let named = env::var_os(VARIABLE)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from);
        let working = env::current_dir().ok();
        let executable = env::current_exe().ok();
        Runtime {
            dir: choose(named, working.as_deref(), executable.as_deref()),
        }
    }

    /// The runtime directory itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// ONNX Runtime, which runs the name-recognition model.
    pub fn onnxruntime(&self) -> PathBuf {
        self.dir.join("onnxruntime/libonnxruntime.so")
    }

    /// The engine of the embedded store.
    pub fn chdb(&self) -> PathBuf {
        self.dir.join("chdb/libchdb.so")
    }

    /// The embedded local model.
    pub fn local_model(&self) -> PathBuf {
        self.dir.join("smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    }
}

impl From<PathBuf> for Runtime {
    fn from(dir: PathBuf) -> Runtime {
        Runtime { dir }
    }
}

fn choose(named: Option<PathBuf>, working: Option<&Path>, executable: Option<&Path>) -> PathBuf {
    let in_tree = |path: &Path| {
        let root = path.ancestors().find(|dir| dir.join(LOCK_FILE).is_file())?;
        Some(root.join(DIRECTORY))
    };
    named
        .or_else(|| working.and_then(in_tree))
        .or_else(|| executable.and_then(in_tree))
        .or_else(|| Some(executable?.parent()?.join(DIRECTORY)))
        .unwrap_or_else(|| PathBuf::from(DIRECTORY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_then_the_tree_then_the_executable() {
        let tree = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let inside = tree.path().join("a/b");
        std::fs::create_dir_all(&inside).unwrap();
        std::fs::write(tree.path().join(LOCK_FILE), "").unwrap();
        let outside = elsewhere.path().join("tollgate");

        let named = Some(PathBuf::from("/named"));
        assert_eq!(choose(named, Some(&inside), None), Path::new("/named"));
        assert_eq!(
            choose(None, Some(&inside), Some(&outside)),
            tree.path().join(".runtime")
        );
        assert_eq!(
            choose(None, Some(elsewhere.path()), Some(&inside)),
            tree.path().join(".runtime")
        );
        assert_eq!(
            choose(None, Some(elsewhere.path()), Some(&outside)),
            elsewhere.path().join(".runtime")
        );
    }
}
