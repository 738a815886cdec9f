//! From facts to a decision.

use super::Policy;
use super::rule::{Rule, Selector};
use crate::config::TransferBasis;
use crate::pattern;
use std::collections::BTreeMap;
use tollgate_analytics::record::Effect;
use tollgate_redaction::Entity;
use tollgate_redaction::operator::Operator;

/// What is known of a request, without its text.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Every finding's entity and score.
    pub findings: Vec<(Entity, f32)>,
    /// Pieces of content that cannot be inspected (images, audio, files).
    pub opaque: u32,
    /// The model asked for.
    pub model: String,
    /// `chat`, `embeddings`, `models` and so on, as in records.
    pub operation: &'static str,
    /// The caller's team.
    pub team: String,
}

/// Where a request would go.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The endpoint's name.
    pub endpoint: &'a str,
    /// Its jurisdiction.
    pub jurisdiction: &'a str,
    /// The transfer basis.
    pub transfer_basis: TransferBasis,
    /// Whether it is under our own control.
    pub on_prem: bool,
}

/// The judgement on one request at one target.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The strictest effect of all rules that matched.
    pub effect: Effect,
    /// The rule that decided; `None` when no rule matched (and so it is blocked).
    pub rule: Option<usize>,
    /// What is to be replaced, and how: the union of the redact rules that matched.
    pub redact: BTreeMap<Entity, Operator>,
    /// The lowest score that is replaced, by entity.
    pub score_min: BTreeMap<Entity, f32>,
    /// All rules that matched, in file order.
    pub matched: Vec<Match>,
}

/// A rule that matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// Index into [`Policy::rules`].
    pub rule: usize,
    /// How many findings it counted.
    pub findings: u32,
}

/// The decision on a request over all its candidate targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Index of the target chosen; `None` when it is blocked.
    pub target: Option<usize>,
    /// The effect recorded: that of the judgement which decided.
    pub effect: Effect,
    /// The judgement which decided.
    pub judgement: Judgement,
    /// Whether policy wanted it on-prem and no on-prem target could take it.
    pub no_on_prem: bool,
}

impl Policy {
    /// Judges a request at one target.
    pub fn judge(&self, facts: &Facts, target: Target<'_>) -> Judgement {
        let mut judgement = Judgement {
            effect: Effect::Block,
            rule: None,
            redact: BTreeMap::new(),
            score_min: BTreeMap::new(),
            matched: Vec::new(),
        };
        for (index, rule) in self.rules().iter().enumerate() {
            let Some(findings) = matches(rule, facts, target) else {
                continue;
            };
            judgement.matched.push(Match {
                rule: index,
                findings,
            });
            if judgement.rule.is_none() || rule.effect > judgement.effect {
                judgement.effect = rule.effect;
                judgement.rule = Some(index);
            }
            if rule.effect == Effect::Redact {
                oblige(&mut judgement, rule);
            }
        }
        judgement
    }

