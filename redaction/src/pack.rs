//! Rule packs: the recognizers as data, one TOML file per family in `rules/recognizers/` and the
//! directories in it. A pack is named by its path there without `.toml`: `identifiers/de`.
//!
//! ```toml
//! description = "what the family is"
//! jurisdiction = "DE"                # of every recognizer of the pack that names no other
//! [words]                            # lists that recognizers share as "@name"
//! card = ["card", "carte"]
//!
//! [[recognizer]]
//! id = "visa"                        # unique in the pack; findings say pack/id
//! entity = "CARD"
//! pattern = '''4\d{15}'''            # longer alternatives first; (?P<value>…) narrows the finding
//! score = 0.6                        # without context
//! bare_score = 0.3                   # without context, of a value that is digits only; default: score
//! home_score = 0.6                   # without context, at least, in the rule's own jurisdiction
//! check = "card"                     # see checks.rs
//! context = ["@card", "kart*"]       # whole words near the match; * ends a stem, and a space also
//!                                    # stands for "_", "-" or nothing, as in `card_no`, `cardNo`
//! context_score = 0.95               # with context
//! context_required = false           # true: no finding without context
//! veto = ["test"]                    # words near the match that forbid it
//! keywords = ["4"]                   # literals that the match starts with: found in one pass
//! ignore_case = false                # of the keywords
//! not_after = "."                    # characters that must not stand right before the match
//! not_before = "."                   # characters that must not stand right after it
//! boundary = true                    # letters and digits must not touch the match
//! alone = false                      # true: without context, not inside a longer row of digit groups
//! min_entropy = 0.0                  # bits per character of the value
//! max_bytes = 256                    # no match is longer
//! exclude = [{ pattern = "40+", reason = "test numbers" }]
//! jurisdiction = "US"                # ISO 3166-1 alpha-2, or EU
//! source = "where the rule comes from"
//! ```
//!
//! A rule is *at home* where its jurisdiction is one of the deployment's or the caller's hint.

use crate::{Entity, Error, checks, finding::Jurisdiction};
use regex_automata::{meta, util::syntax};
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};
use serde::Deserialize;
use std::{collections::BTreeMap, collections::HashSet, fs, path::Path};
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackFile {
    #[serde(default)]
    #[expect(dead_code, reason = "documents the file; checked to be text")]
    description: String,
    jurisdiction: Option<Spanned<String>>,
    #[serde(default)]
    words: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    recognizer: Vec<Spanned<RuleFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    id: String,
    entity: Spanned<String>,
    pattern: Spanned<String>,
    score: Spanned<f32>,
    bare_score: Option<Spanned<f32>>,
    home_score: Option<Spanned<f32>>,
    check: Option<Spanned<String>>,
    #[serde(default)]
    context: Vec<Spanned<String>>,
    context_score: Option<Spanned<f32>>,
    #[serde(default)]
    context_required: bool,
    #[serde(default)]
    veto: Vec<Spanned<String>>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default)]
    not_after: String,
    #[serde(default)]
    not_before: String,
    #[serde(default = "yes")]
    boundary: bool,
    #[serde(default)]
    alone: bool,
    #[serde(default)]
    min_entropy: f32,
    #[serde(default = "max_bytes")]
    max_bytes: usize,
    #[serde(default)]
    exclude: Vec<Exclusion>,
    jurisdiction: Option<Spanned<String>>,
    #[expect(dead_code, reason = "documents the rule; checked to be text")]
    source: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exclusion {
    pattern: Spanned<String>,
    #[expect(dead_code, reason = "documents the exclusion; checked to be there")]
    reason: String,
}

fn yes() -> bool {
    true
}

fn max_bytes() -> usize {
    256
}

/// A rule that is known to be sound.
pub(crate) struct Rule {
    /// `pack/id`.
    pub name: String,
    pub entity: Entity,
    pub pattern: String,
    /// The pattern, compiled to be tried at places.
    pub regex: meta::Regex,
    /// Without context.
    pub score: f32,
    /// Without context, of a value that consists of digits only.
    pub bare_score: f32,
    /// Without context, at least, where the rule is at home; 0 raises nothing.
    pub home_score: f32,
    pub check: Option<checks::Check>,
    /// Its name.
    pub check_name: Option<String>,
    /// Whether the value may end before the match does.
    pub shortened: bool,
    pub context: Vec<String>,
    pub context_score: f32,
    pub context_required: bool,
    pub veto: Vec<String>,
    pub keywords: Vec<String>,
    pub ignore_case: bool,
    pub not_after: String,
    pub not_before: String,
    pub boundary: bool,
    pub alone: bool,
    pub min_entropy: f32,
    pub max_bytes: usize,
    pub exclude: Vec<meta::Regex>,
    pub jurisdiction: Option<Jurisdiction>,
}

