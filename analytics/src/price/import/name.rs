//! genai-prices' logic of names as patterns of the book.

use super::python::Value;

/// Patterns that a name must fit one of, and those that it must not fit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) any: Vec<String>,
    pub(super) except: Vec<String>,
}

/// The names that a clause fits, or the part of it that patterns cannot tell.
pub(super) fn matching(clause: &Value) -> Result<Match, String> {
    let Value::Call(kind, arguments) = clause else {
        return Err(format!("{clause:?}"));
    };
    let argument = arguments.first().map(|(_, value)| value);
    let any = |pattern: String| {
        Ok(Match {
            any: vec![pattern],
            except: Vec::new(),
        })
    };
    match (kind.as_str(), argument) {
        ("ClauseEquals", Some(Value::Text(text))) => any(plain(text)?),
        ("ClauseStartsWith", Some(Value::Text(text))) => any(format!("{}*", plain(text)?)),
        ("ClauseEndsWith", Some(Value::Text(text))) => any(format!("*{}", plain(text)?)),
        ("ClauseContains", Some(Value::Text(text))) => any(format!("*{}*", plain(text)?)),
        ("ClauseRegex", Some(Value::Text(text))) => regex(text),
        ("ClauseOr", Some(Value::List(clauses))) => {
            let mut all = Match::default();
            for clause in clauses {
                let part = matching(clause)?;
                all.any.extend(part.any);
                all.except.extend(part.except);
            }
            Ok(all)
        }
        ("ClauseAnd", Some(Value::List(clauses))) => {
            let mut all = Match::default();
            for clause in clauses {
                let part = matching(clause)?;
                all.any = both(all.any, part.any)?;
                all.except.extend(part.except);
            }
            Ok(all)
        }
        _ => Err(kind.clone()),
    }
}

/// Names that fit both: one side says only what not, or each is one text anywhere in the name.
fn both(a: Vec<String>, b: Vec<String>) -> Result<Vec<String>, String> {
    let anywhere = |texts: &[String]| match texts {
        [text] => text.strip_prefix('*')?.strip_suffix('*').map(str::to_owned),
        _ => None,
    };
    match (anywhere(&a), anywhere(&b)) {
        _ if a.is_empty() => Ok(b),
        _ if b.is_empty() => Ok(a),
        (Some(a), Some(b)) => Ok(vec![format!("*{a}*{b}*"), format!("*{b}*{a}*")]),
        _ => Err(format!("both {} and {}", a.join(" "), b.join(" "))),
    }
}

fn plain(text: &str) -> Result<String, String> {
    match text.contains(['*', '#']) {
        true => Err(format!("the sign * or # in {text:?}")),
        false => Ok(text.to_owned()),
    }
}

/// What a name must not be, as the data's authors write it.
const LOOKAHEADS: [(&str, &[&str]); 2] = [
    ("(?!.*-[tT][tT][sS](?:$|-))", &["*-tts", "*-tts-*"]),
    ("(?![^/]+/)", &["*/*"]),
];

fn regex(text: &str) -> Result<Match, String> {
    let whole = || format!("the regular expression {text:?}");
    let mut rest = text.strip_prefix('^').ok_or_else(whole)?;
    let mut except = Vec::new();
    for (lookahead, patterns) in LOOKAHEADS {
        if let Some(after) = rest.strip_prefix(lookahead) {
            rest = after;
            except.extend(patterns.iter().map(|pattern| (*pattern).to_owned()));
        }
    }
    if rest.is_empty() {
        return Ok(Match {
            any: Vec::new(),
            except,
        });
    }
    let (body, end) = match rest.strip_suffix('$') {
        Some(body) => (body, ""),
        None => (rest, "*"),
    };
    let mut signs = body.chars().peekable();
    let any = alternatives(&mut signs).filter(|_| signs.peek().is_none());
    let any = any.ok_or_else(whole)?;
    Ok(Match {
        any: any.into_iter().map(|name| format!("{name}{end}")).collect(),
        except,
    })
}

