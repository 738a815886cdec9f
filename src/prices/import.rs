//! `tollgate prices import`.

use super::start_of;
use crate::clock;
use crate::exit::{Failure, Outcome};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use tollgate_analytics::price::import::{Error, Import};

const DATA: &str = "genai_prices/data.py";
/// The data of 0.2.3 has 1.6 MB.
const DATA_BYTES_MAX: u64 = 64 << 20;

/// Imports, and says what changed and what could not be taken over.
pub(super) fn run(from: &Path, out: &Path, known_at: Option<Date>, json: bool) -> Outcome {
    let package = Package::read(from).map_err(|reason| {
        Failure::usage(format!("{}: {reason}", from.display())).help(
            "fetch the package with `pip download genai-prices==0.2.3 --no-deps`, and name the wheel",
        )
    })?;
    let known_at = known_at.unwrap_or_else(|| TimeZone::UTC.to_datetime(clock::now()).date());
    let origin = format!("PyPI genai-prices {} (MIT)", package.version);
    let import =
        Import::read(&package.data, &origin, start_of(known_at)).map_err(Failure::usage)?;
    let not_carried = import.not_carried.clone();
    let summary = import.write(out).map_err(|error| match error {
        Error::Book(_) => Failure::usage(error),
        error => Failure::new(error),
    })?;

    let mut print = io::stdout().lock();
    if json {
        writeln!(
            print,
            "{}",
            json!({
                "source": origin,
                "known_at": known_at.to_string(),
                "files": summary.files,
                "models": summary.models,
                "added": summary.added,
                "changed": summary.changed,
                "kept": summary.kept,
                "not_carried": not_carried,
            })
        )?;
        return Ok(());
    }
    for line in &not_carried {
        writeln!(print, "not as it is: {line}")?;
    }
    for model in &summary.changed {
        writeln!(print, "changed: {model}")?;
    }
    writeln!(
        print,
        "{origin}, known at {known_at}: {} providers, {} models ({} new, {} with changed prices); \
         {} models that it no longer has are kept",
        summary.files.len(),
        summary.models,
        summary.added,
        summary.changed.len(),
        summary.kept
    )?;
    Ok(())
}

/// The data of the package and its version.
struct Package {
    data: String,
    version: String,
}

impl Package {
    fn read(from: &Path) -> Result<Package, String> {
        if from.is_file() && from.extension().is_some_and(|extension| extension == "whl") {
            return Package::from_wheel(from);
        }
        let candidates = [from.to_owned(), from.join("data.py"), from.join(DATA)];
        let file = candidates.iter().find(|file| file.is_file());
        let file =
            file.ok_or("expected a wheel, data.py, or a directory with genai_prices/data.py")?;
        let data = bounded(File::open(file).map_err(|error| error.to_string())?)?;
        let version = installed_version(file).unwrap_or_else(|| "of unknown version".to_owned());
        Ok(Package { data, version })
    }

    fn from_wheel(wheel: &Path) -> Result<Package, String> {
        let name = wheel
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let version = name.split('-').nth(1).unwrap_or("of unknown version");
        let file = File::open(wheel).map_err(|error| error.to_string())?;
        let mut archive = zip::ZipArchive::new(file).map_err(|error| error.to_string())?;
        let data = archive
            .by_name(DATA)
            .map_err(|_| format!("has no {DATA}: expected a wheel of genai-prices"))?;
        Ok(Package {
            data: bounded(data)?,
            version: version.to_owned(),
        })
    }
}

/// The version that `genai_prices-0.2.3.dist-info` beside the package's directory tells.
fn installed_version(data: &Path) -> Option<String> {
    let beside: PathBuf = data.parent()?.parent()?.into();
    let names = std::fs::read_dir(beside).ok()?;
    names.flatten().find_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let version = name
            .strip_prefix("genai_prices-")?
            .strip_suffix(".dist-info")?;
        Some(version.to_owned())
    })
}

fn bounded(reader: impl Read) -> Result<String, String> {
    let mut text = String::new();
    let read = reader.take(DATA_BYTES_MAX + 1).read_to_string(&mut text);
    match read {
        Ok(bytes) if bytes as u64 > DATA_BYTES_MAX => {
            Err("is too large to be price data".to_owned())
        }
        Ok(_) => Ok(text),
        Err(error) => Err(error.to_string()),
    }
}
