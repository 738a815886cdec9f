//! `tollgate policy`: is a policy sound, and what would it decide?

use crate::args::PolicyCommand;
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use crate::{redactor, serve};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};
use tollgate_proxy::config::Endpoint;
use tollgate_proxy::pattern;
use tollgate_proxy::policy::{Decision, Facts, Judgement, Policy, Target};
use tollgate_redaction::Hints;

/// Checks a policy, or explains its decision on a prompt.
///
/// # Errors
/// When the policy is unsound or the prompt could not be inspected.
pub fn run(command: &PolicyCommand, config: &Config) -> Outcome {
    let mut out = io::stdout().lock();
    match command {
        PolicyCommand::Check { file, json } => {
            let file = file.as_ref().unwrap_or(&config.policy.file);
            let policy = serve::load_policy(file)?;
            let (rules, version) = (policy.rules().len(), policy.version());
            if *json {
                writeln!(
                    out,
                    "{}",
                    json!({ "sound": true, "rules": rules, "version": version })
                )?;
            } else {
                writeln!(
                    out,
                    "{}: sound, {rules} rules, version {version}",
                    file.display()
                )?;
            }
            Ok(())
        }
        PolicyCommand::Explain {
            file,
            model,
            team,
            no_ner,
            json,
        } => {
            let policy = serve::load_policy(&config.policy.file)?;
            let text = redactor::read_text(file.as_deref())?;
            let redactor = redactor::load(config, !no_ner, 1)?;
            let inspection = redactor.inspect(&[&text], &Hints::default(), redactor::deadline())?;
            let findings = inspection.findings.iter().flatten();
            let facts = Facts {
                findings: findings
                    .map(|finding| (finding.entity, finding.score))
                    .collect(),
                opaque: 0,
                model: model.clone(),
                operation: "chat",
                team: team.clone(),
            };
            let explained = explain(&policy, &facts, &config.endpoint)?;
            let json = *json;
            if json {
                writeln!(out, "{explained}")?
            } else {
                print(&explained, &mut out)?
            }
            Ok(())
        }
    }
}

/// The decision on facts over the endpoints configured, without any text.
fn explain(policy: &Policy, facts: &Facts, endpoints: &[Endpoint]) -> Result<Value, Failure> {
    if endpoints.is_empty() {
        return Err(
            Failure::usage("no [[endpoint]] is configured: there is nowhere to go")
                .help("name a configuration that has endpoints with --config"),
        );
    }
    let all: Vec<_> = endpoints.iter().map(target).collect();
    let indices = |wanted: &dyn Fn(&Endpoint) -> bool| -> Vec<usize> {
        let all = endpoints.iter().enumerate();
        all.filter(|(_, endpoint)| wanted(endpoint))
            .map(|(index, _)| index)
            .collect()
    };
    let serves = |e: &Endpoint| {
        e.aliases.contains_key(&facts.model)
            || e.models.iter().any(|p| pattern::matches(p, &facts.model))
    };
    let targets = indices(&serves);
    if targets.is_empty() {
        return Err(
            Failure::usage(format!("no endpoint serves the model {:?}", facts.model))
                .help("name another with --model; an endpoint's `models` says which it serves"),
        );
    }
    let decision = policy.decide(facts, &all, &targets, &indices(&|e| e.on_prem));
    let mut counts = BTreeMap::<&str, u32>::new();
    for (entity, _) in &facts.findings {
        *counts.entry(entity.as_str()).or_default() += 1;
    }
    let considered: Vec<_> = targets
        .iter()
        .map(|&index| {
            let judgement = policy.judge(facts, all[index]);
            json!({
                "endpoint": all[index].endpoint,
                "jurisdiction": all[index].jurisdiction,
                "effect": judgement.effect.as_str(),
                "matched": matched(policy, &judgement),
            })
        })
        .collect();
    let Decision {
        target,
        effect,
        judgement,
        no_on_prem,
    } = decision;
    let replaced: BTreeMap<_, _> = judgement
        .redact
        .iter()
        .filter(|(entity, _)| counts.contains_key(entity.as_str()))
        .collect();
    let rule = judgement.rule.map(|rule| &policy.rules()[rule]);
    Ok(json!({
        "policy": policy.version(),
        "model": facts.model,
        "findings": counts,
        "effect": effect.as_str(),
        "endpoint": target.map(|index| all[index].endpoint),
        "rule": rule.map(|rule| &rule.id),
        "reason": rule.map(|rule| &rule.reason),
        "source": rule.map(|rule| &rule.source),
        "replaced": replaced,
        "no_on_prem": no_on_prem,
        "considered": considered,
    }))
}

