//! Just enough SQL to tell an `INSERT`'s statement from its data, where an engine without a
//! network protocol must get them apart.

use std::borrow::Cow;

/// One statement, ready for the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Statement {
    /// Anything but an `INSERT` with data.
    Query {
        sql: String,
        /// The format that its own `FORMAT` clause names.
        format: Option<String>,
    },
    /// An `INSERT` whose rows come with the request.
    Insert {
        /// The statement up to `FORMAT` or `VALUES`.
        head: String,
        /// The format of `data`.
        format: String,
        data: Vec<u8>,
    },
}

/// Why a request holds no statement that the engine could run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unclear {
    Empty,
    NotUtf8,
    Several,
}

impl Statement {
    /// Parts a request's text: the `query` parameter and, after it, the body, of which the rows
    /// of an `INSERT` may be any bytes. `default_format` is for an `INSERT` that names none.
    pub(super) fn parse(
        query: &str,
        body: &[u8],
        default_format: Option<&str>,
    ) -> Result<Statement, Unclear> {
        // ClickHouse reads the parameter, a newline and the body as one stream.
        let text: Cow<'_, [u8]> = match (query.is_empty(), body.is_empty()) {
            (true, _) => body.into(),
            (false, true) => query.as_bytes().into(),
            (false, false) => [query.as_bytes(), b"\n", body].concat().into(),
        };
        let utf8 = |bytes: &[u8]| -> Result<String, Unclear> {
            std::str::from_utf8(bytes)
                .map(str::to_owned)
                .map_err(|_| Unclear::NotUtf8)
        };
        let mut tokens = Tokens {
            text: &text,
            at: 0,
            depth: 0,
        };
        let first = tokens.next().ok_or(Unclear::Empty)?;
        if first.is(&text, "INSERT") {
            tokens.skip_target();
            while let Some(token) = tokens.next() {
                if token.is(&text, "SELECT") || token.is(&text, "WITH") {
                    return Ok(Statement::Query {
                        sql: utf8(&text)?,
                        format: None,
                    });
                }
                if token.is(&text, "VALUES") {
                    let (head, data) = (utf8(&text[..token.start])?, text[token.end..].to_vec());
                    return Ok(Statement::Insert {
                        head,
                        format: "Values".into(),
                        data,
                    });
                }
                if token.is(&text, "FORMAT") {
                    let head = utf8(&text[..token.start])?;
                    let name = tokens.next().ok_or(Unclear::Empty)?;
                    let format = utf8(&text[name.start..name.end])?;
                    let data = text[data_start(&text, name.end)..].to_vec();
                    return Ok(Statement::Insert { head, format, data });
                }
                // Without either word, the statement ends with the parameter.
                if tokens.at > query.len() && !query.is_empty() {
                    break;
                }
            }
            let format = default_format.unwrap_or("Values").to_owned();
            if query.is_empty() {
                return Ok(Statement::Insert {
                    head: utf8(&text)?,
                    format,
                    data: Vec::new(),
                });
            }
            return Ok(Statement::Insert {
                head: query.into(),
                format,
                data: body.to_vec(),
            });
        }
        let (mut format, mut previous_was_format, mut ended) = (None, false, false);
        for token in tokens {
            if ended {
                return Err(Unclear::Several);
            }
            if previous_was_format {
                format = Some(utf8(&text[token.start..token.end])?);
            }
            // `format(…)` is a function.
            previous_was_format = token.is(&text, "FORMAT")
                && (text[token.end..].trim_ascii_start().first())
                    .is_some_and(u8::is_ascii_alphanumeric);
            ended = &text[token.start..token.end] == b";";
        }
        Ok(Statement::Query {
            sql: utf8(&text)?,
            format,
        })
    }
}

/// As ClickHouse finds it: blanks after the format's name belong to the statement, and so does
/// one line end.
fn data_start(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\t' | b'\x0c')) {
        at += 1;
    }
    if text.get(at) == Some(&b'\r') && text.get(at + 1) == Some(&b'\n') {
        at += 1;
    }
    if text.get(at) == Some(&b'\n') {
        at += 1;
    }
    at
}

/// A name between backticks.
pub(super) fn quote_identifier(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

#[derive(Clone, Copy, Debug)]
struct Token {
    start: usize,
    end: usize,
}

impl Token {
    fn is(self, text: &[u8], word: &str) -> bool {
        text[self.start..self.end].eq_ignore_ascii_case(word.as_bytes())
    }
}

/// The words, quoted names, strings and signs outside of parentheses and comments.
struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
}

