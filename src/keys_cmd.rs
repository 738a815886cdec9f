//! `tollgate keys`: create, list and revoke the keys that callers show to the gate.

use crate::args::{CreateKeyArgs, KeysCommand};
use crate::exit::Failure;
use jiff::Timestamp;
use serde_json::json;
use std::io::Write;
use std::path::Path;
use tollgate_analytics::ledger::Act;
use tollgate_proxy::callers::{Allowance, Budget};
use tollgate_proxy::keys::{self, Key, KeyError, NewKey};

/// Works on the keys of the data directory and prints the result on `out`. What was done to them,
/// to be put on record.
pub fn run(
    command: &KeysCommand,
    data: &Path,
    out: &mut impl Write,
) -> Result<Option<Act>, Failure> {
    let now = crate::clock::now_s();
    match command {
        KeysCommand::Create(args) => return create(args, data, now, out).map(Some),
        KeysCommand::List { json: true } => {
            let shown: Vec<_> = keys::list(data)
                .map_err(failure)?
                .iter()
                .map(to_json)
                .collect();
            writeln!(out, "{}", serde_json::Value::from(shown))?;
        }
        KeysCommand::List { json: false } => {
            let keys = keys::list(data).map_err(failure)?;
            if keys.is_empty() {
                writeln!(out, "no keys: callers need none until the first is created")?;
            }
            for key in &keys {
                let state = match key.revoked {
                    Some(at) => format!("revoked {}", date(at)),
                    None => "in use".to_owned(),
                };
                let team = match (key.team.as_str(), key.project.as_str()) {
                    ("", "") => "-".to_owned(),
                    (team, "") => team.to_owned(),
                    (team, project) => format!("{team}/{project}"),
                };
                let created = date(key.created);
                writeln!(
                    out,
                    "{}  {:<24} {team:<16} {created}  {state}",
                    key.id(),
                    key.name
                )?;
            }
        }
        KeysCommand::Revoke { which } => {
            let key = keys::revoke(data, which, now).map_err(failure)?;
            writeln!(out, "revoked {} ({})", key.name, key.id())?;
            let (id, name) = (key.id().to_string(), key.name);
            return Ok(Some(Act::KeyRevoked { id, name }));
        }
    }
    Ok(None)
}

fn create(
    args: &CreateKeyArgs,
    data: &Path,
    now: i64,
    out: &mut impl Write,
) -> Result<Act, Failure> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| Failure::new(error.to_string()))?;
    if args.budget_usd.is_some_and(|usd| usd.0 <= 0) {
        return Err(Failure::usage("--budget-usd: expected more than 0"));
    }
    let new = NewKey {
        name: &args.name,
        team: &args.team,
        project: &args.project,
        allowance: Allowance {
            requests_per_minute: args.requests_per_minute,
            tokens_per_minute: args.tokens_per_minute,
            requests_max: args.requests_max,
            models: args.models.clone(),
            endpoints: args.endpoints.clone(),
            budget: args.budget_usd.map(|usd| Budget {
                usd,
                hard: !args.budget_soft,
            }),
        },
    };
    let token = keys::create(data, new, random, now).map_err(failure)?;
    let made = keys::list(data).map_err(failure)?;
    let made = made.into_iter().rev().find(|key| key.name == args.name);
    let made = made.ok_or_else(|| failure(KeyError::NotFound(args.name.clone())))?;
    if args.json {
        let mut shown = to_json(&made);
        shown["key"] = token.into();
        writeln!(out, "{shown}")?;
    } else {
        writeln!(out, "{token}")?;
        eprintln!("This key is shown once: only its hash is kept. Callers send it where");
        eprintln!("they would send the provider's key. From now on every caller needs one.");
    }
    Ok(Act::KeyCreated {
        id: made.id().to_string(),
        name: made.name,
        team: made.team,
    })
}

/// A name that cannot be taken is the caller's mistake; the rest is not.
fn failure(error: KeyError) -> Failure {
    match error {
        KeyError::Name { .. } | KeyError::Taken(_) | KeyError::NotFound(_) => Failure::usage(error),
        _ => Failure::new(error),
    }
}

fn to_json(key: &Key) -> serde_json::Value {
    json!({
        "id": key.id(),
        "name": key.name,
        "team": key.team,
        "project": key.project,
        "allowance": key.allowance,
        "created": date(key.created),
        "revoked": key.revoked.map(date),
    })
}

fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(command: &KeysCommand, data: &Path) -> String {
        let mut out = Vec::new();
        run(command, data, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_key_is_shown_once_and_listed_without_itself() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path();
        let list = KeysCommand::List { json: false };
        assert!(print(&list, data).contains("no keys"));
        let create = KeysCommand::Create(CreateKeyArgs {
            name: "ci".into(),
            team: "platform".into(),
            project: "chat".into(),
            models: vec!["gpt-*".into()],
            ..CreateKeyArgs::default()
        });
        let token = print(&create, data).trim().to_owned();
        let ring = keys::KeyRing::load(data).unwrap();
        let caller = ring.lookup(&token).unwrap();
        assert_eq!(
            (caller.name.as_str(), caller.team.as_str()),
            ("ci", "platform")
        );

        let listed = print(&KeysCommand::List { json: true }, data);
        assert!(listed.contains("\"chat\"") && listed.contains("gpt-*"));
        assert!(listed.contains("\"ci\"") && !listed.contains(&token[3..]));
        print(&KeysCommand::Revoke { which: "ci".into() }, data);
        assert!(print(&list, data).contains("revoked"));
        let again = run(
            &KeysCommand::Revoke { which: "ci".into() },
            data,
            &mut Vec::new(),
        );
        assert_eq!(again.unwrap_err().report(), std::process::ExitCode::from(2));
    }
}