type Signs<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// `a|b|c` up to a closing bracket or the end.
fn alternatives(signs: &mut Signs) -> Option<Vec<String>> {
    let mut all = sequence(signs)?;
    while signs.next_if_eq(&'|').is_some() {
        all.extend(sequence(signs)?);
    }
    Some(all)
}

fn sequence(signs: &mut Signs) -> Option<Vec<String>> {
    let mut all = vec![String::new()];
    while let Some(&sign) = signs.peek() {
        if sign == '|' || sign == ')' {
            break;
        }
        signs.next();
        let mut one = match sign {
            '\\' => match signs.next()? {
                'd' => vec!["#".to_owned()],
                sign if sign.is_ascii_punctuation() => vec![sign.to_string()],
                _ => return None,
            },
            '(' => {
                if signs.next_if_eq(&'?').is_some() {
                    signs.next_if_eq(&':')?;
                }
                let inner = alternatives(signs)?;
                signs.next_if_eq(&')')?;
                inner
            }
            '[' => {
                let mut set = Vec::new();
                while let Some(sign) = signs.next_if(|sign| *sign != ']') {
                    set.push(sign.to_string());
                }
                signs.next_if_eq(&']')?;
                // A leading ^ or an inner - would mean something else than the signs themselves.
                let odd = set.iter().skip(1).any(|sign| sign == "-");
                if odd || set.first().is_none_or(|first| first == "^") {
                    return None;
                }
                set
            }
            '.' | '*' | '+' | '^' | '$' | '#' | '{' | '?' => return None,
            sign => vec![sign.to_string()],
        };
        if signs.next_if_eq(&'?').is_some() {
            one.push(String::new());
        } else if signs.next_if_eq(&'{').is_some() {
            let mut digits = String::new();
            while let Some(digit) = signs.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            signs.next_if_eq(&'}')?;
            let times: usize = digits
                .parse()
                .ok()
                .filter(|times| (1..=16).contains(times))?;
            one = match &one[..] {
                [single] => vec![single.repeat(times)],
                _ => return None,
            };
        }
        let joined = all.iter().flat_map(|before| {
            let join = move |after: &String| format!("{before}{after}");
            one.iter().map(join).collect::<Vec<_>>()
        });
        all = joined.collect();
        if all.len() > 256 {
            return None;
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_expressions_of_names_become_patterns() {
        for (text, any, except) in [
            (
                r"^claude-opus-5[-@]\d{8}$",
                "claude-opus-5-######## claude-opus-5@########",
                "",
            ),
            (r"^gpt-5\.4-\d{4}-\d{2}-\d{2}$", "gpt-5.4-####-##-##", ""),
            (r"^gemini-4-argon-\d", "gemini-4-argon-#*", ""),
            (
                r"^composer-2\.5\[fast=true\]$",
                "composer-2.5[fast=true]",
                "",
            ),
            (
                r"^(typesafe/)?jev-1\.13(-\d{8})?$",
                "typesafe/jev-1.13-######## typesafe/jev-1.13 jev-1.13-######## jev-1.13",
                "",
            ),
            (r"^(?!.*-[tT][tT][sS](?:$|-))", "", "*-tts *-tts-*"),
            (
                r"^(?![^/]+/)(?:labs-)?(?:(?:mi|code)stral|open-(?:mistral))",
                "labs-mistral* labs-codestral* labs-open-mistral* mistral* codestral* open-mistral*",
                "*/*",
            ),
            (r"^o[134]", "o1* o3* o4*", ""),
        ] {
            let found = regex(text).unwrap();
            assert_eq!(
                (found.any.join(" "), found.except.join(" ")),
                (any.into(), except.into())
            );
        }
        for odd in [
            "gpt", "^a.*b$", "^[^a]$", "^[a-z]$", "^a+$", "^a{2,}$", "^(a", "^a)", r"^\w$",
        ] {
            assert!(regex(odd).is_err(), "{odd} was taken");
        }
    }
}
