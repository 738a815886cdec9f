//! Fetches packages through the ordinary clients of their registries, so that whatever proxy,
//! mirror, credentials or local source those are configured for is used here too.

use super::error::SetupError;
use super::lock::{Component, Kind};
use super::progress::Progress;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// How much of a client's output an error repeats.
const OUTPUT_LINES_MAX: usize = 8;
/// How often the progress line is brought up to date.
const POLL: Duration = Duration::from_millis(200);

/// Makes the client of `component`'s registry put its artifact into `downloads`.
///
/// # Errors
/// When there is no client, or it fails, each cause as its own error.
pub fn fetch(
    component: &Component,
    downloads: &Path,
    progress: &mut Progress,
) -> Result<(), SetupError> {
    let tool = tool_of(component.kind);
    let mut command = client(component.kind).ok_or_else(|| SetupError::Tool {
        tool,
        package: title(component),
    })?;
    command
        .args(arguments(component))
        .current_dir(downloads)
        .stdin(Stdio::null());

    // Its output goes to a file: a pipe that nobody empties would stop it.
    let log = downloads.join(format!("{}.log", component.id));
    let open = || {
        let file = File::create(&log)?;
        Ok((file.try_clone()?, file))
    };
    let (out, err) = open().map_err(|source: io::Error| SetupError::io("create", &log, source))?;
    let run = || {
        let mut child = command.stdout(out).stderr(err).spawn()?;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            progress.tick(&format!("downloading by {tool}"), 0, component.size);
            thread::sleep(POLL);
        }
    };
    let status = run().map_err(|source: io::Error| SetupError::Fetch {
        tool,
        package: title(component),
        output: source.to_string(),
    })?;
    let output = std::fs::read(&log).unwrap_or_default();
    let _ = std::fs::remove_file(&log);
    if status.success() {
        return Ok(());
    }
    Err(classify(
        component,
        downloads,
        &String::from_utf8_lossy(&output),
    ))
}

/// The package as its client names it.
pub fn title(component: &Component) -> String {
    format!("{} {}", component.package, component.version)
}

/// The client's name.
pub fn tool_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Pip => "pip",
        Kind::Npm => "npm",
    }
}

/// The first client that answers on this machine.
fn client(kind: Kind) -> Option<Command> {
    let candidates: &[&[&str]] = match kind {
        Kind::Pip => &[&["python3", "-m", "pip"], &["pip3"], &["pip"]],
        Kind::Npm => &[&["npm"]],
    };
    candidates.iter().find_map(|words| {
        let command = || {
            let mut command = Command::new(words[0]);
            command.args(&words[1..]);
            command
        };
        let mut probe = command();
        probe
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        probe
            .status()
            .is_ok_and(|status| status.success())
            .then(command)
    })
}

fn arguments(component: &Component) -> Vec<String> {
    let words: &[&str] = match component.kind {
        // The library inside the wheel does not depend on the interpreter: the same wheel is taken
        // whatever Python this machine has.
        Kind::Pip => &[
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--python-version=3.11",
            "--implementation=cp",
            "--abi=cp311",
            "--platform=manylinux_2_28_x86_64",
            "--disable-pip-version-check",
            "--no-input",
            "--progress-bar=off",
            "--dest=.",
        ],
        Kind::Npm => &[
            "pack",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ],
    };
    let pinned = match component.kind {
        Kind::Pip => format!("{}=={}", component.package, component.version),
        Kind::Npm => format!("{}@{}", component.package, component.version),
    };
    words
        .iter()
        .map(|word| (*word).to_owned())
        .chain([pinned])
        .collect()
}

