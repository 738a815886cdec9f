//! The recognizer that runs all rules of all packs over a text.
//!
//! No rule is searched for where it cannot match. How a rule is found follows from its pattern:
//! - by *shape* ([`shapes`]), if every match holds a digit, a capital or a separator near its
//!   beginning: at such places one automaton over the shapes of all patterns says which rules can
//!   match. Most of them need a context word near it, and so are done with;
//! - by *literal* ([`literals`]), if the rule has keywords, or if every match holds one of a few
//!   literals: one pass finds them all;
//! - otherwise by *gate*: an automaton over the patterns themselves says which blocks of the text
//!   to search. It costs more than the others together; no rule that comes with Tollgate needs it.
//!
//! Whatever the way, it finds what searching for the rule alone would find.

mod automaton;
mod literals;
mod nearby;
mod relax;
mod required;
mod rule;
mod search;
mod shapes;
#[cfg(test)]
mod tests;

use crate::{
    Error, Explanation, Finding,
    context::{self, AFTER},
    finding::Jurisdiction,
    pack::{self, Rule},
    ruleset::RuleSet,
};
use literals::{Clue, Literals, Place};
use nearby::Contexts;
use regex_automata::{MatchKind, meta};
use required::{Literal, required};
use rule::Compiled;
pub(crate) use search::Scratch;
use search::Search;
use shapes::Shapes;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

/// How many parts of a pattern its shape has; what is beyond is left open.
const SHAPE_PARTS: usize = 2000;
/// A shape that says less than so many bytes, and leaves the rest open, would stand everywhere.
const SHAPE_BYTES_MIN: usize = 3;
/// How far before its first digit or capital a shape may begin, in bytes.
const LEAD_MAX: usize = 32;

/// All rules, compiled.
pub(crate) struct Patterns {
    rules: Vec<Compiled>,
    contexts: Contexts,
    shapes: Shapes,
    literals: Literals,
    gate: Option<Gate>,
    /// Of the deployment.
    homes: Arc<Homes>,
}

/// The rules that have neither shape nor literal.
struct Gate {
    /// Which of them match anywhere, by their order in `rules`.
    regex: meta::Regex,
    rules: Vec<usize>,
    /// The longest match of any of them, in bytes.
    reach: usize,
}

/// The jurisdictions that rules are at home in, and what follows from them.
pub(crate) struct Homes {
    jurisdictions: Vec<Jurisdiction>,
    /// Whether they are the deployment's own, for which the shapes know it already.
    own: bool,
    /// The rules whose matches can count without context.
    formed: RuleSet,
    /// The rules whose matches can count without context although they are digits only.
    bare: RuleSet,
}

/// How a rule is found.
enum Way {
    Shape(relax::Shape),
    Literals(Vec<(Literal, Place)>),
    Gate,
}

impl Patterns {
    /// Compiles every pack in `directories` and below them, in the order of their names; rules of
    /// the `homes` are at home. Matches that score less than `min_score` says for their entity are
    /// not reported.
    pub fn read(
        directories: &[PathBuf],
        skip: &[&str],
        homes: &[Jurisdiction],
        min_score: impl Fn(crate::Entity) -> f32,
    ) -> Result<Self, Error> {
        let mut rules = Vec::new();
        for directory in directories {
            for path in toml_files(directory)? {
                let file = path.file_name().unwrap_or_default();
                if !skip.iter().any(|name| file == *name) {
                    rules.extend(pack::read(directory, &path)?);
                }
            }
        }
        Self::compile(rules, homes, min_score).map_err(|reason| Error::Rules {
            path: directories.first().cloned().unwrap_or_default(),
            line: 1,
            reason: format!("the packs cannot be compiled together: {reason}"),
        })
    }

