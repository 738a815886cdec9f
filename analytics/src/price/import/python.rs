//! Reads generated Python data without running Python: literals and calls with literals.
//!
//! genai-prices ships its data as Python source (`data.py`), one expression of nested constructor
//! calls. Nothing of it is run here.

use std::fmt;

/// A literal, or a call whose arguments are values.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// `None`, `True`, `False` or another bare name.
    Name(String),
    /// A number, as it is written.
    Number(String),
    Text(String),
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// A call: what is called, and its arguments with their names, if they have one.
    Call(String, Vec<(Option<String>, Value)>),
}

/// The text is not what is expected at a place in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unexpected {
    /// The line, from 1.
    pub(super) line: usize,
    expected: &'static str,
}

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)
    }
}

/// How deep values may lie in each other.
const DEPTH_MAX: usize = 64;

/// The value that is assigned to a variable of the module's top level.
pub(super) fn assigned(source: &str, variable: &str) -> Result<Value, Unexpected> {
    let start = source.lines().scan(0, |offset, line| {
        let start = *offset;
        *offset += line.len() + 1;
        Some((start, line))
    });
    let place = start
        .filter(|(_, line)| {
            line.strip_prefix(variable)
                .is_some_and(|rest| rest.starts_with([':', ' ', '=']))
        })
        .find_map(|(start, line)| Some(start + line.find("= ")? + 2));
    let mut reader = Reader {
        source,
        at: place.unwrap_or(0),
    };
    if place.is_none() {
        return Err(reader.expected("the list of providers"));
    }
    reader.value(0)
}

