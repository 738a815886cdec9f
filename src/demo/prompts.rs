//! The demo's prompts, one file a team, with what is planted in each and what is expected.

use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use tollgate_analytics::record::Effect;

/// Where the prompts lie, from the source tree's root.
pub const DIR: &str = "fixtures/demo";

/// Prompts that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PromptsError {
    /// The directory or a file cannot be read.
    #[error("cannot read the demo prompts at {}; run the demo from the source tree's root", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A file is not what is expected.
    #[error("{}: {problem}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What is wrong, by key or prompt id.
        problem: String,
    },
}

/// One request that a team sends.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// Unique among all prompts.
    pub id: String,
    /// Who sends it; stands in the records.
    pub team: String,
    /// ISO 639-1 code of the prompt's language.
    pub language: String,
    /// The wire that it is sent on.
    pub wire: Wire,
    /// What it asks.
    pub operation: Operation,
    /// What the default policy makes of it.
    pub expect: Effect,
    /// Every personal value in it.
    pub planted: Vec<Planted>,
    /// The request's body, as it is sent.
    pub body: String,
}

impl Prompt {
    /// Path of the request, from the gate's root.
    pub fn path(&self) -> &'static str {
        match (self.wire, self.operation) {
            (Wire::Anthropic, _) => "/v1/messages",
            (Wire::Openai, Operation::Chat) => "/v1/chat/completions",
            (Wire::Openai, Operation::Embeddings) => "/v1/embeddings",
        }
    }
}

/// The API that a prompt is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wire {
    /// OpenAI.
    Openai,
    /// Anthropic.
    Anthropic,
}

/// What a prompt asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// An answer to a conversation.
    Chat,
    /// Vectors for texts.
    Embeddings,
}

/// A personal value in a prompt. Its `Debug` does not show it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planted {
    /// The value.
    pub value: String,
    /// What it is.
    pub entity: String,
}

impl std::fmt::Debug for Planted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Planted({})", self.entity)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    team: String,
    prompt: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    language: String,
    wire: Wire,
    operation: Operation,
    expect: Effect,
    planted: Vec<Planted>,
    /// Credentials in two halves, so that no file looks like it holds one; `${name}` in the body
    /// and in `planted` stands for the whole.
    #[serde(default)]
    secrets: BTreeMap<String, [String; 2]>,
    body: String,
}

/// Reads all prompts of a directory's `*.toml` files. The teams take turns, so that any stretch
/// of them is mixed.
///
/// # Errors
/// When a file cannot be read, or a prompt is malformed, stands twice, or does not hold what it
/// says is planted in it.
pub fn load(dir: &Path) -> Result<Vec<Prompt>, PromptsError> {
    let unread = |path: &Path| {
        let path = path.to_path_buf();
        move |source| PromptsError::Read { path, source }
    };
    let entries = std::fs::read_dir(dir).map_err(unread(dir))?;
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(unread(dir)))
        .collect::<Result<_, _>>()?;
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    });
    files.sort();
    let mut teams = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).map_err(unread(&path))?;
        let prompts = parse(&text).map_err(|problem| PromptsError::Malformed { path, problem })?;
        teams.push(prompts.into_iter());
    }
    let mut prompts = Vec::new();
    loop {
        let turn: Vec<Prompt> = teams.iter_mut().filter_map(Iterator::next).collect();
        if turn.is_empty() {
            break;
        }
        prompts.extend(turn);
    }
    let mut ids = HashSet::new();
    match prompts.iter().find(|prompt| !ids.insert(&prompt.id)) {
        None => Ok(prompts),
        Some(twice) => {
            let problem = format!("the id {:?} stands twice; expected unique ids", twice.id);
            Err(PromptsError::Malformed {
                path: dir.into(),
                problem,
            })
        }
    }
}

fn parse(text: &str) -> Result<Vec<Prompt>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let team = file.team;
    file.prompt
        .into_iter()
        .map(|entry| prompt(&team, entry))
        .collect()
}

fn prompt(team: &str, entry: Entry) -> Result<Prompt, String> {
    let Entry {
        id,
        language,
        wire,
        operation,
        expect,
        mut planted,
        secrets,
        body,
    } = entry;
    let fill = |text: &str| {
        secrets
            .iter()
            .fold(text.to_string(), |text, (name, halves)| {
                text.replace(&format!("${{{name}}}"), &halves.concat())
            })
    };
    let body = fill(body.trim());
    let request: serde_json::Value =
        serde_json::from_str(&body).map_err(|error| format!("{id}: body: {error}"))?;
    if !request["model"].is_string() {
        return Err(format!("{id}: body: expected a model"));
    }
    let text = strings(&request);
    for planted in &mut planted {
        planted.value = fill(&planted.value);
        if !text.contains(&planted.value) {
            return Err(format!(
                "{id}: a planted {} is not in the body",
                planted.entity
            ));
        }
    }
    let team = team.to_string();
    Ok(Prompt {
        id,
        team,
        language,
        wire,
        operation,
        expect,
        planted,
        body,
    })
}

/// All strings of a JSON value, one a line.
pub fn strings(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(items) => items.iter().map(strings).collect(),
        Value::Object(members) => members.values().map(strings).collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn all() -> Vec<Prompt> {
        load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(DIR)).unwrap()
    }

    #[test]
    fn the_prompts_cover_what_a_gate_meets() {
        let prompts = all();
        assert!(prompts.len() >= 48);
        let distinct =
            |of: fn(&Prompt) -> &str| prompts.iter().map(of).collect::<BTreeSet<_>>().len();
        assert_eq!(distinct(|p| &p.team), 8);
        assert_eq!(distinct(|p| &p.language), 8);
        for effect in [Effect::Permit, Effect::Redact, Effect::Local, Effect::Block] {
            assert!(prompts.iter().any(|p| p.expect == effect));
        }
        for wire in [Wire::Openai, Wire::Anthropic] {
            for streamed in [false, true] {
                let fits =
                    |p: &Prompt| p.wire == wire && p.body.contains(r#""stream": true"#) == streamed;
                assert!(prompts.iter().any(fits));
            }
        }
        assert!(prompts.iter().any(|p| p.operation == Operation::Embeddings));
        assert!(prompts.iter().any(|p| p.body.contains("tool_result")));
        assert!(prompts.iter().any(|p| p.body.len() > 2_000));
    }

    #[test]
    fn what_is_personal_is_expected_to_be_kept_in() {
        for prompt in all() {
            assert!(
                prompt.expect != Effect::Permit || prompt.planted.is_empty(),
                "{}",
                prompt.id
            );
            assert!(!prompt.body.contains("${"), "{}", prompt.id);
        }
    }

    #[test]
    fn a_mistake_is_named() {
        let entry = |planted: &str, body: &str| {
            format!(
                "team='t'\n[[prompt]]\nid='p'\nlanguage='en'\nwire='openai'\noperation='chat'\nexpect='redact'\nsecrets={{k=['a','b']}}\nplanted=[{planted}]\nbody='{body}'"
            )
        };
        let good = entry(
            "{value='${k}',entity='SECRET'}",
            r#"{"model":"m","x":"${k}"}"#,
        );
        assert_eq!(parse(&good).unwrap()[0].planted[0].value, "ab");
        let absent = entry("{value='zz',entity='SECRET'}", r#"{"model":"m"}"#);
        assert!(
            parse(&absent)
                .unwrap_err()
                .contains("p: a planted SECRET is not in the body")
        );
        assert!(parse(&entry("", "{")).unwrap_err().contains("p: body"));
        assert!(
            parse(&entry("", "{}"))
                .unwrap_err()
                .contains("expected a model")
        );
    }
}
