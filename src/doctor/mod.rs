//! `tollgate doctor`: what is present, what is missing, and how to get it.
//!
//! It changes nothing and goes on after a fault: one run shows everything.

mod machine;
mod native;
mod settings;

use crate::args::DoctorArgs;
use crate::config::{Config, ConfigError};
use crate::exit::{Failure, Outcome};
use crate::runtime::Runtime;
use serde::Serialize;
use std::io::{self, Write};

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Level {
    /// As it should be.
    Ok,
    /// The gate runs, but less well than it could, or not as one may expect.
    Warn,
    /// The gate cannot run so.
    Fail,
}

/// One thing looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: String,
    level: Level,
    says: String,
    /// What to do about it; nothing when it is as it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Check {
    fn ok(name: impl Into<String>, says: impl Into<String>) -> Check {
        Check {
            name: name.into(),
            level: Level::Ok,
            says: says.into(),
            fix: None,
        }
    }

    fn warn(name: impl Into<String>, says: impl Into<String>, fix: impl Into<String>) -> Check {
        Check {
            level: Level::Warn,
            fix: Some(fix.into()),
            ..Check::ok(name, says)
        }
    }

    fn fail(name: impl Into<String>, says: impl Into<String>, fix: impl Into<String>) -> Check {
        Check {
            level: Level::Fail,
            fix: Some(fix.into()),
            ..Check::ok(name, says)
        }
    }
}

/// Looks at everything and prints it.
///
/// # Errors
/// When the gate could not run as things are.
pub fn run(args: &DoctorArgs, config: Result<Config, ConfigError>) -> Outcome {
    if let Some([library, symbol]) = args.probe.as_deref() {
        return native::load(library, symbol);
    }
    let runtime = Runtime::locate();
    let checks = look(&runtime, config);
    let failed = checks
        .iter()
        .filter(|check| check.level == Level::Fail)
        .count();
    let mut out = io::stdout().lock();
    if args.json {
        let shown = serde_json::json!({ "usable": failed == 0, "checks": checks });
        writeln!(out, "{shown}")?;
    } else {
        print(&checks, &mut out)?;
    }
    match failed {
        0 => Ok(()),
        1 => Err(Failure::new(
            "the gate cannot run: one thing is missing or wrong, see FAIL above",
        )),
        _ => Err(Failure::new(format!(
            "the gate cannot run: {failed} things are missing or wrong, see FAIL above"
        ))),
    }
}

fn look(runtime: &Runtime, config: Result<Config, ConfigError>) -> Vec<Check> {
    let mut checks = machine::look(runtime);
    match config {
        Ok(config) => {
            checks.extend(native::look(runtime, &config));
            checks.extend(settings::look(runtime, &config));
        }
        Err(error) => {
            checks.extend(native::look(runtime, &Config::default()));
            checks.push(Check::fail(
                "configuration",
                error.to_string(),
                "correct the file",
            ));
        }
    }
    checks
}

fn print(checks: &[Check], out: &mut impl Write) -> io::Result<()> {
    for Check {
        name,
        level,
        says,
        fix,
    } in checks
    {
        let level = match level {
            Level::Ok => "OK  ",
            Level::Warn => "WARN",
            Level::Fail => "FAIL",
        };
        writeln!(out, "{level}  {name}: {says}")?;
        if let Some(fix) = fix {
            writeln!(out, "      to do: {fix}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn level(checks: &[Check], name: &str) -> Level {
        let found = checks.iter().find(|check| check.name == name);
        found
            .unwrap_or_else(|| panic!("no check named {name}: {checks:?}"))
            .level
    }

    #[test]
    fn an_empty_runtime_directory_fails_each_part_that_is_needed() {
        let empty = tempfile::tempdir().unwrap();
        let runtime = Runtime::from(empty.path().to_owned());
        let text = "[[endpoint]]\nname = \"local\"\nwire = \"openai\"\non_prem = true\n";
        let config = Config::parse(Path::new("test.toml"), text).unwrap();
        let checks = native::look(&runtime, &config);
        for part in ["onnxruntime", "rampart", "smollm2", "chdb"] {
            assert_eq!(level(&checks, part), Level::Fail, "{part}");
        }
        let text = "[ner]\ndevice = \"off\"\n[analytics]\nurl = \"http://store.test:8123\"\n";
        let config = Config::parse(Path::new("test.toml"), text).unwrap();
        let checks = native::look(&runtime, &config);
        assert!(
            checks.iter().all(|check| check.level < Level::Fail),
            "{checks:?}"
        );
    }

    #[test]
    fn a_malformed_configuration_is_one_finding_among_others() {
        let runtime = Runtime::from(Path::new("/nonexistent").to_owned());
        let checks = look(&runtime, Config::parse(Path::new("test.toml"), "[listn]"));
        assert_eq!(level(&checks, "configuration"), Level::Fail);
        assert!(checks.len() > 5, "{checks:?}");
    }

    #[test]
    fn what_is_wrong_says_what_to_do() {
        let checks = [
            Check::ok("a", "is there"),
            Check::warn("b", "is old", "renew it"),
            Check::fail("c", "is missing", "get it"),
        ];
        let mut out = Vec::new();
        print(&checks, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "OK    a: is there\nWARN  b: is old\n      to do: renew it\n\
             FAIL  c: is missing\n      to do: get it\n"
        );
    }
}
