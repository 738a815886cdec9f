//! The recognizer that runs all rules of all packs over a text.
//!
//! No rule is searched for where it cannot match:
//! - rules with keywords are tried where one of their keywords stands (one Aho-Corasick pass);
//! - the others block by block: rules that need context in blocks that hold one of their context
//!   words (one more such pass), the rest in blocks where one automaton over all of their patterns
//!   says that they match. For most text that is none or few of them.

use crate::{
    Entity, Error, Finding, Span,
    checks::Check,
    context::{
        AFTER, BEFORE, Words, ceil, ends_word, floor, is_part_of_groups, is_word, spellings_of,
        starts_word,
    },
    finding::Jurisdiction,
    pack::{self, Rule},
};
use aho_corasick::AhoCorasick;
use regex_automata::{
    Anchored, Input, MatchKind, PatternID, PatternSet, meta, util::captures::Captures,
};
use std::{ops::Range, path::Path, sync::Arc};

/// The jurisdictions that rules are at home in.
pub(crate) type Homes<'h> = &'h [Jurisdiction];

/// How much text is searched at once, in bytes.
const BLOCK: usize = 4096;

/// All rules, compiled.
pub(crate) struct Patterns {
    rules: Vec<Compiled>,
    /// Which of the rules in `shaped` match anywhere, by their order there.
    gate: meta::Regex,
    shaped: Vec<usize>,
    contexts: Contexts,
    keywords: [Keywords; 2],
    /// The longest match of any rule without keywords, in bytes.
    reach: usize,
}

/// The context words of the rules that need one.
struct Contexts {
    automaton: AhoCorasick,
    /// For each word, whether it is a stem, and the rule.
    words: Vec<(bool, usize)>,
}

struct Keywords {
    automaton: AhoCorasick,
    rule: Vec<usize>,
}

struct Compiled {
    name: Arc<str>,
    entity: Entity,
    regex: meta::Regex,
    /// Whether the pattern was given a place to begin, see [`Rule::anchored_pattern`].
    anchored: bool,
    /// Whether the pattern has a group named `value`.
    narrowed: bool,
    check: Option<Check>,
    score: f32,
    bare_score: f32,
    home_score: f32,
    context: Option<Words>,
    context_score: f32,
    context_required: bool,
    veto: Option<Words>,
    not_after: String,
    not_before: String,
    boundary: bool,
    alone: bool,
    min_entropy: f32,
    max_bytes: usize,
    exclude: Vec<meta::Regex>,
    jurisdiction: Option<Jurisdiction>,
}

impl Patterns {
    /// Compiles every pack in `directory` and below it, in the order of their names.
    pub fn read(directory: &Path, skip: &[&str]) -> Result<Self, Error> {
        let mut rules = Vec::new();
        for path in toml_files(directory)? {
            if !skip
                .iter()
                .any(|name| path.file_name().is_some_and(|file| file == *name))
            {
                rules.extend(pack::read(directory, &path)?);
            }
        }
        Self::compile(rules).map_err(|reason| Error::Rules {
            path: directory.into(),
            line: 1,
            reason: format!("the packs cannot be compiled together: {reason}"),
        })
    }

