//! From the model's scores of tokens to labelled words.

use super::rules::NerRules;

/// A label that the model gives a word, with where it stands in its window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Word {
    /// First byte, in the window.
    pub start: u16,
    /// One past the last byte.
    pub end: u16,
    pub label: Label,
    /// Whether the model says that an entity begins here.
    pub begins: bool,
    /// Probability, 0 to 1.
    pub score: f32,
}

/// The number of a label, without its B- or I-.
pub(super) type Label = u8;

/// The labels of the model: its class 0 is O, then come B- and I- of each label.
pub(super) struct Labels {
    names: Vec<String>,
    thresholds: Vec<f32>,
}

impl Labels {
    /// The model's labels in the order of its classes.
    pub fn new(names: &[String], rules: &NerRules) -> Self {
        let thresholds = names
            .iter()
            .map(|name| {
                rules
                    .label(name)
                    .map_or(f32::INFINITY, |rule| rule.listed_threshold)
            })
            .collect();
        Self {
            names: names.to_vec(),
            thresholds,
        }
    }

    /// How many classes the model scores.
    pub fn classes(&self) -> usize {
        1 + 2 * self.names.len()
    }

    pub fn name(&self, label: Label) -> &str {
        &self.names[usize::from(label)]
    }

    /// Labels the words of a window. `tokens` are the byte range and the word of each scored
    /// token, `None` for special ones; `scores` has [`Labels::classes`] figures for each token.
    ///
    /// A word has the mean of its tokens' probabilities, and the likeliest label that reaches
    /// its lower threshold even where O is likelier: a name that stays visible costs more than a word
    /// masked in vain.
    pub fn decode(&self, tokens: &[(Option<u32>, (usize, usize))], scores: &[f32]) -> Vec<Word> {
        let mut words = Vec::new();
        let mut sums = vec![0.0f32; self.names.len()];
        let mut at = 0;
        while at < tokens.len() {
            let Some(word) = tokens[at].0 else {
                at += 1;
                continue;
            };
            let first = at;
            sums.fill(0.0);
            let mut begins = false;
            while at < tokens.len() && tokens[at].0 == Some(word) {
                let classes = &scores[at * self.classes()..(at + 1) * self.classes()];
                let top = classes.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let total: f32 = classes.iter().map(|score| (score - top).exp()).sum();
                for (sum, pair) in sums.iter_mut().zip(classes[1..].chunks_exact(2)) {
                    *sum += ((pair[0] - top).exp() + (pair[1] - top).exp()) / total;
                }
                if at == first {
                    let best = argmax(&sums);
                    begins = classes[1 + 2 * best] > classes[2 + 2 * best];
                }
                at += 1;
            }
            let count = (at - first) as f32;
            let label = argmax(&sums);
            let score = sums[label] / count;
            if score >= self.thresholds[label] {
                words.push(Word {
                    start: tokens[first].1.0 as u16,
                    end: tokens[at - 1].1.1 as u16,
                    label: label as Label,
                    begins,
                    score,
                });
            }
        }
        words
    }
}

fn argmax(values: &[f32]) -> usize {
    let mut best = 0;
    for (at, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = at;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_takes_the_mean_of_its_tokens() {
        let rules = crate::ner::tests::rules();
        let labels = Labels::new(&["GIVEN_NAME", "CITY"].map(String::from), &rules);
        let tokens = [
            (None, (0, 0)),
            (Some(0), (0, 3)),
            (Some(0), (3, 6)),
            (Some(1), (7, 9)),
            (None, (0, 0)),
        ];
        let mut scores = vec![0.0; 5 * 5];
        scores[5 + 1] = 9.0;
        scores[10 + 2] = 9.0;
        scores[15] = 9.0;
        let words = labels.decode(&tokens, &scores);
        assert_eq!(words.len(), 1);
        assert_eq!(
            (words[0].start, words[0].end, words[0].begins),
            (0, 6, true)
        );
        assert!(words[0].score > 0.99);
    }
}