struct Reader<'a> {
    source: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn expected(&self, expected: &'static str) -> Unexpected {
        let before = self.source.get(..self.at).unwrap_or_default();
        Unexpected {
            line: before.matches('\n').count() + 1,
            expected,
        }
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Takes a sign, after any space.
    fn take(&mut self, sign: char) -> bool {
        self.skip_space();
        let there = self.rest().starts_with(sign);
        if there {
            self.at += sign.len_utf8();
        }
        there
    }

    fn value(&mut self, depth: usize) -> Result<Value, Unexpected> {
        if depth > DEPTH_MAX {
            return Err(self.expected("less nesting"));
        }
        self.skip_space();
        match self.rest().chars().next() {
            Some('[') => {
                self.at += 1;
                let list = self.items(']', |reader| reader.value(depth + 1))?;
                Ok(Value::List(list))
            }
            Some('{') => {
                self.at += 1;
                let items = self.items('}', |reader| {
                    let key = reader.value(depth + 1)?;
                    if !reader.take(':') {
                        return Err(reader.expected("a colon"));
                    }
                    Ok((key, reader.value(depth + 1)?))
                })?;
                Ok(Value::Dict(items))
            }
            Some('\'' | '"') => self.text().map(Value::Text),
            Some('0'..='9' | '-') => {
                let number = self.word(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
                Ok(Value::Number(number))
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => self.name_or_call(depth),
            _ => Err(self.expected("a value")),
        }
    }

    fn name_or_call(&mut self, depth: usize) -> Result<Value, Unexpected> {
        let name = self.word(|c| c.is_ascii_alphanumeric() || "._".contains(c));
        if !self.take('(') {
            return Ok(Value::Name(name));
        }
        let arguments = self.items(')', |reader| {
            reader.skip_space();
            let start = reader.at;
            let name = reader.word(|c| c.is_ascii_alphanumeric() || c == '_');
            if !name.is_empty() && reader.take('=') {
                return Ok((Some(name), reader.value(depth + 1)?));
            }
            reader.at = start;
            Ok((None, reader.value(depth + 1)?))
        })?;
        Ok(Value::Call(name, arguments))
    }

    /// What stands between here and the closing sign, parted by commas.
    fn items<T>(
        &mut self,
        close: char,
        mut item: impl FnMut(&mut Self) -> Result<T, Unexpected>,
    ) -> Result<Vec<T>, Unexpected> {
        let mut items = Vec::new();
        loop {
            if self.take(close) {
                return Ok(items);
            }
            items.push(item(self)?);
            if !self.take(',') && !self.rest().starts_with(close) {
                return Err(self.expected("a comma or the end of the list"));
            }
        }
    }

    fn word(&mut self, part: impl Fn(char) -> bool) -> String {
        let rest = self.rest();
        let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.at += end;
        word
    }

    fn text(&mut self) -> Result<String, Unexpected> {
        let mut chars = self.rest().char_indices();
        let quote = chars.next().map(|(_, quote)| quote);
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            if Some(c) == quote {
                self.at += at + 1;
                return Ok(text);
            }
            if c != '\\' {
                text.push(c);
                continue;
            }
            let escaped = chars.next().map(|(_, escaped)| escaped);
            let coded = |digits: usize, chars: &mut std::str::CharIndices| {
                let code: String = chars.take(digits).map(|(_, digit)| digit).collect();
                u32::from_str_radix(&code, 16).ok().and_then(char::from_u32)
            };
            let meant = match escaped {
                Some('n') => Some('\n'),
                Some('t') => Some('\t'),
                Some('r') => Some('\r'),
                Some(same @ ('\\' | '\'' | '"')) => Some(same),
                Some('x') => coded(2, &mut chars),
                Some('u') => coded(4, &mut chars),
                Some('U') => coded(8, &mut chars),
                _ => None,
            };
            text.push(meant.ok_or_else(|| self.expected("a known escape in the text"))?);
        }
        Err(self.expected("the end of the text"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_calls_and_literals() {
        let source = "import x\n\nproviders: list[P] = [\n    P(\n        id='a', price=D('1.5'), n=1_000,\n        \
            when={'k': \"it's \\u00e9\\n\"}, none=None, t=datetime.date(2026, 8, 1),\n    ),\n]\n";
        let text = |text: &str| Value::Text(text.to_owned());
        let named = |name: &str, value| (Some(name.to_owned()), value);
        let number = |text: &str| Value::Number(text.to_owned());
        let day = ["2026", "8", "1"].map(|part| (None, number(part)));
        let expected = Value::List(vec![Value::Call(
            "P".to_owned(),
            vec![
                named("id", text("a")),
                named(
                    "price",
                    Value::Call("D".to_owned(), vec![(None, text("1.5"))]),
                ),
                named("n", number("1_000")),
                named("when", Value::Dict(vec![(text("k"), text("it's é\n"))])),
                named("none", Value::Name("None".to_owned())),
                named("t", Value::Call("datetime.date".to_owned(), day.to_vec())),
            ],
        )]);
        assert_eq!(assigned(source, "providers"), Ok(expected));
    }

    #[test]
    fn faults_tell_the_line() {
        for (source, line, expected) in [
            ("x = 1\n", 1, "expected the list of providers"),
            (
                "providers = [\n1 2]",
                2,
                "expected a comma or the end of the list",
            ),
            ("providers = [\n", 2, "expected a value"),
            (
                "providers = [\n\n'a\\q']",
                3,
                "expected a known escape in the text",
            ),
            ("providers = [\n'a", 2, "expected the end of the text"),
            ("providers = {1}", 1, "expected a colon"),
        ] {
            let fault = assigned(source, "providers").unwrap_err();
            assert_eq!(
                (fault.line, &*fault.to_string()),
                (line, expected),
                "{source}"
            );
        }
        let deep = format!("providers = {}", "[".repeat(100_000));
        assert_eq!(
            assigned(&deep, "providers").unwrap_err().expected,
            "less nesting"
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[\\[\\](){}'\"\\\\a-z0-9=:, \n-é]{0,80}") {
            let _ = assigned(&format!("providers = {text}"), "providers");
        }
    }
}
