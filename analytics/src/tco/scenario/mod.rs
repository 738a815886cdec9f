//! A scenario: a value or a range for each input, each with its source and its standing.

mod choice;
mod file;
mod set;

pub use choice::{Choice, Gpu, Hosting, TaxMethod};
pub use set::SetError;

use super::distribution::Distribution;
use super::input::{INPUTS, Input};
use crate::rules::RulesError;
use crate::tax::Standing;
use std::ops::Index;
use std::path::Path;

/// The longest horizon, in months.
pub const MONTHS_MAX: usize = 240;

/// What a scenario says about one input.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// How it is spread, in the input's unit.
    pub distribution: Distribution,
    /// Where it comes from, with the conversion of its currency, if there was one.
    pub source: String,
    /// How far it can be relied on.
    pub standing: Standing,
}

/// A whole scenario: every input is stated, no range contradicts itself, all is in USD.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What it is called, in a few words.
    pub title: String,
    /// What must be known to read it.
    pub about: String,
    /// How many months are looked at, 1 to [`MONTHS_MAX`].
    pub horizon_months: usize,
    /// Which of several ways of reckoning holds.
    pub choice: Choice,
    quantities: Vec<Quantity>,
}

impl Scenario {
    /// Reads a scenario. What it `extends` is looked for beside it, then in `library`.
    ///
    /// Fails, with file and line, on an unknown input or distribution, a missing input, a range
    /// that contradicts itself or is out of bounds, a unit that is not the input's, and a currency
    /// without a dated rate.
    pub fn load(file: &Path, library: &Path) -> Result<Scenario, RulesError> {
        file::load(file, library)
    }

    /// Reads the scenario of that name of a library.
    pub fn named(name: &str, library: &Path) -> Result<Scenario, RulesError> {
        Scenario::load(&library.join(format!("{name}.toml")), library)
    }

    /// Sets an input or a choice by `key=value`, where the value is a number, `low..high` (each as
    /// likely) or `low..mode..high` (PERT).
    pub fn set(&mut self, assignment: &str) -> Result<(), SetError> {
        set::set(self, assignment)
    }

    /// States an input anew.
    pub fn put(&mut self, input: Input, quantity: Quantity) {
        self.quantities[input.index()] = quantity;
    }

    /// The inputs that are not fixed.
    pub fn uncertain(&self) -> impl Iterator<Item = Input> + '_ {
        let inputs = INPUTS.iter().copied();
        inputs.filter(|input| !self[*input].distribution.is_fixed())
    }

    /// An input's quantile, within the input's bounds.
    pub(super) fn value(&self, input: Input, p: f64) -> f64 {
        let (min, max) = input.spec().bounds;
        self[input].distribution.quantile(p).clamp(min, max)
    }
}

impl Index<Input> for Scenario {
    type Output = Quantity;

    fn index(&self, input: Input) -> &Quantity {
        &self.quantities[input.index()]
    }
}