impl Tokens<'_> {
    /// Skips what an `INSERT` inserts into, so that a table may be called `format` or `values`.
    fn skip_target(&mut self) {
        let mut token = self.next();
        for word in ["INTO", "TABLE", "FUNCTION"] {
            if token.is_some_and(|token| token.is(self.text, word)) {
                token = self.next();
            }
        }
        while self.text.get(self.at) == Some(&b'.') {
            self.next();
            self.next();
        }
    }

    fn skip_past(&mut self, end: &[u8]) {
        let rest = &self.text[self.at..];
        let found = rest.windows(end.len()).position(|window| window == end);
        self.at += found.map_or(rest.len(), |at| at + end.len());
    }

    fn skip_quoted(&mut self, quote: u8) {
        while let Some(&c) = self.text.get(self.at) {
            self.at += 1;
            match c {
                b'\\' => self.at += 1,
                // A doubled quote reads as two strings side by side, which ends at the same place.
                c if c == quote => break,
                _ => {}
            }
        }
        self.at = self.at.min(self.text.len());
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let start = self.at;
            let rest = &self.text[start..];
            let &c = rest.first()?;
            self.at += 1;
            match c {
                b'-' if rest.starts_with(b"--") => self.skip_past(b"\n"),
                b'/' if rest.starts_with(b"/*") => self.skip_past(b"*/"),
                b'\'' | b'"' | b'`' => {
                    self.skip_quoted(c);
                    if self.depth == 0 {
                        return Some(Token {
                            start,
                            end: self.at,
                        });
                    }
                }
                b'(' => self.depth += 1,
                b')' => self.depth = self.depth.saturating_sub(1),
                c if c.is_ascii_whitespace() => {}
                c if c.is_ascii_alphanumeric() || c == b'_' => {
                    while self
                        .text
                        .get(self.at)
                        .is_some_and(|&c| c.is_ascii_alphanumeric() || c == b'_')
                    {
                        self.at += 1;
                    }
                    if self.depth == 0 {
                        return Some(Token {
                            start,
                            end: self.at,
                        });
                    }
                }
                _ if self.depth == 0 => {
                    return Some(Token {
                        start,
                        end: self.at,
                    });
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(head: &str, format: &str, data: &[u8]) -> Result<Statement, Unclear> {
        Ok(Statement::Insert {
            head: head.into(),
            format: format.into(),
            data: data.into(),
        })
    }

    fn query(sql: &str, format: Option<&str>) -> Result<Statement, Unclear> {
        Ok(Statement::Query {
            sql: sql.into(),
            format: format.map(Into::into),
        })
    }

    #[test]
    fn rows_are_told_from_their_statement() {
        let cases: [(&str, &[u8], Result<Statement, Unclear>); 14] = [
            (
                "INSERT INTO t(a) FORMAT RowBinary",
                b"\n\n\x00\xff",
                insert("INSERT INTO t(a) ", "RowBinary", b"\n\n\x00\xff"),
            ),
            (
                "insert into t format CSV\n1,2",
                b"3,4",
                insert("insert into t ", "CSV", b"1,2\n3,4"),
            ),
            (
                "",
                b"INSERT INTO t FORMAT JSONEachRow  {\"a\":\";\"}",
                insert("INSERT INTO t ", "JSONEachRow", b"{\"a\":\";\"}"),
            ),
            (
                "",
                b"INSERT INTO t FORMAT TSV\r\n1",
                insert("INSERT INTO t ", "TSV", b"1"),
            ),
            (
                "",
                b"INSERT INTO t VALUES (1), (2)",
                insert("INSERT INTO t ", "Values", b" (1), (2)"),
            ),
            (
                "INSERT INTO t VALUES",
                b"(1)",
                insert("INSERT INTO t ", "Values", b"\n(1)"),
            ),
            (
                "INSERT INTO t",
                b"(1)",
                insert("INSERT INTO t", "Values", b"(1)"),
            ),
            (
                "INSERT INTO format.values (`format x`, b) /* FORMAT */ FORMAT TSV",
                b"",
                insert(
                    "INSERT INTO format.values (`format x`, b) /* FORMAT */ ",
                    "TSV",
                    b"",
                ),
            ),
            (
                "INSERT INTO values FORMAT TSV",
                b"x",
                insert("INSERT INTO values ", "TSV", b"x"),
            ),
            (
                "INSERT INTO FUNCTION file('a\\'(b', 'CSV') FORMAT TSV",
                b"x",
                insert("INSERT INTO FUNCTION file('a\\'(b', 'CSV') ", "TSV", b"x"),
            ),
            (
                "INSERT INTO t SETTINGS a = 'format' FORMAT TSV",
                b"x",
                insert("INSERT INTO t SETTINGS a = 'format' ", "TSV", b"x"),
            ),
            (
                "INSERT INTO t (a) SELECT 1 -- FORMAT x",
                b"",
                query("INSERT INTO t (a) SELECT 1 -- FORMAT x", None),
            ),
            (
                "SELECT (1)",
                b"FORMAT JSON ;\n -- end",
                query("SELECT (1)\nFORMAT JSON ;\n -- end", Some("JSON")),
            ),
            (
                "",
                b"SELECT format('{}', 1), 'a; b'",
                query("SELECT format('{}', 1), 'a; b'", None),
            ),
        ];
        for (parameter, body, expected) in cases {
            assert_eq!(
                Statement::parse(parameter, body, None),
                expected,
                "{parameter}"
            );
        }
        assert_eq!(
            Statement::parse("INSERT INTO t", b"1", Some("TSV")),
            insert("INSERT INTO t", "TSV", b"1")
        );
    }

    #[test]
    fn what_is_no_single_statement_is_refused() {
        assert_eq!(Statement::parse("", b"", None), Err(Unclear::Empty));
        assert_eq!(
            Statement::parse(" -- nothing", b"/* at all */", None),
            Err(Unclear::Empty)
        );
        assert_eq!(
            Statement::parse("SELECT 1; DROP TABLE t", b"", None),
            Err(Unclear::Several)
        );
        assert_eq!(
            Statement::parse("", b"SELECT '\xff'", None),
            Err(Unclear::NotUtf8)
        );
    }

    #[test]
    fn identifiers_cannot_break_out() {
        assert_eq!(quote_identifier("a`b\\"), "`a\\`b\\\\`");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_parted_without_panic(query in ".{0,40}", body: Vec<u8>) {
            let _ = Statement::parse(&query, &body, None);
        }

        #[test]
        fn any_rows_arrive_unchanged(rows: Vec<u8>) {
            let parsed = Statement::parse("INSERT INTO t FORMAT RowBinary", &rows, None);
            proptest::prop_assert_eq!(parsed, insert("INSERT INTO t ", "RowBinary", &rows));
        }
    }
}