    /// Decides on a request: the first of `targets` (in order of preference) that policy permits,
    /// with or without redaction; else, if policy keeps it in, the first of `on_prem` that policy
    /// lets it go to; else nowhere. Both lists index into `all`.
    pub fn decide(
        &self,
        facts: &Facts,
        all: &[Target<'_>],
        targets: &[usize],
        on_prem: &[usize],
    ) -> Decision {
        let mut first: Option<Judgement> = None;
        let mut keep_in: Option<Judgement> = None;
        for &index in targets {
            let judgement = self.judge(facts, all[index]);
            let goes = match judgement.effect {
                Effect::Permit | Effect::Redact => true,
                Effect::Local => all[index].on_prem,
                Effect::Block => false,
            };
            if goes {
                let effect = judgement.effect;
                return Decision {
                    target: Some(index),
                    effect,
                    judgement,
                    no_on_prem: false,
                };
            }
            if judgement.effect == Effect::Local && keep_in.is_none() {
                keep_in = Some(judgement.clone());
            }
            first.get_or_insert(judgement);
        }
        let Some(mut kept) = keep_in else {
            let judgement = first.unwrap_or_else(|| Judgement {
                effect: Effect::Block,
                rule: None,
                redact: BTreeMap::new(),
                score_min: BTreeMap::new(),
                matched: Vec::new(),
            });
            return Decision {
                target: None,
                effect: Effect::Block,
                judgement,
                no_on_prem: false,
            };
        };
        for &index in on_prem.iter().filter(|&&i| all[i].on_prem) {
            let here = self.judge(facts, all[index]);
            if here.effect < Effect::Block {
                // What must be replaced is what the target's own judgement demands.
                kept.redact = here.redact;
                kept.score_min = here.score_min;
                return Decision {
                    target: Some(index),
                    effect: Effect::Local,
                    judgement: kept,
                    no_on_prem: false,
                };
            }
        }
        Decision {
            target: None,
            effect: Effect::Block,
            judgement: kept,
            no_on_prem: true,
        }
    }
}

/// The number of findings that a rule counted if it matches; 0 for a rule that counts none.
fn matches(rule: &Rule, facts: &Facts, target: Target<'_>) -> Option<u32> {
    let when = &rule.when;
    let one_of = |list: &[String], value: &str| list.is_empty() || list.iter().any(|v| v == value);
    let holds = when
        .opaque
        .is_none_or(|wanted| wanted == (facts.opaque > 0))
        && when.on_prem.is_none_or(|wanted| wanted == target.on_prem)
        && one_of(&when.jurisdictions, target.jurisdiction)
        && !when
            .jurisdictions_not
            .iter()
            .any(|j| j == target.jurisdiction)
        && (when.transfer_basis.is_empty() || when.transfer_basis.contains(&target.transfer_basis))
        && one_of(&when.endpoints, target.endpoint)
        && (when.models.is_empty()
            || when
                .models
                .iter()
                .any(|p| pattern::matches(p, &facts.model)))
        && one_of(&when.operations, facts.operation)
        && one_of(&when.teams, &facts.team);
    if !holds {
        return None;
    }
    if when.entities.is_empty() {
        return Some(0);
    }
    let selected = |list: &[Selector], entity: Entity| list.iter().any(|s| s.selects(entity));
    let counted: Vec<_> = facts
        .findings
        .iter()
        .filter(|(_, s)| *s >= when.score_min)
        .collect();
    let findings = counted
        .iter()
        .filter(|(e, _)| selected(&when.entities, *e) && !selected(&when.except, *e))
        .count() as u32;
    let accompanied = when.together_with.is_empty()
        || counted
            .iter()
            .any(|(e, _)| selected(&when.together_with, *e));
    (findings >= when.count_min.max(1) && accompanied).then_some(findings)
}

fn oblige(judgement: &mut Judgement, rule: &Rule) {
    let when = &rule.when;
    for &entity in Entity::ALL {
        let selected = when.entities.iter().any(|s| s.selects(entity))
            && !when.except.iter().any(|s| s.selects(entity));
        if !selected {
            continue;
        }
        // The first rule's operator stands; the lowest threshold of all rules is used.
        let operator = rule
            .operators
            .get(&entity)
            .copied()
            .unwrap_or(Operator::Replace);
        judgement.redact.entry(entity).or_insert(operator);
        let score = judgement.score_min.entry(entity).or_insert(when.score_min);
        *score = score.min(when.score_min);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: Target<'_> = Target {
        endpoint: "openai",
        jurisdiction: "US",
        transfer_basis: TransferBasis::Scc,
        on_prem: false,
    };
    const HOME: Target<'_> = Target {
        endpoint: "local",
        jurisdiction: "",
        transfer_basis: TransferBasis::None,
        on_prem: true,
    };

    fn default_policy() -> Policy {
        Policy::parse(include_str!("../../../rules/policies/default.toml")).expect("default policy")
    }

    fn facts(findings: &[(Entity, f32)]) -> Facts {
        Facts {
            findings: findings.to_vec(),
            operation: "chat",
            ..Facts::default()
        }
    }

    fn decide(findings: &[(Entity, f32)]) -> Decision {
        default_policy().decide(&facts(findings), &[US, HOME], &[0], &[1])
    }

    #[test]
    fn harmless_is_permitted() {
        let decision = decide(&[]);
        assert_eq!(
            (decision.target, decision.effect),
            (Some(0), Effect::Permit)
        );
    }

    #[test]
    fn personal_data_is_redacted_abroad() {
        let decision = decide(&[(Entity::Person, 0.9), (Entity::Url, 0.9)]);
        assert_eq!(
            (decision.target, decision.effect),
            (Some(0), Effect::Redact)
        );
        assert!(decision.judgement.redact.contains_key(&Entity::Person));
        assert!(!decision.judgement.redact.contains_key(&Entity::Url));
    }