    fn compile(
        rules: Vec<Rule>,
        homes: &[Jurisdiction],
        min_score: impl Fn(crate::Entity) -> f32,
    ) -> Result<Self, String> {
        let context: Vec<&[String]> = rules.iter().map(|rule| &rule.context[..]).collect();
        let contexts = Contexts::new(&context);
        let count = rules.len();
        let (mut shapes, mut clues, mut gated) = (Vec::new(), Vec::new(), Vec::new());
        let mut compiled = Vec::with_capacity(count);
        for (number, rule) in rules.into_iter().enumerate() {
            let mut search = true;
            match way(&rule)? {
                Way::Shape(shape) => {
                    let inside = rule.shortened || rule.pattern.contains("(?P<value>");
                    shapes.push((number, shape, inside));
                    search = false;
                }
                Way::Literals(all) => {
                    search = all
                        .iter()
                        .any(|(_, place)| matches!(place, Place::Before(_) | Place::Around(..)));
                    clues.extend(all.into_iter().map(|(literal, place)| Clue {
                        literal,
                        rule: number,
                        place,
                    }));
                }
                Way::Gate => gated.push((number, rule.anchored_pattern(), rule.max_bytes)),
            }
            let least = min_score(rule.entity);
            compiled.push(Compiled::new(rule, least, search)?);
        }
        let open = shapes::open(&shapes, count);
        let homes = Homes::new(&compiled, &open, homes.to_vec(), true);
        let alone = [homes.formed.clone(), homes.bare.clone()];
        Ok(Self {
            rules: compiled,
            contexts,
            shapes: Shapes::new(shapes, alone, open)?,
            literals: Literals::new(clues)?,
            gate: Gate::new(gated)?,
            homes: Arc::new(homes),
        })
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// What follows from being at home where the deployment is and, if it is said, in a country.
    pub fn homes(&self, country: Option<Jurisdiction>) -> Arc<Homes> {
        let own = &self.homes.jurisdictions;
        match country.filter(|country| !own.contains(country)) {
            None => Arc::clone(&self.homes),
            Some(country) => {
                let all = own.iter().copied().chain([country]).collect();
                Arc::new(Homes::new(&self.rules, self.shapes.open(), all, false))
            }
        }
    }

    /// Why the rule that a finding in `text` names came to it; `None` if no rule of a pack did.
    pub fn explain(&self, text: &str, finding: &Finding, homes: &Homes) -> Option<Explanation> {
        let number = self
            .rules
            .iter()
            .position(|rule| rule.name == finding.recognizer)?;
        let rule = &self.rules[number];
        let mut tape = nearby::Tape::new(&self.contexts, text);
        let first = text.floor_char_boundary(finding.span.start.saturating_sub(rule.max_bytes));
        let verdicts = (first..finding.span.end)
            .filter(|&start| text.is_char_boundary(start))
            .filter_map(|start| {
                let found = rule.matches_at(text, start, text.len())?;
                rule.judge(number, text, found, &mut tape, &homes.jurisdictions)
            });
        // A finding may have been united with others or cut: the surest match in it made it.
        let best = verdicts
            .filter(|verdict| finding.span.overlaps(verdict.value.clone().into()))
            .max_by(|a, b| a.score.total_cmp(&b.score));
        Some(match best {
            Some(verdict) => Explanation::Rule(rule.explain(&verdict)),
            None => rule.explain_reading(),
        })
    }

    /// Appends what the rules find in `text` to `out`; findings may overlap. An error means that
    /// the deadline passed before all of it was searched.
    pub fn find(
        &self,
        text: &str,
        homes: &Homes,
        scratch: &mut Scratch,
        deadline: Instant,
        out: &mut Vec<Finding>,
    ) -> Result<(), Error> {
        let mut search = Search::new(self, text, homes, scratch, deadline, out);
        search.by_shape()?;
        search.by_literal()?;
        search.by_gate()
    }
}

impl Homes {
    fn new(
        rules: &[Compiled],
        open: &RuleSet,
        jurisdictions: Vec<Jurisdiction>,
        own: bool,
    ) -> Self {
        let (mut sure, mut digits) = (RuleSet::new(rules.len()), RuleSet::new(rules.len()));
        for (number, rule) in rules.iter().enumerate() {
            let home = rule.is_home(&jurisdictions);
            let (formed, bare) = (rule.score_alone(false, home), rule.score_alone(true, home));
            // What looks formed may be digits only once a check has shortened it, and the other
            // way round where only the beginning of the shape is known.
            if formed.max(bare) >= rule.min_score {
                sure.insert(number);
            }
            if bare >= rule.min_score || (open.contains(number) && formed >= rule.min_score) {
                digits.insert(number);
            }
        }
        Self {
            jurisdictions,
            own,
            formed: sure,
            bare: digits,
        }
    }
}

/// How a rule is found: the cheapest way that its pattern allows.
fn way(rule: &Rule) -> Result<Way, String> {
    if !rule.keywords.is_empty() {
        let literal = |keyword: &String| Literal {
            bytes: match rule.ignore_case {
                true => keyword.to_ascii_lowercase().into_bytes(),
                false => keyword.clone().into_bytes(),
            },
            any_case: rule.ignore_case,
        };
        let all = rule
            .keywords
            .iter()
            .map(|keyword| (literal(keyword), Place::Here));
        return Ok(Way::Literals(all.collect()));
    }
    let hir = pack::parse_pattern(&rule.pattern)?;
    if rule.boundary
        && let Some(shape) = relax::shape(&hir, SHAPE_PARTS, LEAD_MAX)
    {
        let least = shape.hir.properties().minimum_len().unwrap_or(0);
        if shape.closed || least >= SHAPE_BYTES_MIN || rule.context_required {
            return Ok(Way::Shape(shape));
        }
    }
    if let Some(found) = required(&hir) {
        let place = match found.before {
            Some(few) if rule.boundary && few <= LEAD_MAX => Place::Near(few),
            Some(few) => Place::Before(few.min(rule.max_bytes) + 1),
            None => Place::Before(rule.max_bytes + 1),
        };
        let all = found.literals.into_iter().map(|literal| (literal, place));
        return Ok(Way::Literals(all.collect()));
    }
    if rule.context_required {
        return Ok(Way::Literals(around_context(rule)));
    }
    Ok(Way::Gate)
}

/// The places around the words that a rule needs near its matches.
fn around_context(rule: &Rule) -> Vec<(Literal, Place)> {
    let mut clues = Vec::new();
    for word in &rule.context {
        let bare = word.trim_end_matches('*');
        let place = Place::Around(rule.max_bytes + AFTER, bare.len() < word.len());
        for spelling in context::spellings_of(bare) {
            let bytes = spelling.to_ascii_lowercase().into_bytes();
            let any_case = true;
            clues.push((Literal { bytes, any_case }, place));
        }
    }
    clues
}

impl Gate {
    /// Takes number, pattern and longest match of each rule.
    fn new(rules: Vec<(usize, String, usize)>) -> Result<Option<Self>, String> {
        let config = meta::Config::new()
            .match_kind(MatchKind::All)
            .hybrid_cache_capacity(16 << 20)
            .nfa_size_limit(Some(64 << 20));
        let patterns: Vec<_> = rules
            .iter()
            .map(|(_, pattern, _)| pack::ascii_classes(pattern))
            .collect();
        if patterns.is_empty() {
            return Ok(None);
        }
        let regex = meta::Regex::builder()
            .configure(config)
            .build_many(&patterns)
            .map_err(|error| error.to_string())?;
        Ok(Some(Self {
            regex,
            reach: rules.iter().map(|&(_, _, most)| most).max().unwrap_or(0),
            rules: rules.into_iter().map(|(number, ..)| number).collect(),
        }))
    }
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
mod unit_tests {
    use super::search::BLOCK;
    use super::*;