impl Rule {
    /// The pattern, made to begin where a word does: not right after an ASCII letter or digit,
    /// though after an underscore. Automatons stay small when few matches can begin.
    pub fn anchored_pattern(&self) -> String {
        match self.boundary {
            true => format!(r"(?:(?-u:\b{{start-half}})|_)(?:{})", self.pattern),
            false => self.pattern.clone(),
        }
    }
}

/// Reads a pack from `path`, which lies in `directory`; its name is its path there.
pub(crate) fn read(directory: &Path, path: &Path) -> Result<Vec<Rule>, Error> {
    let source = fs::read_to_string(path).map_err(|source| Error::Io {
        path: path.into(),
        source,
    })?;
    let inside = path.strip_prefix(directory).unwrap_or(path);
    let name: Vec<_> = inside
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    parse(path, &name.join("/"), &source)
}

/// The line, from 1, on which byte `at` of `source` lies.
pub(crate) fn line_of(source: &str, at: usize) -> usize {
    1 + source.as_bytes()[..at.min(source.len())]
        .iter()
        .filter(|&&b| b == b'\n')
        .count()
}

fn parse(path: &Path, pack: &str, source: &str) -> Result<Vec<Rule>, Error> {
    let refuse = |at: usize, reason: String| Error::Rules {
        path: path.into(),
        line: line_of(source, at),
        reason,
    };
    let file: PackFile = toml::from_str(source).map_err(|error| {
        refuse(
            error.span().map_or(0, |span| span.start),
            error.message().to_owned(),
        )
    })?;
    let home = jurisdiction(file.jurisdiction.as_ref()).map_err(|(at, why)| refuse(at, why))?;
    let mut ids = HashSet::new();
    let mut rules = Vec::with_capacity(file.recognizer.len());
    for rule in file.recognizer {
        let at = rule.span().start;
        let rule = rule.into_inner();
        if !ids.insert(rule.id.clone()) {
            return Err(refuse(
                at,
                format!("the id `{}` is used twice in this pack", rule.id),
            ));
        }
        rules.push(
            sound(pack, home, &file.words, rule)
                .map_err(|(span, reason)| refuse(if span == 0 { at } else { span }, reason))?,
        );
    }
    Ok(rules)
}