    #[test]
    fn secrets_and_special_categories_stay() {
        for entity in [
            Entity::Secret,
            Entity::Password,
            Entity::Health,
            Entity::Religion,
        ] {
            let decision = decide(&[(entity, 0.9), (Entity::Person, 0.9)]);
            assert_eq!(
                (decision.target, decision.effect),
                (Some(1), Effect::Local),
                "{entity:?}"
            );
            assert!(
                decision.judgement.redact.is_empty(),
                "on-prem gets the text as it is"
            );
        }
    }

    #[test]
    fn without_an_on_prem_target_what_must_stay_is_blocked() {
        let decision = default_policy().decide(&facts(&[(Entity::Secret, 0.9)]), &[US], &[0], &[]);
        assert_eq!((decision.target, decision.effect), (None, Effect::Block));
        assert!(decision.no_on_prem);
        assert_eq!(
            default_policy().rules()[decision.judgement.rule.unwrap()].id,
            "secrets-stay"
        );
    }

    #[test]
    fn a_target_without_transfer_basis_is_passed_over() {
        let nowhere = Target {
            transfer_basis: TransferBasis::None,
            endpoint: "cn",
            jurisdiction: "CN",
            ..US
        };
        let decision = default_policy().decide(
            &facts(&[(Entity::Person, 0.9)]),
            &[nowhere, US, HOME],
            &[0, 1],
            &[2],
        );
        assert_eq!(
            (decision.target, decision.effect),
            (Some(1), Effect::Redact)
        );
    }

    #[test]
    fn opaque_content_is_blocked_even_with_a_local_model() {
        let mut facts = facts(&[(Entity::Secret, 0.9)]);
        facts.opaque = 1;
        let decision = default_policy().decide(&facts, &[US, HOME], &[0], &[1]);
        assert_eq!((decision.target, decision.effect), (None, Effect::Block));
    }

    #[test]
    fn no_rule_means_no() {
        let policy = Policy::parse(
            "[[rule]]\nid='x'\neffect='permit'\nreason='y'\n[rule.when]\noperations=['embeddings']",
        )
        .unwrap();
        let decision = policy.decide(&facts(&[]), &[US], &[0], &[]);
        assert_eq!((decision.target, decision.judgement.rule), (None, None));
    }

    #[test]
    fn rules_only_tighten() {
        // Whatever rules are added, the effect never gets milder: checked over all pairs of
        // rule effects in both orders.
        let effects = ["permit", "redact", "local", "block"];
        for (i, a) in effects.iter().enumerate() {
            for (j, b) in effects.iter().enumerate() {
                let rule = |id: &str, effect: &str| {
                    format!(
                        "[[rule]]\nid='{id}'\neffect='{effect}'\nreason='r'\n[rule.when]\nentities=['PERSON']\n"
                    )
                };
                let policy = Policy::parse(&(rule("a", a) + &rule("b", b))).unwrap();
                let judged = policy.judge(&facts(&[(Entity::Person, 1.0)]), US);
                assert_eq!(judged.effect.as_str(), effects[i.max(j)]);
            }
        }
    }

    #[test]
    fn bad_policies_are_refused_with_a_reason() {
        for (text, expected) in [
            ("", "missing field `rule`"),
            ("rule = []", "at least one"),
            (
                "[[rule]]\nid='a b'\neffect='permit'\nreason='r'",
                "letters, digits",
            ),
            (
                "[[rule]]\nid='a'\neffect='allow'\nreason='r'",
                "unknown variant",
            ),
            (
                "[[rule]]\nid='a'\neffect='redact'\nreason='r'",
                "needs when.entities",
            ),
            (
                "[[rule]]\nid='a'\neffect='block'\nreason='r'\n[rule.when]\nentities=['PERSN']",
                "entity label",
            ),
            (
                "[[rule]]\nid='a'\neffect='block'\nreason='r'\n[rule.when]\nentity=['PERSON']",
                "unknown field",
            ),
            (
                "[[rule]]\nid='a'\neffect='block'\nreason='r'\n[rule.when]\nscore_min=7.0",
                "between 0 and 1",
            ),
        ] {
            let error = Policy::parse(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