/// What a client's output means for the reader.
fn classify(component: &Component, downloads: &Path, output: &str) -> SetupError {
    const FULL: &[&str] = &["No space left on device", "ENOSPC", "Disk quota exceeded"];
    const DENIED: &[&str] = &[
        "EACCES",
        "EROFS",
        "Permission denied",
        "Read-only file system",
    ];
    const NETWORK: &[&str] = &[
        "NewConnectionError",
        "ConnectTimeoutError",
        "ProxyError",
        "ReadTimeoutError",
        "NameResolutionError",
        "Failed to establish a new connection",
        "Temporary failure in name resolution",
        "Network is unreachable",
        "Connection refused",
        "ENOTFOUND",
        "EAI_AGAIN",
        "ECONNREFUSED",
        "ECONNRESET",
        "ETIMEDOUT",
        "ENETUNREACH",
        "ENOTCACHED",
    ];
    let says = |words: &[&str]| words.iter().any(|word| output.contains(word));
    let (tool, package) = (tool_of(component.kind), title(component));
    if says(FULL) {
        SetupError::Space {
            dir: downloads.to_owned(),
            needed: 0,
            available: 0,
        }
    } else if says(DENIED) {
        SetupError::Unwritable {
            path: downloads.to_owned(),
            source: io::Error::new(io::ErrorKind::PermissionDenied, last_lines(output)),
        }
    } else if says(NETWORK) {
        SetupError::Network {
            tool,
            package,
            output: last_lines(output),
        }
    } else {
        SetupError::Fetch {
            tool,
            package,
            output: last_lines(output),
        }
    }
}

/// The end of a client's output, indented, without the credentials that an index's URL may carry.
fn last_lines(output: &str) -> String {
    let lines: Vec<_> = output
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let tail = &lines[lines.len().saturating_sub(OUTPUT_LINES_MAX)..];
    tail.iter()
        .map(|line| format!("  {}", without_credentials(line)))
        .collect::<Vec<_>>()
        .join("\n")
}

fn without_credentials(line: &str) -> String {
    let mut kept = String::new();
    let mut rest = line;
    while let Some(start) = rest.find("://") {
        let (head, tail) = rest.split_at(start + 3);
        kept.push_str(head);
        let authority = tail.find(['/', ' ', '"', '\'', ')']).unwrap_or(tail.len());
        rest = match tail[..authority].rfind('@') {
            Some(at) => {
                kept.push_str("***");
                &tail[at..]
            }
            None => tail,
        };
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(kind: Kind) -> Component {
        Component {
            id: "one".into(),
            kind,
            package: "one".into(),
            version: "1.0".into(),
            artifact: "one.whl".into(),
            sha256: String::new(),
            size: 1,
            purpose: String::new(),
            licence: String::new(),
            attribution: String::new(),
            files: Vec::new(),
        }
    }

    #[test]
    fn a_clients_words_become_the_error_that_helps() {
        let cases = [
            (
                Kind::Npm,
                "npm error code ENOSPC\nnpm error nospc",
                "free space",
            ),
            (Kind::Npm, "npm error code EACCES", "cannot be written"),
            (
                Kind::Npm,
                "npm error code ENOTFOUND",
                "npm could not reach its registry",
            ),
            (
                Kind::Pip,
                "WARNING: Retrying after connection broken by 'NewConnectionError'\nERROR: No \
                 matching distribution found for one==1.0",
                "pip could not reach its registry",
            ),
            (
                Kind::Pip,
                "ERROR: No matching distribution found for one==1.0",
                "pip could not fetch",
            ),
            (
                Kind::Npm,
                "npm error 404 Not Found",
                "npm could not fetch one 1.0",
            ),
        ];
        for (kind, output, expected) in cases {
            let error = classify(&component(kind), Path::new("downloads"), output);
            assert!(error.to_string().contains(expected), "{output}: {error}");
            assert!(!error.help().is_empty());
        }
    }

    #[test]
    fn credentials_in_an_index_url_are_not_repeated() {
        let line = "Looking in indexes: https://ann:s3cret@host.test/simple, http://b@host.test";
        let shown = without_credentials(line);
        assert_eq!(
            shown,
            "Looking in indexes: https://***@host.test/simple, http://***@host.test"
        );
        assert_eq!(
            without_credentials("see https://host.test/a@b"),
            "see https://host.test/a@b"
        );
    }
}