fn target(endpoint: &Endpoint) -> Target<'_> {
    Target {
        endpoint: &endpoint.name,
        jurisdiction: &endpoint.jurisdiction,
        transfer_basis: endpoint.transfer_basis,
        on_prem: endpoint.on_prem,
    }
}

fn matched(policy: &Policy, judgement: &Judgement) -> Vec<Value> {
    let one = |matched: &tollgate_proxy::policy::Match| {
        let rule = &policy.rules()[matched.rule];
        json!({ "rule": rule.id, "effect": rule.effect.as_str(), "findings": matched.findings })
    };
    judgement.matched.iter().map(one).collect()
}

fn print(explained: &Value, out: &mut impl Write) -> io::Result<()> {
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    let list = |value: &Value| {
        let pairs = value.as_object().into_iter().flatten();
        let pairs: Vec<_> = pairs.map(|(key, value)| format!("{key} {value}")).collect();
        if pairs.is_empty() {
            "nothing".to_owned()
        } else {
            pairs.join(", ")
        }
    };
    writeln!(out, "found     {}", list(&explained["findings"]))?;
    writeln!(out, "effect    {}", text(&explained["effect"]))?;
    writeln!(
        out,
        "goes to   {}",
        explained["endpoint"].as_str().unwrap_or("nowhere")
    )?;
    writeln!(out, "rule      {}", text(&explained["rule"]))?;
    writeln!(out, "reason    {}", text(&explained["reason"]))?;
    if let Some(source) = explained["source"]
        .as_str()
        .filter(|source| !source.is_empty())
    {
        writeln!(out, "source    {source}")?;
    }
    if explained["no_on_prem"] == true {
        writeln!(
            out,
            "          It would go to an on-prem endpoint, and none can take it."
        )?;
    }
    if explained["effect"] != "block" {
        writeln!(
            out,
            "replaced  {}",
            list(&explained["replaced"]).replace('"', "")
        )?;
    }
    for considered in explained["considered"].as_array().into_iter().flatten() {
        let (endpoint, effect) = (text(&considered["endpoint"]), text(&considered["effect"]));
        writeln!(out, "\nat {endpoint}: {effect}")?;
        for rule in considered["matched"].as_array().into_iter().flatten() {
            let (id, effect) = (text(&rule["rule"]), text(&rule["effect"]));
            writeln!(out, "  {effect:<7} {id}, {} findings", rule["findings"])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use tollgate_redaction::Entity;

    const ENDPOINTS: &str = r#"
        [[endpoint]]
        name = "openai"
        wire = "openai"
        url = "https://provider.test/v1"
        jurisdiction = "US"
        transfer_basis = "scc"
        models = ["gpt-*"]

        [[endpoint]]
        name = "local"
        wire = "openai"
        on_prem = true
    "#;

    fn explained(findings: &[Entity]) -> Value {
        let config = Config::parse(Path::new("test.toml"), ENDPOINTS).unwrap();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/policies/default.toml");
        let policy = serve::load_policy(&file).unwrap();
        let facts = Facts {
            findings: findings.iter().map(|entity| (*entity, 0.9)).collect(),
            model: "gpt-4o".into(),
            operation: "chat",
            ..Facts::default()
        };
        explain(&policy, &facts, &config.endpoint).unwrap()
    }

    #[test]
    fn the_default_policy_is_explained() {
        let plain = explained(&[]);
        assert_eq!(
            (&plain["effect"], &plain["endpoint"]),
            (&json!("permit"), &json!("openai"))
        );
        let personal = explained(&[Entity::Email, Entity::Email]);
        assert_eq!(personal["effect"], "redact");
        assert_eq!(personal["findings"], json!({ "EMAIL": 2 }));
        assert_eq!(personal["replaced"], json!({ "EMAIL": "replace" }));
        let secret = explained(&[Entity::Secret]);
        assert_eq!(
            (&secret["effect"], &secret["endpoint"]),
            (&json!("local"), &json!("local"))
        );

        let mut out = Vec::new();
        print(&secret, &mut out).unwrap();
        let shown = String::from_utf8(out).unwrap();
        assert!(
            shown.contains("secrets-stay") && shown.contains("SECRET 1"),
            "{shown}"
        );
    }
}
