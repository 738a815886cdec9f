//! What the simulated model says: sentences composed from the prompt that it was given.

use super::prompt::Prompt;
use super::{NOTE, tokens};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// Longest part of the question that an answer quotes, characters.
const ASK_CHARS_MAX: usize = 70;

#[derive(Deserialize)]
struct Phrases {
    language: Vec<Language>,
}

#[derive(Deserialize)]
struct Language {
    marks: Vec<String>,
    and: String,
    opening: String,
    subject: String,
    ask: String,
    again: String,
    closing: String,
}

static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    toml::from_str(include_str!(
        "../../../fixtures/demo/simulated-provider/answers.toml"
    ))
    .expect("the phrases that come with the program are sound")
});

/// An answer's text and why it ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The text.
    pub text: String,
    /// Whether it was cut off at the largest number of tokens asked for.
    pub cut: bool,
}

/// Composes the answer to a prompt, of at most `tokens_max` tokens.
pub fn compose(prompt: &Prompt, tokens_max: Option<u64>) -> Answer {
    let all = prompt.text();
    let language = guess(&all);
    let placeholders = placeholders(&all);
    let mut sentences = vec![NOTE.to_string(), language.opening.clone()];
    if placeholders.is_empty() {
        sentences.push(language.ask.replace("{ask}", &beginning(&prompt.ask)));
    } else {
        let subject = list(&placeholders, &language.and);
        sentences.push(language.subject.replace("{subject}", &subject));
        let last = &placeholders[placeholders.len() - 1..];
        sentences.push(
            language
                .again
                .replace("{subject}", &list(last, &language.and)),
        );
    }
    sentences.push(language.closing.clone());
    let whole = sentences.join(" ");
    let text: String = match tokens_max {
        // Whole words, so that a cut never leaves half a placeholder.
        Some(max) => whole
            .split_inclusive(' ')
            .scan(String::new(), |held, word| {
                held.push_str(word);
                (tokens::of(held) <= max).then_some(word)
            })
            .collect(),
        None => whole.clone(),
    };
    Answer {
        cut: text.len() < whole.len(),
        text,
    }
}

/// A call of one of the request's tools.
#[derive(Debug, PartialEq)]
pub struct ToolCall {
    /// The tool's name.
    pub name: String,
    /// Its arguments.
    pub arguments: Value,
}

/// Calls a tool if the request forces one, or if the question names what a tool does.
/// `tools` are (name, parameter schema); `forced` is a tool's name, or empty for any of them.
pub fn call(prompt: &Prompt, tools: &[(String, Value)], forced: Option<&str>) -> Option<ToolCall> {
    if prompt.answers_tool {
        return None;
    }
    let ask = prompt.ask.to_lowercase();
    let (name, schema) = match forced {
        Some("") => tools.first()?,
        Some(name) => tools.iter().find(|(tool, _)| tool == name)?,
        None => tools.iter().find(|(tool, _)| {
            tool.split(['_', '-'])
                .next()
                .is_some_and(|verb| ask.contains(&verb.to_lowercase()))
        })?,
    };
    let mut left = placeholders(&prompt.ask);
    let mut arguments = Map::new();
    let none = Map::new();
    for (property, kind) in schema["properties"].as_object().unwrap_or(&none) {
        let value = match kind["type"].as_str() {
            Some("integer" | "number") => Value::from(first_number(&prompt.ask).unwrap_or(1)),
            Some("boolean") => Value::from(true),
            _ => {
                Value::from(fitting(property, &mut left).unwrap_or_else(|| beginning(&prompt.ask)))
            }
        };
        arguments.insert(property.clone(), value);
    }
    Some(ToolCall {
        name: name.clone(),
        arguments: Value::Object(arguments),
    })
}

/// Takes the placeholder whose label fits a property's name best; else the next one.
fn fitting(property: &str, left: &mut Vec<String>) -> Option<String> {
    const HINTS: [(&str, &str); 6] = [
        ("mail", "[EMAIL"),
        ("contact", "[EMAIL"),
        ("notify", "[EMAIL"),
        ("phone", "[PHONE"),
        ("card", "[CARD"),
        ("name", "[PERSON"),
    ];
    let hints = HINTS.iter().filter(|(hint, _)| property.contains(hint));
    let place = hints
        .filter_map(|(_, label)| left.iter().position(|held| held.starts_with(label)))
        .next()
        .or((!left.is_empty()).then_some(0))?;
    Some(left.remove(place))
}

