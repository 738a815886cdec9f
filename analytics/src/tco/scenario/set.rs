//! `key=value`: one input or choice set from the command line.

use super::{Quantity, Scenario, file};
use crate::tax::Standing;
use crate::tco::distribution::Distribution;
use crate::tco::input::Input;
use crate::tco::near::near;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

/// Why an assignment was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--set {assignment}: {reason}")]
pub struct SetError {
    assignment: String,
    reason: String,
}

const CHOICES: [&str; 3] = ["choice.tax", "choice.hosting", "choice.gpu"];

pub(super) fn set(scenario: &mut Scenario, assignment: &str) -> Result<(), SetError> {
    apply(scenario, assignment).map_err(|reason| SetError {
        assignment: assignment.to_owned(),
        reason,
    })
}

fn apply(scenario: &mut Scenario, assignment: &str) -> Result<(), String> {
    let (key, value) = assignment
        .split_once('=')
        .ok_or("expected key=value, such as demand.requests=2000000")?;
    let (key, value) = (key.trim(), value.trim());
    match key {
        "choice.tax" => scenario.choice.tax = word(value)?,
        "choice.hosting" => scenario.choice.hosting = word(value)?,
        "choice.gpu" => scenario.choice.gpu = word(value)?,
        _ => {
            let input = Input::named(key).ok_or_else(|| {
                let known = file::keys().chain(CHOICES);
                format!("unknown key {key:?}; {}", near(key, known))
            })?;
            let distribution = distribution(input, value)?;
            file::check_bounds(input, &distribution)?;
            let quantity = Quantity {
                distribution,
                source: format!("given as --set {assignment}"),
                standing: Standing::Assumed,
            };
            scenario.put(input, quantity);
        }
    }
    Ok(())
}

fn word<T: DeserializeOwned>(value: &str) -> Result<T, String> {
    let text: StrDeserializer<'_, serde::de::value::Error> = value.into_deserializer();
    T::deserialize(text).map_err(|error| error.to_string())
}

fn distribution(input: Input, value: &str) -> Result<Distribution, String> {
    let number = |text: &str| {
        let plain = text.trim().replace('_', "");
        let parsed = plain.parse().ok().filter(|number: &f64| number.is_finite());
        parsed.ok_or_else(|| format!("{text:?} is not a number: expected 5, 1..9 or 1..5..9"))
    };
    let numbers: Result<Vec<f64>, String> = value.split("..").map(number).collect();
    let made = match *numbers?.as_slice() {
        [chance] if input == Input::OverrunEvent => Distribution::event(chance),
        [value] => Ok(Distribution::Fixed(value)),
        [low, high] => Distribution::uniform(low, high),
        [low, mode, high] => Distribution::pert(low, mode, high),
        _ => return Err("expected 5, 1..9 or 1..5..9".to_owned()),
    };
    made.map_err(|error| error.to_string())
}
