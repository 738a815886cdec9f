//! How a redactor is set up.

use crate::{Entity, Jurisdiction};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{collections::BTreeMap, fmt, path::PathBuf, str::FromStr};

/// Where the rules are and how the model runs.
#[derive(Clone, Debug, PartialEq)]
pub struct RedactorConfig {
    /// The directory that holds `recognizers/` and `terms/`.
    pub rules_dir: PathBuf,
    /// Where the deployment is at home: identifiers of these count with less evidence.
    pub jurisdictions: Vec<Jurisdiction>,
    /// The recognition model.
    pub ner: NerConfig,
}

/// The recognition model that finds names and addresses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NerConfig {
    /// Where it runs, or that it does not.
    pub device: Device,
    /// The directory that holds `onnxruntime/` and `rampart/`.
    pub runtime_dir: PathBuf,
    /// Inferences at once, each on one thread of its own; at least 1.
    pub threads: usize,
    /// The most windows (of up to about 400 bytes) that one inspection may have the model read
    /// anew; beyond it the inspection fails, and so closes. What rules, the cache and repetition
    /// settle does not count.
    pub max_windows: usize,
    /// How many windows' results are remembered, as keyed hashes and labels, without text. One
    /// takes about 150 bytes; 0 remembers none.
    pub cache_windows: usize,
    /// Whether the built-in model reads everything, not only what can hold a name. It finds a little
    /// more (`docs/detection.md`) and costs its time on all text.
    pub all_text: bool,
    /// Models that the deployment adds to the built-in one, `[[ner.model]]`.
    pub model: Vec<ModelConfig>,
}

/// A model that a deployment adds: it can only add findings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// What its findings are called by: `ner/<name>`.
    pub name: String,
    /// The directory that holds it: `tokenizer.json`, the model, and `config.json` or, for a GLiNER,
    /// `gliner_config.json`.
    pub path: PathBuf,
    /// The model in that directory, in ONNX form.
    #[serde(default = "model_file")]
    pub file: String,
    /// How it says what it finds.
    #[serde(default)]
    pub kind: ModelKind,
    /// Its labels that count, and the entities that they mean. A GLiNER is asked for these labels, in
    /// their words (`"street address"`); of a token classifier's labels the others are ignored.
    pub labels: BTreeMap<String, Entity>,
    /// The least probability at which a label counts, above 0, at most 1.
    #[serde(default = "threshold")]
    pub threshold: f32,
    /// The same for single labels.
    #[serde(default)]
    pub thresholds: BTreeMap<String, f32>,
    /// Languages (ISO 639-1) that it reads; empty: all. Text whose language nobody knows is read by
    /// every model.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Whether it reads everything, not only what can hold a name: for labels that come in lower case,
    /// at the price of the model's time on all text.
    #[serde(default)]
    pub all_text: bool,
}

/// How a model says what it finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    /// A class for each token (`BertForTokenClassification` and its like).
    #[default]
    Tokens,
    /// A score for each span and label (GLiNER, span mode).
    Gliner,
}

fn model_file() -> String {
    "model.onnx".into()
}

fn threshold() -> f32 {
    0.5
}

impl Default for NerConfig {
    fn default() -> Self {
        Self {
            device: Device::Auto,
            runtime_dir: ".runtime".into(),
            threads: std::thread::available_parallelism()
                .map_or(1, usize::from)
                .min(16),
            max_windows: 20_000,
            cache_windows: 65_536,
            all_text: false,
            model: Vec::new(),
        }
    }
}

/// Where the model runs. Written `off`, `auto`, `cpu`, `cuda` or `cuda:N`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// Not at all: rules only.
    Off,
    /// A CUDA device where one can be used, otherwise the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA device of that number; an error where it cannot be used.
    Cuda(u32),
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Off => f.write_str("off"),
            Device::Auto => f.write_str("auto"),
            Device::Cpu => f.write_str("cpu"),
            Device::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// A device written in a way that is none of `off`, `auto`, `cpu`, `cuda`, `cuda:N`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown device `{0}`; expected off, auto, cpu, cuda or cuda:N")]
pub struct UnknownDevice(String);

impl FromStr for Device {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, UnknownDevice> {
        match text {
            "off" => Ok(Device::Off),
            "auto" => Ok(Device::Auto),
            "cpu" => Ok(Device::Cpu),
            "cuda" => Ok(Device::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|number| number.parse().ok())
                .map(Device::Cuda)
                .ok_or_else(|| UnknownDevice(text.to_owned())),
        }
    }
}

impl Serialize for Device {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Device {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_round_trip() {
        for text in ["off", "auto", "cpu", "cuda:0", "cuda:3"] {
            assert_eq!(text.parse::<Device>().unwrap().to_string(), text);
        }
        for wrong in ["gpu", "cuda:", "cuda:x", "CPU", ""] {
            assert!(wrong.parse::<Device>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_empty_table_is_the_default() {
        assert_eq!(
            toml::from_str::<NerConfig>("").unwrap(),
            NerConfig::default()
        );
        assert!(toml::from_str::<NerConfig>("devise = \"cpu\"").is_err());
    }
}