/// Checks a rule; on failure, where in the file (0: the rule itself) and why.
fn sound(
    pack: &str,
    home: Option<Jurisdiction>,
    lists: &BTreeMap<String, Vec<String>>,
    rule: RuleFile,
) -> Result<Rule, (usize, String)> {
    let entity = rule
        .entity
        .get_ref()
        .parse()
        .map_err(|error: crate::UnknownEntity| (rule.entity.span().start, error.to_string()))?;
    let pattern_at = rule.pattern.span().start;
    let pattern = rule.pattern.into_inner();
    let compiled = compile_here(&pattern)
        .map_err(|reason| (pattern_at, format!("the pattern is wrong: {reason}")))?;
    if compiled.is_match("") {
        return Err((pattern_at, "the pattern matches the empty text".into()));
    }
    let score = in_range(&rule.score)?;
    let or = |other: &Option<Spanned<f32>>, default| other.as_ref().map_or(Ok(default), in_range);
    let bare_score = or(&rule.bare_score, score)?;
    let home_score = or(&rule.home_score, 0.0)?;
    let context_score = or(&rule.context_score, score)?;
    let check = match &rule.check {
        None => None,
        Some(name) => Some(checks::by_name(name.get_ref()).ok_or_else(|| {
            let known: Vec<_> = checks::names().collect();
            let reason = format!(
                "no check `{}`; there are {}",
                name.get_ref(),
                known.join(", ")
            );
            (name.span().start, reason)
        })?),
    };
    let context = with_names(expand(lists, &rule.context)?);
    if rule.context_required && context.is_empty() {
        return Err((
            0,
            "context_required without context words finds nothing".into(),
        ));
    }
    if rule.keywords.iter().any(String::is_empty) {
        return Err((0, "an empty keyword would start a match everywhere".into()));
    }
    let jurisdiction = jurisdiction(rule.jurisdiction.as_ref())?.or(home);
    if let (Some(raised), None) = (&rule.home_score, jurisdiction) {
        return Err((
            raised.span().start,
            "home_score needs a jurisdiction to be at home in".into(),
        ));
    }
    let exclude = rule
        .exclude
        .iter()
        .map(|exclusion| {
            compile(&format!("^(?:{})$", exclusion.pattern.get_ref())).map_err(|reason| {
                (
                    exclusion.pattern.span().start,
                    format!("the exclusion is wrong: {reason}"),
                )
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Rule {
        name: format!("{pack}/{}", rule.id),
        entity,
        pattern,
        regex: compiled,
        score,
        bare_score,
        home_score,
        check,
        check_name: rule.check.as_ref().map(|name| name.get_ref().clone()),
        shortened: rule
            .check
            .is_some_and(|name| checks::shortens(name.get_ref())),
        context,
        context_score,
        context_required: rule.context_required,
        veto: expand(lists, &rule.veto)?,
        keywords: rule.keywords,
        ignore_case: rule.ignore_case,
        not_after: rule.not_after,
        not_before: rule.not_before,
        boundary: rule.boundary,
        alone: rule.alone,
        min_entropy: rule.min_entropy,
        max_bytes: rule.max_bytes,
        exclude,
        jurisdiction,
    })
}

fn in_range(score: &Spanned<f32>) -> Result<f32, (usize, String)> {
    match *score.get_ref() {
        sound if (0.0..=1.0).contains(&sound) => Ok(sound),
        _ => Err((score.span().start, "a score lies between 0 and 1".into())),
    }
}

fn jurisdiction(code: Option<&Spanned<String>>) -> Result<Option<Jurisdiction>, (usize, String)> {
    let Some(code) = code else {
        return Ok(None);
    };
    match Jurisdiction::new(code.get_ref()) {
        Some(known) => Ok(Some(known)),
        None => Err((
            code.span().start,
            format!("`{}` is no two-letter country code", code.get_ref()),
        )),
    }
}

/// Replaces `@name` by the words of that list.
fn expand(
    lists: &BTreeMap<String, Vec<String>>,
    words: &[Spanned<String>],
) -> Result<Vec<String>, (usize, String)> {
    let mut expanded = Vec::new();
    for word in words {
        match word.get_ref().strip_prefix('@') {
            None => expanded.push(word.get_ref().clone()),
            Some(name) => match lists.get(name) {
                Some(list) => expanded.extend_from_slice(list),
                None => {
                    return Err((
                        word.span().start,
                        format!("this pack has no word list `{name}`"),
                    ));
                }
            },
        }
    }
    Ok(expanded)
}

/// Adds to words of several parts how code, tables and forms write them as names: `tax id` also as
/// `tax_id`, `tax-id` and `taxId`.
fn with_names(words: Vec<String>) -> Vec<String> {
    let mut all = Vec::with_capacity(words.len());
    for word in words {
        let names = ["_", "-", ""].map(|joint| word.replace(' ', joint));
        for spelling in std::iter::once(word).chain(names) {
            if !all.contains(&spelling) {
                all.push(spelling);
            }
        }
    }
    all
}

/// Compiles one pattern. Digits and word characters are ASCII unless the pattern says otherwise,
/// because identifiers are; texts are UTF-8, so matches end on character boundaries.
pub(crate) fn compile(pattern: &str) -> Result<meta::Regex, String> {
    build(pattern, meta::Config::new())
}

/// The same for a pattern that is only tried at places: without the automatons that search, unless
/// the pattern is large. What decides small ones without an automaton first clears a bit for each
/// of their states and bytes.
fn compile_here(pattern: &str) -> Result<meta::Regex, String> {
    const SMALL: usize = 64 << 10;
    let config = || meta::Config::new().auto_prefilter(false);
    let lean = build(pattern, config().hybrid(false).dfa(false))?;
    match lean.memory_usage() {
        0..SMALL => Ok(lean),
        _ => build(pattern, config()),
    }
}

/// A pattern's syntax tree, with digits and word edges of ASCII.
pub(crate) fn parse_pattern(pattern: &str) -> Result<Hir, String> {
    syntax::parse(&ascii_classes(pattern))
        .map(within_ascii)
        .map_err(|error| {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        })
}

/// Takes the two letters beyond ASCII that are the other case of an ASCII letter (ſ of s, and the
/// Kelvin sign of k) out of classes that hold those: with them nothing that ignores case would
/// be ASCII.
fn within_ascii(hir: Hir) -> Hir {
    match hir.into_kind() {
        HirKind::Class(Class::Unicode(mut class)) => {
            for (ascii, other) in [('s', '\u{17F}'), ('k', '\u{212A}')] {
                let holds = |c: char| class.iter().any(|r| (r.start()..=r.end()).contains(&c));
                if holds(ascii) && holds(ascii.to_ascii_uppercase()) {
                    class.difference(&ClassUnicode::new([ClassUnicodeRange::new(other, other)]));
                }
            }
            Hir::class(Class::Unicode(class))
        }
        HirKind::Class(class) => Hir::class(class),
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Repetition(mut repetition) => {
            repetition.sub = Box::new(within_ascii(*repetition.sub));
            Hir::repetition(repetition)
        }
        HirKind::Capture(mut capture) => {
            capture.sub = Box::new(within_ascii(*capture.sub));
            Hir::capture(capture)
        }
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(within_ascii).collect()),
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.into_iter().map(within_ascii).collect())
        }
    }
}