    fn compile(rules: Vec<Rule>) -> Result<Self, String> {
        let shaped: Vec<usize> = (0..rules.len())
            .filter(|&at| rules[at].keywords.is_empty() && !rules[at].context_required)
            .collect();
        let shapes: Vec<String> = shaped
            .iter()
            .map(|&at| pack::ascii_classes(&rules[at].anchored_pattern()))
            .collect();
        let config = meta::Config::new()
            .match_kind(MatchKind::All)
            .hybrid_cache_capacity(16 << 20)
            .nfa_size_limit(Some(64 << 20));
        let gate = meta::Regex::builder()
            .configure(config)
            .build_many(&shapes)
            .map_err(|error| error.to_string())?;
        let contexts = Contexts::new(&rules).map_err(|error| error.to_string())?;
        let keywords = [
            Keywords::new(&rules, false).map_err(|error| error.to_string())?,
            Keywords::new(&rules, true).map_err(|error| error.to_string())?,
        ];
        let reach = shaped
            .iter()
            .map(|&at| rules[at].max_bytes)
            .max()
            .unwrap_or(0);
        let rules = rules
            .into_iter()
            .map(Compiled::new)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            rules,
            gate,
            shaped,
            contexts,
            keywords,
            reach,
        })
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    fn find_keyed(&self, text: &str, homes: Homes, out: &mut Vec<Finding>) {
        for keywords in &self.keywords {
            let mut resume = vec![
                0;
                if keywords.rule.is_empty() {
                    0
                } else {
                    self.rules.len()
                }
            ];
            if keywords.rule.is_empty() {
                continue;
            }
            for hit in keywords.automaton.find_overlapping_iter(text) {
                let at = keywords.rule[hit.pattern().as_usize()];
                let rule = &self.rules[at];
                if hit.start() < resume[at] {
                    continue;
                }
                let end = ceil(text, hit.start() + rule.max_bytes);
                let input = Input::new(text)
                    .span(hit.start()..end)
                    .anchored(Anchored::Yes);
                if let Some(found) = rule.regex.search(&input)
                    && let Some(finding) = rule.judge(text, found.range(), homes)
                {
                    resume[at] = finding.span.end;
                    out.push(finding);
                }
            }
        }
    }

    fn find_shaped(&self, text: &str, homes: Homes, out: &mut Vec<Finding>) {
        let mut resume = vec![0; self.rules.len()];
        let mut matching = PatternSet::new(self.shaped.len());
        let mut wanted = vec![false; self.rules.len()];
        let mut start = 0;
        while start < text.len() {
            let end = block_end(text, start);
            let seen = ceil(text, end + self.reach);
            let near = floor(text, start.saturating_sub(BEFORE))..ceil(text, seen + AFTER);
            self.contexts.mark(text, near, &mut wanted);
            matching.clear();
            self.gate
                .which_overlapping_matches(&Input::new(text).span(start..seen), &mut matching);
            for id in matching.iter() {
                wanted[self.shaped[id.as_usize()]] = true;
            }
            for (at, wanted) in wanted.iter_mut().enumerate() {
                if std::mem::take(wanted) {
                    resume[at] =
                        self.rules[at].search(text, resume[at].max(start)..end, homes, out);
                }
            }
            start = end;
        }
    }
}

impl Contexts {
    fn new(rules: &[Rule]) -> Result<Self, aho_corasick::BuildError> {
        let (mut spellings, mut words) = (Vec::new(), Vec::new());
        let needy = |rule: &&Rule| rule.context_required && rule.keywords.is_empty();
        for (at, rule) in rules.iter().enumerate().filter(|(_, rule)| needy(rule)) {
            for word in &rule.context {
                let bare = word.trim_end_matches('*');
                for spelling in spellings_of(bare) {
                    spellings.push(spelling);
                    words.push((bare.len() < word.len(), at));
                }
            }
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(spellings)?;
        Ok(Self { automaton, words })
    }

    /// Marks the rules that have a context word in `range`.
    fn mark(&self, text: &str, range: Range<usize>, wanted: &mut [bool]) {
        let input = aho_corasick::Input::new(text).range(range);
        for found in self.automaton.find_overlapping_iter(input) {
            let (stem, rule) = self.words[found.pattern().as_usize()];
            if !wanted[rule]
                && starts_word(text, found.start())
                && (stem || ends_word(text, found.end()))
            {
                wanted[rule] = true;
            }
        }
    }
}

impl Patterns {
    /// Appends what the rules find in `text` to `out`; findings may overlap.
    pub fn find(&self, text: &str, homes: Homes, out: &mut Vec<Finding>) {
        self.find_keyed(text, homes, out);
        self.find_shaped(text, homes, out);
    }
}

impl Keywords {
    fn new(rules: &[Rule], ignore_case: bool) -> Result<Self, aho_corasick::BuildError> {
        let (mut words, mut rule) = (Vec::new(), Vec::new());
        for (at, of) in rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.ignore_case == ignore_case)
        {
            for keyword in &of.keywords {
                words.push(keyword.as_str());
                rule.push(at);
            }
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(ignore_case)
            .build(words)?;
        Ok(Self { automaton, rule })
    }
}

impl Compiled {
    fn new(rule: Rule) -> Result<Self, String> {
        let keyed = !rule.keywords.is_empty();
        let regex = pack::compile(&if keyed {
            rule.pattern.clone()
        } else {
            rule.anchored_pattern()
        })?;
        let narrowed = regex
            .group_info()
            .to_index(PatternID::ZERO, "value")
            .is_some();
        Ok(Self {
            name: rule.name.into(),
            entity: rule.entity,
            anchored: !keyed && rule.boundary,
            narrowed,
            regex,
            check: rule.check,
            score: rule.score,
            bare_score: rule.bare_score,
            home_score: rule.home_score,
            context: Words::new(&rule.context),
            context_score: rule.context_score,
            context_required: rule.context_required,
            veto: Words::new(&rule.veto),
            not_after: rule.not_after,
            not_before: rule.not_before,
            boundary: rule.boundary,
            alone: rule.alone,
            min_entropy: rule.min_entropy,
            max_bytes: rule.max_bytes,
            exclude: rule.exclude,
            jurisdiction: rule.jurisdiction,
        })
    }

