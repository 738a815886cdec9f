//! The filter over exchanges: words that must all match. `effect:block team:payments IBAN` shows
//! the blocked exchanges of the payments team that held an IBAN.

use crate::model::Exchange;
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// What a word with a colon can ask about.
pub const FIELDS: &[(&str, &str)] = &[
    ("effect:", "permit, redact, local, block"),
    ("team:", "part of the team's name"),
    ("entity:", "beginning of a label, such as IBAN"),
    ("caller:", "part of the caller's name"),
    ("model:", "part of the model's name"),
    ("route:", "part of the endpoint's name, or its jurisdiction"),
    ("rule:", "part of the rule's id"),
    (
        "outcome:",
        "answered, blocked, refused, …, or an error code",
    ),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Any,
    Effect,
    Team,
    Entity,
    Caller,
    Model,
    Route,
    Rule,
    Outcome,
}

/// Words that must all match; the empty filter matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    text: String,
    words: Vec<Word>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    field: Field,
    value: String,
    /// Written in quotes: the whole value, not a part of it.
    exact: bool,
}

/// A word asks about a field that exchanges do not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no field {0:?}: use effect, team, entity, caller, model, route, rule or outcome")]
pub struct UnknownField(String);

impl FromStr for Filter {
    type Err = UnknownField;

    fn from_str(text: &str) -> Result<Filter, UnknownField> {
        let words = split(text)
            .into_iter()
            .map(word)
            .collect::<Result<_, _>>()?;
        Ok(Filter {
            text: text.trim().to_owned(),
            words,
        })
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Words, split at white space outside quotes.
fn split(text: &str) -> Vec<&str> {
    let mut quoted = false;
    text.split(|c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    })
    .filter(|word| !word.is_empty())
    .collect()
}

fn word(word: &str) -> Result<Word, UnknownField> {
    let (field, value) = match word.split_once(':') {
        None => (Field::Any, word),
        Some(("effect", value)) => (Field::Effect, value),
        Some(("team", value)) => (Field::Team, value),
        Some(("entity", value)) => (Field::Entity, value),
        Some(("caller", value)) => (Field::Caller, value),
        Some(("model", value)) => (Field::Model, value),
        Some(("route", value)) => (Field::Route, value),
        Some(("rule", value)) => (Field::Rule, value),
        Some(("outcome", value)) => (Field::Outcome, value),
        Some((name, _)) => return Err(UnknownField(name.to_owned())),
    };
    Ok(Word {
        field,
        exact: value.len() > 1 && value.starts_with('"') && value.ends_with('"'),
        value: value.trim_matches('"').to_lowercase(),
    })
}

impl Filter {
    /// The filter for exactly one value of a field of [`FIELDS`].
    pub fn exactly(field: &str, value: &str) -> Filter {
        format!("{field}:\"{value}\"").parse().unwrap_or_default()
    }

    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The exchange asked for, when the filter is the id of one.
    pub fn exchange_id(&self) -> Option<Uuid> {
        self.text.parse().ok()
    }

    /// Whether the exchange is shown.
    pub fn matches(&self, exchange: &Exchange) -> bool {
        self.words
            .iter()
            .all(|word| matches(word, word.field, exchange))
    }
}

fn matches(word: &Word, field: Field, exchange: &Exchange) -> bool {
    let record = &exchange.record;
    let whole = |text: &str| text.to_lowercase() == word.value;
    let part = |text: &str| match word.exact {
        true => whole(text),
        false => text.to_lowercase().contains(&word.value),
    };
    let head = |text: &str| match word.exact {
        true => whole(text),
        false => text.to_lowercase().starts_with(&word.value),
    };
    match field {
        Field::Effect => head(record.decision.effect.as_str()),
        Field::Team => part(&record.team),
        Field::Entity => record.findings.keys().any(|label| head(label)),
        Field::Caller => part(&record.caller),
        Field::Model => part(&record.model),
        Field::Route => record
            .route
            .as_ref()
            .is_some_and(|route| part(&route.endpoint) || whole(&route.jurisdiction)),
        Field::Rule => part(&record.decision.rule),
        Field::Outcome => head(record.outcome.as_str()) || part(&record.error),
        Field::Any => {
            use Field::{Caller, Effect, Entity, Model, Outcome, Route, Rule, Team};
            [Effect, Team, Entity, Caller, Model, Route, Rule, Outcome]
                .into_iter()
                .any(|field| matches(word, field, exchange))
                || head(&record.exchange.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up;

    fn found(filter: &str) -> Vec<u64> {
        let filter: Filter = filter.parse().unwrap();
        made_up::few()
            .exchanges
            .iter()
            .filter(|exchange| filter.matches(exchange))
            .map(|exchange| exchange.seq)
            .collect()
    }

    #[test]
    fn every_word_must_match() {
        assert_eq!(found("").len(), made_up::few().exchanges.len());
        let blocked = found("effect:block");
        assert!(!blocked.is_empty() && blocked.len() < made_up::few().exchanges.len());
        assert_eq!(found("block effect:block"), blocked);
        assert!(found("effect:block outcome:answered").is_empty());
        assert_eq!(found("EFFECT").len(), 0);
        assert!(!found("team:研究").is_empty());
        assert!(!found("iban").is_empty());
    }

    #[test]
    fn quotes_mean_the_whole_value() {
        assert!(!found("entity:DATE").is_empty());
        assert_eq!(found("entity:\"DATE\"").len(), 0);
        let long = "Group Treasury, Risk and Regulatory Reporting";
        assert!(!found(&Filter::exactly("team", long).to_string()).is_empty());
        assert!(found("team:\"Group\"").is_empty());
    }

    #[test]
    fn unknown_fields_are_said() {
        let error = "colour:red".parse::<Filter>().unwrap_err();
        assert!(error.to_string().contains("\"colour\""));
    }

    #[test]
    fn an_id_asks_for_one_exchange() {
        let id = made_up::few().exchanges[0].record.exchange;
        let filter: Filter = id.to_string().parse().unwrap();
        assert_eq!(filter.exchange_id(), Some(id));
        assert_eq!(found(&id.to_string()).len(), 1);
    }
}
