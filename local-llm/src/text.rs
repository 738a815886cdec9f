//! From the bytes of tokens to text that may be shown: whole characters only, and nothing of a
//! stop sequence, wherever the borders between tokens fall.

use std::str;

/// Assembles the bytes of tokens.
///
/// It holds back an incomplete character and whatever may yet become a stop sequence. Of several
/// stop sequences the one that is complete first wins, the longest if two are complete at once,
/// so that the outcome does not depend on where tokens end.
pub(crate) struct TextAssembler {
    stops: Vec<String>,
    /// The first bytes of a character that is not complete.
    partial: Vec<u8>,
    /// Text that may yet become a stop sequence.
    held: String,
}

impl TextAssembler {
    /// `stops` must not hold an empty text.
    pub(crate) fn new(stops: Vec<String>) -> Self {
        Self {
            stops,
            partial: Vec::new(),
            held: String::new(),
        }
    }

    /// Takes the bytes of one token. Returns the text that is now certain and, when a stop
    /// sequence was completed, that sequence; nothing may be pushed after that.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> (String, Option<String>) {
        self.partial.extend_from_slice(bytes);
        self.decode();
        if let Some((start, stop)) = self.first_stop() {
            self.held.truncate(start);
            self.partial.clear();
            return (std::mem::take(&mut self.held), Some(stop));
        }
        let certain = self.held.len() - self.undecided();
        let rest = self.held.split_off(certain);
        (std::mem::replace(&mut self.held, rest), None)
    }

    /// What was held back, once nothing more comes. An incomplete character becomes U+FFFD.
    pub(crate) fn finish(&mut self) -> String {
        if !self.partial.is_empty() {
            self.partial.clear();
            self.held.push(char::REPLACEMENT_CHARACTER);
        }
        std::mem::take(&mut self.held)
    }

    /// Moves whole characters from `partial` to `held`; bytes that can never be one become U+FFFD.
    fn decode(&mut self) {
        let mut rest = self.partial.as_slice();
        loop {
            match str::from_utf8(rest) {
                Ok(text) => {
                    self.held.push_str(text);
                    self.partial.clear();
                    return;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    self.held
                        .push_str(str::from_utf8(valid).unwrap_or_default());
                    match error.error_len() {
                        Some(bad) => {
                            self.held.push(char::REPLACEMENT_CHARACTER);
                            rest = &after[bad..];
                        }
                        None => {
                            self.partial = after.to_vec();
                            return;
                        }
                    }
                }
            }
        }
    }

    /// Where the stop sequence that is complete first begins, and which it is.
    fn first_stop(&self) -> Option<(usize, String)> {
        self.stops
            .iter()
            .filter_map(|stop| self.held.find(stop.as_str()).map(|start| (start, stop)))
            .min_by_key(|(start, stop)| (start + stop.len(), *start))
            .map(|(start, stop)| (start, stop.clone()))
    }

    /// Length of the longest end of `held` that begins a stop sequence.
    fn undecided(&self) -> usize {
        let begins = |stop: &String| {
            let starts = stop.char_indices().map(|(at, _)| at).skip(1);
            starts.filter(|&at| self.held.ends_with(&stop[..at])).max()
        };
        self.stops.iter().filter_map(begins).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Everything shown, and the stop sequence, when `bytes` come in pieces of `sizes`.
    fn run(
        bytes: &[u8],
        stops: &[String],
        mut sizes: impl Iterator<Item = usize>,
    ) -> (String, Option<String>) {
        let mut assembler = TextAssembler::new(stops.to_vec());
        let (mut shown, mut rest) = (String::new(), bytes);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(sizes.next().unwrap_or(1).clamp(1, rest.len()));
            rest = after;
            let (text, stop) = assembler.push(piece);
            shown.push_str(&text);
            if stop.is_some() {
                return (shown, stop);
            }
        }
        shown.push_str(&assembler.finish());
        (shown, None)
    }

    #[test]
    fn a_character_split_over_tokens_is_held() {
        let mut assembler = TextAssembler::new(vec![]);
        let bytes = "ü€🦀".as_bytes();
        let shown: Vec<String> = bytes.iter().map(|b| assembler.push(&[*b]).0).collect();
        assert_eq!(shown, ["", "ü", "", "", "€", "", "", "", "🦀"]);
        assert_eq!(assembler.finish(), "");
    }

    #[test]
    fn bytes_that_are_no_character_are_replaced() {
        assert_eq!(
            run(b"a\xffb\xe2\x82", &[], [1].into_iter().cycle()).0,
            "a\u{fffd}b\u{fffd}"
        );
    }

    #[test]
    fn a_stop_sequence_over_tokens_is_never_shown() {
        let mut assembler = TextAssembler::new(vec!["END".into()]);
        assert_eq!(assembler.push(b"so E"), ("so ".into(), None));
        assert_eq!(assembler.push(b"N"), (String::new(), None));
        assert_eq!(
            assembler.push(b"D and more"),
            (String::new(), Some("END".into()))
        );
    }

    #[test]
    fn what_only_looked_like_a_stop_sequence_is_shown() {
        let mut assembler = TextAssembler::new(vec!["END".into()]);
        assert_eq!(assembler.push(b"EN").0, "");
        assert_eq!(assembler.push(b"EMY").0, "ENEMY");
        assert_eq!(assembler.push(b" EN").0, " ");
        assert_eq!(assembler.finish(), "EN");
    }

    #[test]
    fn the_stop_sequence_complete_first_wins() {
        let stops = ["abcd".to_owned(), "bc".to_owned()];
        for size in 1..=4 {
            let found = run(b"xabcd", &stops, [size].into_iter().cycle());
            assert_eq!(found, ("xa".into(), Some("bc".into())), "pieces of {size}");
        }
    }

    proptest! {
        #[test]
        fn any_split_equals_the_whole(
            text in "[abé€🦀]{0,24}",
            stops in prop::collection::vec("[abé€]{1,4}", 0..4),
            sizes in prop::collection::vec(1usize..6, 0..40),
        ) {
            let whole = run(text.as_bytes(), &stops, std::iter::once(text.len()));
            prop_assert_eq!(&run(text.as_bytes(), &stops, sizes.into_iter()), &whole);
            let (shown, stop) = whole;
            match stop {
                Some(stop) => prop_assert!(text.starts_with(&(shown + &stop))),
                None => prop_assert_eq!(shown, text),
            }
        }

        #[test]
        fn any_bytes_read_as_the_standard_reads_them(
            bytes in prop::collection::vec(any::<u8>(), 0..64),
            sizes in prop::collection::vec(1usize..6, 0..64),
        ) {
            let (shown, _) = run(&bytes, &[], sizes.into_iter());
            prop_assert_eq!(shown, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
}