    /// Reports matches that start in `range`; says where the next search for this rule begins.
    fn search(
        &self,
        text: &str,
        range: Range<usize>,
        homes: Homes,
        out: &mut Vec<Finding>,
    ) -> usize {
        let mut at = range.start;
        let seen = ceil(text, range.end + self.max_bytes);
        while at < range.end {
            let Some(found) = self.regex.search(&Input::new(text).span(at..seen)) else {
                break;
            };
            if found.start() >= range.end {
                break;
            }
            at = match self.judge(text, found.range(), homes) {
                Some(finding) => {
                    let end = finding.span.end.max(found.start() + 1);
                    out.push(finding);
                    ceil(text, end)
                }
                _ => next_start(text, found.start()),
            };
        }
        at
    }

    /// Decides about one match.
    fn judge(&self, text: &str, found: Range<usize>, homes: Homes) -> Option<Finding> {
        let mut value = if self.narrowed {
            self.value(text, found)?
        } else {
            found
        };
        // The underscore that may stand before a match is not part of it.
        if self.anchored && text[value.clone()].starts_with('_') {
            value.start += 1;
        }
        if self.touched_before(text, value.start) {
            return None;
        }
        if let Some(check) = self.check {
            value.end = value.start + check(&text[value.clone()])?;
        }
        if self.touched_after(text, value.end) {
            return None;
        }
        let matched = &text[value.clone()];
        if (self.min_entropy > 0.0 && entropy(matched) < self.min_entropy)
            || self
                .exclude
                .iter()
                .any(|exclusion| exclusion.is_match(matched))
        {
            return None;
        }
        let near = |words: &Option<Words>| {
            words
                .as_ref()
                .is_some_and(|words| words.near(text, value.start, value.end))
        };
        let score = match near(&self.context) {
            true => self.context_score,
            false if self.context_required => return None,
            false if self.alone && is_part_of_groups(text, value.start, value.end) => return None,
            false => self.score_alone(matched, homes),
        };
        if near(&self.veto) {
            return None;
        }
        Some(Finding {
            span: Span::from(value),
            entity: self.entity,
            score,
            recognizer: Arc::clone(&self.name),
            jurisdiction: self.jurisdiction,
        })
    }

    /// The score of a value that no context word stands near to.
    fn score_alone(&self, value: &str, homes: Homes) -> f32 {
        let score = match value.bytes().all(|byte| byte.is_ascii_digit()) {
            true => self.bare_score,
            false => self.score,
        };
        match self.jurisdiction {
            Some(own) if homes.contains(&own) => score.max(self.home_score),
            _ => score,
        }
    }

    fn value(&self, text: &str, found: Range<usize>) -> Option<Range<usize>> {
        let mut captures: Captures = self.regex.create_captures();
        let input = Input::new(text).span(found.clone()).anchored(Anchored::Yes);
        self.regex.search_captures(&input, &mut captures);
        // Another alternative of the pattern than the one with the group: all of it counts.
        let value = captures
            .get_group_by_name("value")
            .map_or(found, |span| span.range());
        (!value.is_empty()).then_some(value)
    }

    fn touched_before(&self, text: &str, start: usize) -> bool {
        let Some(before) = text[..start].chars().next_back() else {
            return false;
        };
        self.not_after.contains(before)
            || (self.boundary
                && is_word(before)
                && text[start..].chars().next().is_some_and(is_word))
    }

