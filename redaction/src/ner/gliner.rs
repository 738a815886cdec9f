//! Models of the GLiNER family (Zaratiana et al., NAACL 2024, arXiv 2311.08526), span mode: the labels
//! stand before the text, in words, and every span of up to some words is scored against each label.
//!
//! What the model expects is what its reference library gives it (`gliner` on PyPI): words are
//! `\w+(?:[-_]\w+)*|\S`; the tokens of `<<ENT>> label <<ENT>> label … <<SEP>> word word …` between
//! the tokenizer's special ones; `words_mask` numbers each word's first token from 1.

use super::{
    decode::{Label, Word},
    runtime::{Data, Input, Lease},
};
use crate::Error;
use regex_automata::meta;
use serde::Deserialize;
use tokenizers::{InputSequence, Tokenizer};

/// A word, as the model counts them.
const WORD: &str = r"\w+(?:[-_]\w+)*|\S";

/// What is read of `gliner_config.json`.
#[derive(Deserialize)]
pub(super) struct Description {
    #[serde(default = "marker")]
    pub span_mode: String,
    max_width: usize,
    #[serde(default = "max_len")]
    max_len: usize,
    #[serde(default = "entity_token")]
    ent_token: String,
    #[serde(default = "separator_token")]
    sep_token: String,
    #[serde(default)]
    encoder_config: Option<Encoder>,
}

#[derive(Deserialize)]
struct Encoder {
    max_position_embeddings: Option<usize>,
}

fn marker() -> String {
    "markerV0".into()
}

fn max_len() -> usize {
    384
}

fn entity_token() -> String {
    "<<ENT>>".into()
}

fn separator_token() -> String {
    "<<SEP>>".into()
}

/// The labels that a model is asked for, and how.
pub(super) struct Gliner {
    labels: Vec<String>,
    thresholds: Vec<f32>,
    prompt: Vec<String>,
    word: meta::Regex,
    /// The most words of a span.
    width: usize,
    /// The most words of a text.
    words: usize,
    /// The most tokens.
    positions: usize,
}

impl Gliner {
    /// Asks for `labels`, each believed from its threshold on.
    pub fn new(
        description: &Description,
        labels: Vec<String>,
        thresholds: Vec<f32>,
    ) -> Result<Self, String> {
        if !description.span_mode.starts_with("marker") {
            return Err(format!(
                "span_mode is `{}`; expected a model that marks spans (`markerV0`)",
                description.span_mode
            ));
        }
        if !(1..=64).contains(&description.max_width) || description.max_len == 0 {
            return Err("max_width must lie between 1 and 64, max_len above 0".into());
        }
        let mut prompt = Vec::new();
        for label in &labels {
            prompt.extend([description.ent_token.clone(), label.clone()]);
        }
        prompt.push(description.sep_token.clone());
        let encoder = description.encoder_config.as_ref();
        Ok(Self {
            labels,
            thresholds,
            prompt,
            word: meta::Regex::new(WORD).map_err(|error| error.to_string())?,
            width: description.max_width,
            words: description.max_len,
            positions: encoder
                .and_then(|encoder| encoder.max_position_embeddings)
                .filter(|positions| *positions > 0)
                .unwrap_or(super::model::POSITIONS),
        })
    }

    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// What the model finds in a text: disjoint spans, in order.
    pub fn read(
        &self,
        tokenizer: &Tokenizer,
        lease: &mut Lease<'_>,
        text: &str,
    ) -> Result<Vec<Word>, Error> {
        let words: Vec<(usize, usize)> = self
            .word
            .find_iter(text)
            .map(|word| (word.start(), word.end()))
            .collect();
        let mut found = Vec::new();
        for words in words.chunks(self.words) {
            self.read_words(tokenizer, lease, text, words, &mut found)?;
        }
        Ok(found)
    }

