//! Judgement: given what was found and where a request would go, may it?
//!
//! Pure: no I/O, no clock, no knowledge of HTTP. Deny-overrides, the combining rule of XACML and
//! Cedar: every rule that matches is heard and the strictest effect wins, so a rule added later
//! can only tighten. A request that no rule matches is blocked.

mod decide;
mod rule;

pub use decide::{Decision, Facts, Judgement, Match, Target};
pub use rule::{PolicyFile, Rule, Selector, When};

use sha2::{Digest, Sha256};

/// A policy, checked and ready.
#[derive(Clone, Debug)]
pub struct Policy {
    rules: Vec<Rule>,
    version: String,
}

/// Why a policy file was refused.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Not the TOML that a policy is made of; the message has line and expectation.
    #[error("not a valid policy: {0}")]
    Parse(#[from] toml::de::Error),
    /// A rule that cannot be meant.
    #[error("rule {id:?}: {problem}")]
    Rule {
        /// The rule's id.
        id: String,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// A file without rules would block everything.
    #[error("expected at least one [[rule]]; a policy without rules blocks everything")]
    Empty,
}

impl Policy {
    /// Reads and checks a policy file's text.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let file: PolicyFile = toml::from_str(text)?;
        if file.rule.is_empty() {
            return Err(PolicyError::Empty);
        }
        let mut ids = std::collections::HashSet::new();
        for rule in &file.rule {
            check(rule)?;
            if !ids.insert(rule.id.as_str()) {
                return Err(problem(rule, "its id stands twice; expected unique ids"));
            }
        }
        let version = hex16(&Sha256::digest(text.as_bytes()));
        Ok(Policy {
            rules: file.rule,
            version,
        })
    }

    /// First 16 hex digits of the SHA-256 of the file's text.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The rules, in file order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

fn problem(rule: &Rule, problem: &str) -> PolicyError {
    PolicyError::Rule {
        id: rule.id.clone(),
        problem: problem.into(),
    }
}

fn check(rule: &Rule) -> Result<(), PolicyError> {
    use tollgate_analytics::record::Effect;
    let when = &rule.when;
    let id_ok = !rule.id.is_empty()
        && rule.id.len() <= 64
        && rule
            .id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if !id_ok {
        return Err(problem(
            rule,
            "expected an id of 1 to 64 letters, digits, '-', '_', '.'",
        ));
    }
    if rule.reason.is_empty() || rule.reason.len() > 200 {
        return Err(problem(rule, "expected a reason of 1 to 200 bytes"));
    }
    if !(0.0..=1.0).contains(&when.score_min) {
        return Err(problem(rule, "expected score_min between 0 and 1"));
    }
    if when.entities.is_empty()
        && !(when.except.is_empty() && when.together_with.is_empty() && when.count_min == 0)
    {
        return Err(problem(
            rule,
            "except, together_with and count_min need entities",
        ));
    }
    if rule.effect == Effect::Redact && when.entities.is_empty() {
        return Err(problem(
            rule,
            "effect redact needs when.entities: what is to be replaced",
        ));
    }
    if rule.effect != Effect::Redact && !rule.operators.is_empty() {
        return Err(problem(rule, "operators go with effect redact"));
    }
    Ok(())
}

fn hex16(digest: &[u8]) -> String {
    digest.iter().take(8).map(|b| format!("{b:02x}")).collect()
}
