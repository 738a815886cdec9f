//! From a model's scores of tokens to labelled words.

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

/// The labels of a model, and which of them each of its classes means.
pub(super) struct Labels {
    names: Vec<String>,
    /// The least probability at which a label is believed.
    thresholds: Vec<f32>,
    /// For each class its label and whether it begins an entity; nothing for O.
    classes: Vec<Option<(Label, bool)>>,
}

impl Labels {
    /// Classes as models name them: `O`, `B-PER`, `I-PER`, or just `PER`; also the `S-`, `U-`, `E-` and
    /// `L-` of BIOES and BILOU. `threshold` is asked for each label; infinity means never.
    pub fn new(classes: &[String], threshold: impl Fn(&str) -> f32) -> Self {
        let mut names: Vec<String> = Vec::new();
        let classes = classes
            .iter()
            .map(|class| {
                let (role, name) = match class.split_once('-') {
                    Some((role @ ("B" | "I" | "S" | "U" | "E" | "L"), name)) => (role, name),
                    _ if class == "O" => return None,
                    _ => ("I", class.as_str()),
                };
                let known = names.iter().position(|known| known == name);
                let label = known.unwrap_or_else(|| {
                    names.push(name.to_owned());
                    names.len() - 1
                });
                Some((label as Label, matches!(role, "B" | "S" | "U")))
            })
            .collect();
        Self {
            thresholds: names.iter().map(|name| threshold(name)).collect(),
            names,
            classes,
        }
    }

    /// How many classes the model scores.
    pub fn classes(&self) -> usize {
        self.classes.len()
    }

    /// All labels, without O.
    pub fn names(&self) -> &[String] {
        &self.names
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
                let scores = &scores[at * self.classes()..(at + 1) * self.classes()];
                let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let total: f32 = scores.iter().map(|score| (score - top).exp()).sum();
                for (score, class) in scores.iter().zip(&self.classes) {
                    if let Some((label, _)) = class {
                        sums[usize::from(*label)] += (score - top).exp() / total;
                    }
                }
                if at == first {
                    begins = self.begins(argmax(&sums) as Label, scores);
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

    /// Whether the likeliest class of a label is one that begins an entity.
    fn begins(&self, label: Label, scores: &[f32]) -> bool {
        let classes = self.classes.iter().zip(scores);
        let of_label = classes.filter_map(|(class, score)| match class {
            Some((of, begins)) if *of == label => Some((score, *begins)),
            _ => None,
        });
        of_label
            .max_by(|a, b| a.0.total_cmp(b.0))
            .is_some_and(|(_, begins)| begins)
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
        let classes = ["O", "B-GIVEN_NAME", "I-GIVEN_NAME", "B-CITY", "I-CITY"];
        let labels = Labels::new(&classes.map(String::from), |_| 0.5);
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

    #[test]
    fn classes_come_in_any_order_and_scheme() {
        let classes = ["I-PER", "U-LOC", "O", "B-PER", "MISC"];
        let labels = Labels::new(&classes.map(String::from), |_| 0.5);
        assert_eq!(labels.names(), ["PER", "LOC", "MISC"]);
        let tokens = [0, 1, 2, 3].map(|word| (Some(word), (0, 1)));
        let mut scores = vec![0.0; 4 * 5];
        for (token, class) in [3, 0, 1, 4].into_iter().enumerate() {
            scores[token * 5 + class] = 9.0;
        }
        let words = labels.decode(&tokens, &scores);
        let found: Vec<_> = words.iter().map(|word| (word.label, word.begins)).collect();
        assert_eq!(found, [(0, true), (0, false), (1, true), (2, false)]);
    }
}