    /// Has the model read some words; in halves if their tokens are too many for it.
    fn read_words(
        &self,
        tokenizer: &Tokenizer,
        lease: &mut Lease<'_>,
        text: &str,
        words: &[(usize, usize)],
        found: &mut Vec<Word>,
    ) -> Result<(), Error> {
        let prompt = self.prompt.iter().map(String::as_str);
        let sequence: Vec<&str> = prompt
            .chain(words.iter().map(|&(start, end)| &text[start..end]))
            .collect();
        let encoding = tokenizer
            .encode(InputSequence::from(&sequence[..]), true)
            .map_err(|error| Error::Model(error.to_string()))?;
        if encoding.len() > self.positions {
            if words.len() < 2 {
                return Err(Error::Model(format!(
                    "a word and the labels have {} tokens, more than {}",
                    encoding.len(),
                    self.positions
                )));
            }
            let (first, second) = words.split_at(words.len() / 2);
            self.read_words(tokenizer, lease, text, first, found)?;
            return self.read_words(tokenizer, lease, text, second, found);
        }
        let mut numbers = vec![0i64; encoding.len()];
        let mut last = None;
        for (number, word) in numbers.iter_mut().zip(encoding.get_word_ids()) {
            let Some(word) = word else { continue };
            if last != Some(*word) && *word as usize >= self.prompt.len() {
                *number = i64::from(*word) - self.prompt.len() as i64 + 1;
            }
            last = Some(*word);
        }
        let (tokens, spans) = (encoding.len(), words.len() * self.width);
        let ids: Vec<i64> = encoding.get_ids().iter().map(|&id| i64::from(id)).collect();
        let starts = 0..words.len();
        let places =
            starts.flat_map(|start| (0..self.width).map(move |more| (start, start + more)));
        let (mut indices, mut inside) = (Vec::with_capacity(2 * spans), Vec::with_capacity(spans));
        for (start, end) in places {
            let held = end < words.len();
            // Spans that reach over the end are masked; their index only has to be a valid one.
            indices.extend([start as i64, if held { end as i64 } else { 0 }]);
            inside.push(held);
        }
        let ints = |name, shape: &[usize], data| Input {
            name,
            shape: shape.to_vec(),
            data: Data::Ints(data),
        };
        let inputs = [
            ints("input_ids", &[1, tokens], ids),
            ints("attention_mask", &[1, tokens], vec![1; tokens]),
            ints("words_mask", &[1, tokens], numbers),
            ints("text_lengths", &[1, 1], vec![words.len() as i64]),
            ints("span_idx", &[1, spans, 2], indices),
            Input {
                name: "span_mask",
                shape: vec![1, spans],
                data: Data::Flags(inside.clone()),
            },
        ];
        let scores = lease.run(&inputs, spans * self.labels.len())?;
        self.decode(words, &inside, &scores, found);
        Ok(())
    }

    /// The surest spans first; what overlaps one of them is not counted.
    fn decode(
        &self,
        words: &[(usize, usize)],
        inside: &[bool],
        scores: &[f32],
        found: &mut Vec<Word>,
    ) {
        let mut sure: Vec<(f32, usize, usize, usize)> = Vec::new();
        for (number, scores) in scores.chunks_exact(self.labels.len().max(1)).enumerate() {
            if !inside[number] {
                continue;
            }
            let (start, more) = (number / self.width, number % self.width);
            for (label, score) in scores.iter().enumerate() {
                let score = 1.0 / (1.0 + (-score).exp());
                if score >= self.thresholds[label] {
                    sure.push((score, start, start + more, label));
                }
            }
        }
        sure.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut kept: Vec<(f32, usize, usize, usize)> = Vec::new();
        for span in sure {
            if kept.iter().all(|held| span.1 > held.2 || held.1 > span.2) {
                kept.push(span);
            }
        }
        kept.sort_by_key(|span| span.1);
        found.extend(kept.into_iter().map(|(score, first, last, label)| Word {
            start: words[first].0 as u16,
            end: words[last].1 as u16,
            label: label as Label,
            begins: true,
            score,
        }));
    }
}