fn build(pattern: &str, config: meta::Config) -> Result<meta::Regex, String> {
    meta::Regex::builder()
        .configure(config.nfa_size_limit(Some(4 << 20)))
        .build_from_hir(&parse_pattern(pattern)?)
        .map_err(|error| {
            let mut reason = error.to_string();
            let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(&error);
            while let Some(error) = cause {
                reason = error.to_string();
                cause = error.source();
            }
            reason
        })
}

/// Writes `\d` as `[0-9]` and `\b` as ASCII's: other scripts' digits are no identifiers, their
/// automaton is far larger, and a Unicode word boundary makes the automaton give up at the first
/// byte that is not ASCII, for an engine that is a hundred times slower.
pub(crate) fn ascii_classes(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let (mut in_class, mut chars) = (false, pattern.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('b') if !in_class && !chars.as_str().starts_with('{') => {
                    out.push_str(r"(?-u:\b)");
                }
                Some('d') if in_class => out.push_str("0-9"),
                Some('d') => out.push_str("[0-9]"),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            '[' => {
                in_class = true;
                out.push(c);
            }
            ']' => {
                in_class = false;
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(rule: &str) -> (usize, String) {
        let source = format!("description = \"x\"\n\n[[recognizer]]\n{rule}");
        match parse(Path::new("broken.toml"), "broken", &source).err() {
            Some(Error::Rules { line, reason, .. }) => (line, reason),
            other => panic!("not refused as a rule: {other:?}"),
        }
    }

    #[test]
    fn a_broken_pack_is_refused_with_line_and_reason() {
        let good = "id = \"a\"\nentity = \"CARD\"\npattern = '\\d{4}'\nscore = 0.5\n";
        let sound = format!("[[recognizer]]\n{good}");
        assert!(parse(Path::new("good.toml"), "good", &sound).is_ok());
        for (change, line, part) in [
            (good.replace("CARD", "CRAD"), 5, "unknown entity"),
            (good.replace("{4}", "{4"), 6, "pattern"),
            (good.replace("\\d{4}", "\\d*"), 6, "empty text"),
            (good.replace("0.5", "5.0"), 7, "between 0 and 1"),
            (format!("{good}check = \"lunh\"\n"), 8, "luhn"),
            (format!("{good}context = [\"@none\"]\n"), 8, "no word list"),
            (
                format!("{good}context_required = true\n"),
                3,
                "without context words",
            ),
            (format!("{good}jurisdiction = \"usa\"\n"), 8, "two-letter"),
            (format!("{good}bare_score = 2.0\n"), 8, "between 0 and 1"),
            (format!("{good}home_score = 0.6\n"), 8, "at home in"),
            (format!("{good}colour = \"red\"\n"), 8, "unknown field"),
            (format!("{good}[[recognizer]]\n{good}"), 8, "used twice"),
        ] {
            let (at, reason) = refusal(&change);
            assert!(
                at == line && reason.contains(part),
                "line {at}: {reason}\n{change}"
            );
        }
    }

    #[test]
    fn a_pack_names_the_jurisdiction_of_its_rules() {
        let rule = |id: &str, more: &str| {
            format!(
                "[[recognizer]]\nid = \"{id}\"\nentity = \"TAX_ID\"\npattern = '\\d{{4}}'\nscore = 0.4\n{more}"
            )
        };
        let source = format!(
            "jurisdiction = \"DE\"\n{}{}",
            rule("own", "home_score = 0.6\n"),
            rule("other", "jurisdiction = \"AT\"\nbare_score = 0.2\n")
        );
        let rules = parse(Path::new("de.toml"), "identifiers/de", &source).unwrap();
        let [own, other] = &rules[..] else {
            panic!("two rules");
        };
        assert_eq!(own.name, "identifiers/de/own");
        assert_eq!(own.jurisdiction, Jurisdiction::new("DE"));
        assert_eq!((own.score, own.bare_score, own.home_score), (0.4, 0.4, 0.6));
        assert_eq!(other.jurisdiction, Jurisdiction::new("AT"));
        assert_eq!((other.bare_score, other.home_score), (0.2, 0.0));
    }

    #[test]
    fn context_of_several_words_is_also_a_name() {
        let words = |text: &str| with_names(vec![text.to_owned(), "ssn".to_owned()]);
        assert_eq!(
            words("tax id"),
            ["tax id", "tax_id", "tax-id", "taxid", "ssn"]
        );
        assert_eq!(words("ssn"), ["ssn"]);
    }

    #[test]
    fn digits_are_ascii() {
        assert_eq!(
            ascii_classes(r"\d[\d\-x]\\d\D\b"),
            r"[0-9][0-9\-x]\\d\D(?-u:\b)"
        );
        assert_eq!(ascii_classes(r"\b{start-half}x"), r"\b{start-half}x");
    }
}
