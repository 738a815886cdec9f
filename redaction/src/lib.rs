//! Finds personal data and secrets in text; placeholders for them, and their restoration.
//!
//! ```text
//!  segments ─┬─ pattern   rule packs: shapes, check digits, context      rules/recognizers/
//!            ├─ terms     word lists: special categories, own terms      rules/terms/
//!            ├─ normalise the same again where text is encoded or disguised  rules/normalise/
//!            └─ ner       names and addresses, by a model on ONNX Runtime
//!                 └─ resolve ─> Inspection: ordered, disjoint findings of each segment
//! ```
//!
//! An inspection says what is where; it does not judge (the policy does) and does not change
//! (operators, placeholders and the vault do). This crate knows no HTTP, no JSON but the
//! descriptions of models, opens no file but its rules and its models, and keeps no text between inspections.

pub mod config;
pub mod operator;
pub mod placeholder;
pub mod restore;
pub mod vault;

mod adjust;
mod checks;
mod classes;
mod context;
mod cpu;
mod entity;
mod error;
mod explain;
mod finding;
mod lexicon;
mod names;
mod ner;
mod normalise;
mod pack;
mod pattern;
mod recognizer;
mod redactor;
mod resolve;
mod ruleset;
mod scan;
mod span;
mod terms;

pub use adjust::{Adjustments, Allow};
pub use config::{Device, ModelConfig, ModelKind, NerConfig, RedactorConfig};
pub use entity::{Category, Entity, UnknownEntity};
pub use error::Error;
pub use explain::{Explanation, Steps};
pub use finding::{Finding, Jurisdiction};
pub use recognizer::Recognizer;
pub use redactor::{Hints, Inspection, Language, Redactor, Summary};
pub use resolve::resolve;
pub use scan::{ScanSpan, scan_line};
pub use span::Span;