    fn patterns(rules: &str) -> Patterns {
        patterns_at_home(rules, &[])
    }

    fn patterns_at_home(rules: &str, homes: &[Jurisdiction]) -> Patterns {
        let directory = std::env::temp_dir().join(format!(
            "tollgate-patterns-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("t.toml"), rules).unwrap();
        let patterns =
            Patterns::read(std::slice::from_ref(&directory), &[], homes, |_| 0.0).unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        patterns
    }

    fn find(patterns: &Patterns, text: &str, country: Option<&str>) -> Vec<Finding> {
        let mut out = Vec::new();
        let homes = patterns.homes(country.and_then(Jurisdiction::new));
        let deadline = Instant::now() + std::time::Duration::from_secs(60);
        patterns
            .find(
                text,
                &homes,
                &mut Scratch::new(patterns),
                deadline,
                &mut out,
            )
            .unwrap();
        out
    }

    fn found<'t>(patterns: &Patterns, text: &'t str) -> Vec<&'t str> {
        find(patterns, text, None)
            .into_iter()
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
        const RULES: &str = "jurisdiction = 'DE'\n[[recognizer]]\nid = 'n'\nentity = 'TAX_ID'\npattern = '\\d{2}-?\\d{2}'\n\
             score = 0.6\nbare_score = 0.3\nhome_score = 0.55\ncontext = ['tax']\ncontext_score = 0.9\n";
        let patterns = patterns(RULES);
        let score = |text: &str, country| find(&patterns, text, country)[0].score;
        assert_eq!(score("12-34", None), 0.6);
        assert_eq!(score("12-34", Some("DE")), 0.6);
        assert_eq!(score("1234", Some("AT")), 0.3);
        assert_eq!(score("1234", Some("DE")), 0.55);
        assert_eq!(score("tax 1234", Some("AT")), 0.9);
        let at_home = patterns_at_home(RULES, &[Jurisdiction::new("DE").unwrap()]);
        for country in [None, Some("AT"), Some("DE")] {
            assert_eq!(find(&at_home, "1234", country)[0].score, 0.55);
        }
    }

    #[test]
    fn a_rule_without_shape_or_literal_is_found_around_its_context() {
        let patterns = patterns(
            "[[recognizer]]\nid = 'm'\nentity = 'DATE'\npattern = '[\\p{L}]{3,10} \\d{1,2}|\\d{1,4}-\\d'\n\
             score = 0.3\ncontext = ['born', 'urodzon*']\ncontext_required = true\ncontext_score = 0.9\n",
        );
        for text in ["urodzona maja 3", "born 199-1", "199-1 (born)"] {
            assert_eq!(found(&patterns, text).len(), 1, "{text}");
        }
        assert!(found(&patterns, "maja 3").is_empty());
    }

    #[test]
    fn packs_lie_in_directories() {
        let directory = std::env::temp_dir().join(format!("tollgate-packs-{}", std::process::id()));
        std::fs::create_dir_all(directory.join("identifiers")).unwrap();
        std::fs::write(directory.join("identifiers/de.toml"), PIN).unwrap();
        std::fs::write(directory.join("de.toml"), PIN).unwrap();
        let patterns = Patterns::read(
            std::slice::from_ref(&directory),
            &["other.toml"],
            &[],
            |_| 0.0,
        )
        .unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        let out = find(&patterns, "1234-5678", None);
        let names: Vec<_> = out.iter().map(|finding| &*finding.recognizer).collect();
        assert_eq!(names, ["de/pin", "identifiers/de/pin"]);
    }
}