/// Whatever looks like a placeholder (`[LABEL_TAG]`, upper case), each once, in order.
pub fn placeholders(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (start, _) in text.match_indices('[') {
        let rest = &text[start + 1..];
        let Some(end) = rest.find(']') else { break };
        let inside = &rest[..end];
        let tagged = inside.rsplit_once('_').is_some_and(|(label, tag)| {
            let upper = |c: char| c.is_ascii_uppercase() || c == '_';
            !label.is_empty()
                && label.chars().all(upper)
                && tag.len() >= 6
                && tag
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        });
        let whole = format!("[{inside}]");
        if tagged && !found.contains(&whole) {
            found.push(whole);
        }
    }
    found
}

fn guess(text: &str) -> &'static Language {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphabetic()).collect();
    let score = |language: &Language| {
        words
            .iter()
            .filter(|word| language.marks.iter().any(|mark| mark == *word))
            .count()
    };
    let languages = &PHRASES.language;
    languages
        .iter()
        .rev()
        .max_by_key(|language| score(language))
        .unwrap_or(&languages[0])
}

fn list(items: &[String], and: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {and} {last}", first.join(", ")),
    }
}

/// The first words of a text, on one line.
fn beginning(text: &str) -> String {
    let mut held = String::new();
    for word in text.split_whitespace() {
        if held.chars().count() + word.chars().count() >= ASK_CHARS_MAX {
            return held + " …";
        }
        if !held.is_empty() {
            held.push(' ');
        }
        held += word;
    }
    held
}

fn first_number(text: &str) -> Option<u64> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.len() <= 6)
        .find_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn asked(text: &str) -> Prompt {
        Prompt {
            messages: vec![text.into()],
            ask: text.into(),
            answers_tool: false,
        }
    }

    #[test]
    fn repeats_every_placeholder_in_the_language_of_the_prompt() {
        let text = "Bitte schreiben Sie [PERSON_K7Q2MX] und [DATE_OF_BIRTH_B4C5DF], und zwar die [PERSON_K7Q2MX].";
        let answer = compose(&asked(text), None);
        assert!(answer.text.starts_with(NOTE));
        assert!(
            answer
                .text
                .contains("Er betrifft [PERSON_K7Q2MX] und [DATE_OF_BIRTH_B4C5DF]")
        );
        assert!(!answer.cut);
    }

    #[test]
    fn brackets_that_are_no_placeholder_are_left_alone() {
        assert!(placeholders("[x] [TODO] [a_b] [1] [LABEL_short] [").is_empty());
        assert_eq!(placeholders("a[[EMAIL_B4C5DF]]"), ["[EMAIL_B4C5DF]"]);
    }

    #[test]
    fn a_cut_answer_says_so_and_ends_between_words() {
        let answer = compose(
            &asked("Write the letter to [PERSON_K7Q2MX] for the board."),
            Some(14),
        );
        assert!(answer.cut && tokens::of(&answer.text) <= 14);
        assert!(answer.text.ends_with(' '));
    }

    #[test]
    fn a_tool_gets_the_placeholders_that_fit() {
        let tools = [(
            "send_invite".to_string(),
            json!({"properties": {
            "phone": {"type": "string"}, "email": {"type": "string"}, "minutes": {"type": "integer"}}}),
        )];
        let prompt = asked("Send 45 minutes to [EMAIL_B4C5DF], [PHONE_C6D7FG].");
        let called = call(&prompt, &tools, None).unwrap();
        assert_eq!(
            called.arguments,
            json!({"phone": "[PHONE_C6D7FG]", "email": "[EMAIL_B4C5DF]", "minutes": 45})
        );
        assert_eq!(call(&asked("What is new?"), &tools, None), None);
        assert!(call(&asked("What is new?"), &tools, Some("")).is_some());
        let answered = Prompt {
            answers_tool: true,
            ..prompt
        };
        assert_eq!(call(&answered, &tools, Some("")), None);
    }
}
