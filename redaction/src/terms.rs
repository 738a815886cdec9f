//! Word lists: special categories (GDPR Art. 9) and an organization's own terms.
//!
//! One TOML file per entity in `rules/terms/`, terms by language; a term that ends in `*` is a
//! stem. A term inside one of the file's `except` phrases is not meant.

use crate::{
    Entity, Error, Finding, Recognizer, Span,
    context::{is_edge, is_word, spellings_of},
    lexicon::Lexicon,
    pack::line_of,
    pattern::toml_files,
};
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsFile {
    entity: Spanned<String>,
    score: f32,
    #[serde(default)]
    except: Vec<String>,
    #[serde(default)]
    terms: BTreeMap<String, Vec<Spanned<String>>>,
}

struct Term {
    /// Index into `lists`; `None` for an exception.
    list: Option<usize>,
    stem: bool,
}

struct List {
    name: Arc<str>,
    entity: Entity,
    score: f32,
}

/// All word lists.
pub(crate) struct Terms {
    lexicon: Lexicon,
    terms: Vec<Term>,
    lists: Vec<List>,
}

impl Terms {
    /// Reads every list in `directories`.
    pub fn read(directories: &[PathBuf]) -> Result<Self, Error> {
        let (mut words, mut terms, mut lists) = (Vec::new(), Vec::new(), Vec::new());
        let mut files = Vec::new();
        for directory in directories {
            files.extend(toml_files(directory)?);
        }
        for path in files {
            let source = std::fs::read_to_string(&path).map_err(|source| Error::Io {
                path: path.clone(),
                source,
            })?;
            let refuse = |at: usize, reason: String| Error::Rules {
                path: path.clone(),
                line: line_of(&source, at),
                reason,
            };
            let file: TermsFile = toml::from_str(&source).map_err(|error| {
                refuse(
                    error.span().map_or(0, |span| span.start),
                    error.message().to_owned(),
                )
            })?;
            let entity: Entity =
                file.entity
                    .get_ref()
                    .parse()
                    .map_err(|error: crate::UnknownEntity| {
                        refuse(file.entity.span().start, error.to_string())
                    })?;
            if !(0.0..=1.0).contains(&file.score) {
                return Err(refuse(0, "a score lies between 0 and 1".into()));
            }
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let list = lists.len();
            lists.push(List {
                name: format!("terms/{stem}").into(),
                entity,
                score: file.score,
            });
            let mut add = |word: &str, list: Option<usize>| {
                let bare = word.trim_end_matches('*');
                for spelling in spellings_of(bare) {
                    words.push(spelling);
                    terms.push(Term {
                        list,
                        stem: bare.len() < word.len(),
                    });
                }
            };
            for term in file.terms.values().flatten() {
                let word = term.get_ref();
                if word.trim_end_matches('*').chars().count() < 2 {
                    return Err(refuse(
                        term.span().start,
                        format!("the term `{word}` is too short to mean anything"),
                    ));
                }
                add(word, Some(list));
            }
            file.except.iter().for_each(|phrase| add(phrase, None));
        }
        Ok(Self {
            lexicon: Lexicon::new(words),
            terms,
            lists,
        })
    }

    /// How many spellings there are.
    pub fn len(&self) -> usize {
        self.terms.len()
    }
}

impl Recognizer for Terms {
    fn name(&self) -> &str {
        "terms"
    }

    fn find(&self, text: &str, out: &mut Vec<Finding>) {
        let mut exceptions: Vec<Span> = Vec::new();
        let first = out.len();
        self.lexicon
            .find(text, 0..text.len(), |start, mut end, number| {
                let term = &self.terms[number as usize];
                if !is_edge(text, start) {
                    return;
                }
                if term.stem {
                    end += text[end..]
                        .chars()
                        .take_while(|&c| is_word(c))
                        .map(char::len_utf8)
                        .sum::<usize>();
                } else if !is_edge(text, end) {
                    return;
                }
                match term.list.map(|list| &self.lists[list]) {
                    None => exceptions.push(Span::new(start, end)),
                    Some(list) => out.push(Finding {
                        span: Span::new(start, end),
                        entity: list.entity,
                        score: list.score,
                        recognizer: Arc::clone(&list.name),
                        jurisdiction: None,
                    }),
                }
            });
        if !exceptions.is_empty() {
            exceptions.sort_by_key(|phrase| phrase.end);
            let terms = out.split_off(first);
            out.extend(terms.into_iter().filter(|finding| {
                let from = exceptions.partition_point(|phrase| phrase.end < finding.span.end);
                !exceptions[from..]
                    .iter()
                    .take_while(|phrase| phrase.end <= finding.span.end + 128)
                    .any(|phrase| phrase.contains(finding.span))
            }));
        }
    }
}