    fn touched_after(&self, text: &str, end: usize) -> bool {
        let Some(after) = text[end..].chars().next() else {
            return false;
        };
        self.not_before.contains(after)
            || (self.boundary
                && is_word(after)
                && text[..end].chars().next_back().is_some_and(is_word))
    }
}

/// Where to look on after a match at `start` was refused: past the word that it began in.
fn next_start(text: &str, start: usize) -> usize {
    let mut rest = text[start..].chars();
    let first = rest.next();
    let step = first.map_or(1, char::len_utf8);
    if first.is_some_and(is_word) {
        step + text[start + step..]
            .chars()
            .take_while(|&c| is_word(c))
            .map(char::len_utf8)
            .sum::<usize>()
            + start
    } else {
        start + step
    }
}

/// The end of the block at `start`: after white space, if there is any in its second half.
fn block_end(text: &str, start: usize) -> usize {
    let end = ceil(text, start + BLOCK);
    if end == text.len() {
        return end;
    }
    let half = floor(text, start + BLOCK / 2);
    text.as_bytes()[half..end]
        .iter()
        .rposition(|&byte| byte == b'\n')
        .or_else(|| {
            text.as_bytes()[half..end]
                .iter()
                .rposition(|&byte| byte == b' ')
        })
        .map_or(end, |at| half + at + 1)
}

/// Shannon entropy of the bytes, in bits per byte.
fn entropy(text: &str) -> f32 {
    let mut counts = [0u32; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let total = text.len() as f32;
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| {
            let share = count as f32 / total;
            -share * share.log2()
        })
        .sum()
}

/// The `.toml` files of a directory and of those in it, by name.
pub(crate) fn toml_files(directory: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    let failed = |source| Error::Io {
        path: directory.into(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            files.extend(toml_files(&path)?);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(rules: &str) -> Patterns {
        let directory = std::env::temp_dir().join(format!(
            "tollgate-patterns-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("t.toml"), rules).unwrap();
        let patterns = Patterns::read(&directory, &[]).unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        patterns
    }

    fn found<'t>(patterns: &Patterns, text: &'t str) -> Vec<&'t str> {
        let mut out = Vec::new();
        patterns.find(text, &[], &mut out);
        out.into_iter()
            .map(|finding| &text[finding.span.range()])
            .collect()
    }

    const PIN: &str =
        "[[recognizer]]\nid = 'pin'\nentity = 'CUSTOM'\npattern = '\\d{4}-\\d{4}'\nscore = 1.0\n";

    #[test]
    fn matches_do_not_begin_or_end_inside_words() {
        let patterns = patterns(PIN);
        assert_eq!(
            found(&patterns, "1234-5678, _8765-4321_"),
            ["1234-5678", "8765-4321"]
        );
        assert!(found(&patterns, "x1234-5678 1234-56789 91234-5678é").is_empty());
        assert_eq!(found(&patterns, "号1234-5678号"), ["1234-5678"]);
    }

    #[test]
    fn a_match_is_found_wherever_the_blocks_are_cut() {
        let patterns = patterns(PIN);
        for pad in (BLOCK - 40)..(BLOCK + 4) {
            for filler in ["a ", "é", "--"] {
                let text = format!("{} 1234-5678", filler.repeat(pad / filler.len()));
                assert_eq!(found(&patterns, &text), ["1234-5678"], "{pad} {filler}");
            }
        }
    }

    #[test]
    fn a_keyword_starts_its_rule_only_where_it_stands() {
        let patterns = patterns(
            "[[recognizer]]\nid = 'k'\nentity = 'SECRET'\nkeywords = ['key_']\n\
             pattern = 'key_(?P<value>[a-z0-9]{6})'\nscore = 1.0\nmin_entropy = 2.0\n",
        );
        assert_eq!(
            found(&patterns, "key_key_ab12cd key_aaaaaa key_zq91xw"),
            ["ab12cd", "zq91xw"]
        );
    }

    #[test]
    fn digits_alone_score_less_and_at_home_more() {
        let patterns = patterns(
            "jurisdiction = 'DE'\n[[recognizer]]\nid = 'n'\nentity = 'TAX_ID'\npattern = '\\d{2}-?\\d{2}'\n\
             score = 0.6\nbare_score = 0.3\nhome_score = 0.55\ncontext = ['tax']\ncontext_score = 0.9\n",
        );
        let score = |text: &str, homes: &[&str]| {
            let homes: Vec<_> = homes.iter().filter_map(|h| Jurisdiction::new(h)).collect();
            let mut out = Vec::new();
            patterns.find(text, &homes, &mut out);
            out[0].score
        };
        assert_eq!(score("12-34", &[]), 0.6);
        assert_eq!(score("12-34", &["DE"]), 0.6);
        assert_eq!(score("1234", &["AT"]), 0.3);
        assert_eq!(score("1234", &["AT", "DE"]), 0.55);
        assert_eq!(score("tax 1234", &["AT"]), 0.9);
    }

    #[test]
    fn packs_lie_in_directories() {
        let directory = std::env::temp_dir().join(format!("tollgate-packs-{}", std::process::id()));
        std::fs::create_dir_all(directory.join("identifiers")).unwrap();
        std::fs::write(directory.join("identifiers/de.toml"), PIN).unwrap();
        std::fs::write(directory.join("de.toml"), PIN).unwrap();
        let patterns = Patterns::read(&directory, &["other.toml"]).unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        let mut out = Vec::new();
        patterns.find("1234-5678", &[], &mut out);
        let names: Vec<_> = out.iter().map(|finding| &*finding.recognizer).collect();
        assert_eq!(names, ["de/pin", "identifiers/de/pin"]);
    }

    #[test]
    fn entropy_is_in_bits() {
        assert_eq!(entropy("aaaa"), 0.0);
        assert_eq!(entropy("abcd"), 2.0);
    }
}
