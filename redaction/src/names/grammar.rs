//! What a run of capitalised words names.
//!
//! From left to right the first of these that fits, and on after it:
//! - organizations: a stretch with a word that organizations have in their names;
//! - places of several words;
//! - persons: title and name, given name and surname, initials and surname, two names;
//! - places of one word;
//! - one word that is a name alone, where it stands in prose.

use super::{
    Flags, Names,
    prose::prose,
    run::{Case, Gap, Word},
};
use crate::{Entity, Span, context::is_word};

/// Scores, from sure to doubtful. Findings below 0.5 are not reported.
const TITLED: f32 = 0.8;
const GIVEN_AND_SURNAME: f32 = 0.75;
const TWO_NAMES: f32 = 0.65;
const INITIALS: f32 = 0.65;
const ORGANIZATION: f32 = 0.6;
const COUNTRY: f32 = 0.6;
const TOWN: f32 = 0.55;
const ONE_NAME: f32 = 0.5;

/// The most words of a place.
const PLACE_WORDS: usize = 4;

type Verdict = Option<(usize, Span, Entity, f32)>;

/// One run and what it stands in.
pub(super) struct Judge<'a> {
    pub text: &'a str,
    pub names: &'a Names,
    pub run: &'a [Word],
}

impl Judge<'_> {
    /// Reports what the run names.
    pub fn judge(&self, mut report: impl FnMut(Span, Entity, f32)) {
        // Most runs are one ordinary word that begins a sentence.
        if let [word] = self.run
            && (word.flags.any(Flags::COMMON) || word.case == Case::Initial)
        {
            return;
        }
        let mut at = 0;
        while at < self.run.len() {
            let verdict = self
                .organization(at)
                .or_else(|| self.surnames(at))
                .or_else(|| self.place(at, 2))
                .or_else(|| self.person(at))
                .or_else(|| self.place(at, 1))
                .or_else(|| self.single(at))
                .or_else(|| self.proper_noun(at));
            match verdict {
                Some((words, span, entity, score)) => {
                    report(span, entity, score);
                    at += words;
                }
                None => at += 1,
            }
        }
    }

    fn flags(&self, at: usize) -> Flags {
        self.run.get(at).map_or(Flags::NONE, |word| word.flags)
    }

    fn gap(&self, at: usize) -> Gap {
        self.run.get(at).map_or(Gap::Start, |word| word.gap)
    }

    fn span(&self, first: usize, last: usize) -> Span {
        Span::new(self.run[first].span.start, self.run[last].span.end)
    }

    fn initial(&self, at: usize) -> bool {
        self.run
            .get(at)
            .is_some_and(|word| word.case == Case::Initial)
    }

    /// A name that is no ordinary word.
    fn name(&self, at: usize) -> bool {
        let flags = self.flags(at);
        flags.any(Flags::NAME) && !flags.any(Flags::COMMON | Flags::CALENDAR | Flags::FORM)
    }

    /// A word that could be a surname after a given name: a name, or in no list at all.
    fn surname(&self, at: usize) -> bool {
        let Some(word) = self.run.get(at) else {
            return false;
        };
        if word.case == Case::Initial {
            return false;
        }
        let flags = word.flags;
        flags.any(Flags::SURNAME | Flags::GIVEN)
            || !flags.any(
                Flags::COMMON
                    | Flags::CALENDAR
                    | Flags::ORG
                    | Flags::LEGAL
                    | Flags::COUNTRY
                    | Flags::TITLE,
            )
    }

    /// `University of Bern`, `Holm & Sons`, `Nordwind Systems Ltd`.
    fn organization(&self, at: usize) -> Verdict {
        // After a name a new one begins with its own kind: `Hospital`, `Tribunal`.
        let begins = at == 0 || matches!(self.gap(at), Gap::Comma | Gap::Connector);
        if !begins && !self.flags(at).any(Flags::ORG) {
            return None;
        }
        let mut first = at;
        while self.flags(first).any(Flags::DETERMINER) && first + 1 < self.run.len() {
            first += 1;
        }
        let mut last = first;
        while let Some(next) = self.run.get(last + 1)
            && matches!(
                next.gap,
                Gap::Space | Gap::Link | Gap::Particle | Gap::Connector
            )
        {
            last += 1;
        }
        let legal = (first..=last)
            .rev()
            .find(|&at| self.flags(at).any(Flags::LEGAL));
        let last = legal.unwrap_or(last);
        let named = (first..=last).any(|at| self.flags(at).any(Flags::ORG)) || legal.is_some();
        let titled = self.flags(first).any(Flags::TITLE);
        if !named || titled || last == first || !self.prose(self.span(first, last)) {
            return None;
        }
        // All ordinary words: a heading, unless they are joined as a name is.
        let proper = (first..=last).any(|at| {
            !self
                .flags(at)
                .any(Flags::COMMON | Flags::ORG | Flags::DETERMINER)
                && !self.initial(at)
        });
        let joined = (last - first >= 2 && self.amid_sentence(first))
            || (first + 1..=last).any(|at| matches!(self.gap(at), Gap::Particle | Gap::Connector));
        let shouted = (first..=last).all(|at| self.run[at].case == Case::Upper);
        (proper || (joined && !shouted)).then(|| {
            (
                last + 1 - at,
                self.span(first, last),
                Entity::Org,
                ORGANIZATION,
            )
        })
    }

    /// `Holm, Fischer and Dahl`: a firm by its partners.
    fn surnames(&self, at: usize) -> Verdict {
        let partner = |at: usize| {
            self.flags(at).any(Flags::SURNAME)
                && !self.flags(at).any(Flags::COUNTRY | Flags::CALENDAR)
        };
        let mut last = at;
        while matches!(self.gap(last + 1), Gap::Comma) && partner(last + 1) {
            last += 1;
        }
        let joined = matches!(self.gap(last + 1), Gap::Connector) && partner(last + 1);
        if !partner(at) || !joined || last == at {
            return None;
        }
        Some((
            last + 2 - at,
            self.span(at, last + 1),
            Entity::Org,
            ORGANIZATION,
        ))
    }

    fn person(&self, at: usize) -> Verdict {
        let titles = self.titles(at);
        let office = self.office(at);
        let first = at + titles;
        let initials = (first..self.run.len())
            .take_while(|&at| self.initial(at) && (at == first || self.joins(at)))
            .count();
        let (mut last, score) = if initials > 0 {
            let surname = first + initials;
            let joined = self.joins(surname) || self.gap(surname) == Gap::Particle;
            if titles > 0 && !(joined && self.surname(surname)) {
                (surname - 1, TITLED)
            } else if joined && self.surname(surname) && self.dotted(first) {
                (surname, INITIALS)
            } else {
                return None;
            }
        } else if (titles > 0 || office.is_some()) && self.surname(first) {
            (first, TITLED)
        } else {
            let next = first + 1;
            let near = self.joins(next) || self.gap(next) == Gap::Particle;
            let middle = self.initial(next) && self.joins(next + 1) && self.surname(next + 1);
            let flags = self.flags(first);
            let begins =
                !flags.any(Flags::CALENDAR | Flags::ORG | Flags::DETERMINER | Flags::GREETING);
            if !near || !begins || !(self.surname(next) || middle) {
                return None;
            }
            let shouted = self.run[first].case == Case::Upper;
            let listed = |at: usize| {
                self.flags(at).any(Flags::NAME) && (!shouted || self.run[at].span.len() > 3)
            };
            let ordinary = |at: usize| self.flags(at).any(Flags::COMMON);
            let given = flags.any(Flags::GIVEN) && !ordinary(first);
            let score = match (listed(first), listed(next)) {
                (true, true) if given => GIVEN_AND_SURNAME,
                (true, false) if given && !shouted => TWO_NAMES,
                (true, true) if !ordinary(next) => TWO_NAMES,
                (false, true) if !ordinary(next) && self.surname(first) && !shouted => TWO_NAMES,
                _ if middle && self.surname(first) && !shouted => TWO_NAMES,
                _ => return None,
            };
            (first, score)
        };
        while let Some(next) = self.run.get(last + 1) {
            let known = next.flags;
            let part = match next.gap {
                Gap::Space | Gap::Link => self.initial(last + 1) || self.surname(last + 1),
                Gap::Particle => self.surname(last + 1),
                _ => false,
            };
            if !part
                || last + 1 - first > 5
                || (known.any(Flags::TITLE) && !known.any(Flags::NAME) && !self.initial(last + 1))
            {
                break;
            }
            last += 1;
        }
        let mut span = self.span(at, last);
        span.start = office.unwrap_or(span.start);
        (score > TWO_NAMES || self.prose(span)).then_some((
            last + 1 - at,
            span,
            Entity::Person,
            score,
        ))
    }

    /// How many titles begin at a word. One that is also a name or an ordinary word needs its
    /// full stop or a name after it.
    fn titles(&self, at: usize) -> usize {
        let mut count = 0;
        while self.flags(at + count).any(Flags::TITLE)
            && self.joins(at + count + 1)
            && (count < 3)
            && self.run[at + count].case != Case::Upper
        {
            let sure = self.text[self.run[at + count].span.end..].starts_with('.')
                || !self.flags(at + count).any(Flags::COMMON | Flags::NAME);
            let named = self.name(at + count + 1)
                || self.flags(at + count + 1).any(Flags::TITLE)
                || self.initial(at + count + 1);
            if !sure && !named {
                break;
            }
            count += 1;
        }
        // `M. et Mme Lemoine`
        let couple = count == 0
            && self.flags(at).any(Flags::TITLE)
            && self.gap(at + 1) == Gap::Connector
            && self.flags(at + 1).any(Flags::TITLE);
        match couple {
            true => match self.titles(at + 1) {
                0 => 0,
                more => more + 1,
            },
            false => count,
        }
    }

    /// Where an office in lower case before a name begins: `juge Clarke`.
    fn office(&self, at: usize) -> Option<usize> {
        let start = self.run[at].span.start;
        let before = self.text[..start].strip_suffix(' ')?;
        let word = &before[before.len() - trailing_word(before)..];
        (at == 0 && word.len() > 2 && self.names.lexicon.get(word).any(Flags::TITLE))
            .then(|| before.len() - word.len())
    }

    /// Whether a word goes on with the one before it.
    fn joins(&self, at: usize) -> bool {
        matches!(self.gap(at), Gap::Space | Gap::Link)
    }

    /// Whether an initial has its full stop.
    fn dotted(&self, at: usize) -> bool {
        self.text[self.run[at].span.end..].starts_with('.')
    }

    /// The longest place of `least` words or more.
    fn place(&self, at: usize, least: usize) -> Verdict {
        let mut reach = at + 1;
        while reach < self.run.len()
            && reach < at + PLACE_WORDS
            && matches!(
                self.gap(reach),
                Gap::Space | Gap::Link | Gap::Particle | Gap::Connector
            )
        {
            reach += 1;
        }
        // `Republic of Moldova`, `St Ives`: what follows the head may be a place or in no list.
        let head = least == 1
            && self.flags(at).any(Flags::PLACE_HEAD)
            && at + 1 < reach
            && !self.initial(at + 1);
        let tail = self.flags(at + 1);
        if head
            && (tail.any(Flags::PLACE)
                || (!tail.any(Flags::LISTED | Flags::ORG) && self.gap(at + 1) != Gap::Connector))
        {
            let span = self.span(at, at + 1);
            if self.prose(span) {
                return Some((2, span, Entity::Location, TOWN));
            }
        }
        for last in (at + least - 1..reach).rev() {
            let span = self.span(at, last);
            let flags = match last == at {
                true => self.flags(at),
                false => self.names.lexicon.get(&self.text[span.range()]),
            };
            if !flags.any(Flags::PLACE) {
                continue;
            }
            let several = last > at;
            let doubtful = flags.any(Flags::COMMON | Flags::CALENDAR | Flags::ORG);
            let amid = self.amid_sentence(at) || self.after_preposition(at);
            let score = if flags.any(Flags::COUNTRY) && (!doubtful || amid) {
                COUNTRY
            } else if several
                || (!doubtful && (!flags.any(Flags::NAME) || self.after_preposition(at)))
            {
                TOWN
            } else {
                continue;
            };
            let code = self.run[at].case == Case::Upper && span.len() <= 3;
            if (code && !flags.any(Flags::COUNTRY)) || !self.prose(span) {
                continue;
            }
            return Some((last + 1 - at, span, Entity::Location, score));
        }
        None
    }

    /// One word that is a name and nothing else.
    fn single(&self, at: usize) -> Verdict {
        let word = &self.run[at];
        let flags = word.flags;
        let letters = self.text[word.span.range()].chars().count();
        let doubtful = Flags::COMMON | Flags::FORM | Flags::CALENDAR | Flags::ORG | Flags::TITLE;
        let long = letters >= 4 || (letters == 3 && flags.any(Flags::GIVEN) && at == 0);
        let alone = !flags.any(doubtful | Flags::LEGAL) && word.case != Case::Upper && long;
        let greeted = flags.any(Flags::GIVEN) && self.before(at).any(Flags::GREETING);
        let sure = flags.any(Flags::NAME) && (alone || greeted);
        (sure && self.prose(word.span)).then_some((1, word.span, Entity::Person, ONE_NAME))
    }

    /// Capitalised words amid a sentence that no list of ordinary words knows: the name of
    /// something, after `in` of a place, else most often of an organization.
    fn proper_noun(&self, at: usize) -> Verdict {
        let place = self.after_preposition(at);
        let word = &self.run[at];
        let name = &self.text[word.span.range()];
        let shape = match word.case {
            Case::Title => true,
            Case::Upper => {
                place
                    && self.text[..word.span.start]
                        .trim_end()
                        .ends_with(char::is_lowercase)
            }
            _ => name.starts_with("Mc") || name.starts_with("Mac"),
        };
        let known = Flags::LISTED | Flags::TITLE | Flags::DETERMINER;
        if !shape || name.len() < 4 || word.flags.any(known) || !self.amid_sentence(at) {
            return None;
        }
        let mut last = at;
        while last + 1 < self.run.len() && self.joins(last + 1) && !self.initial(last + 1) {
            last += 1;
        }
        let entity = match place {
            true => Entity::Location,
            false => Entity::Org,
        };
        let span = self.span(at, last);
        self.prose(span)
            .then_some((last + 1 - at, span, entity, ONE_NAME))
    }

    /// Whether a word in lower case stands right before, or the run goes on.
    fn amid_sentence(&self, at: usize) -> bool {
        let Some(before) = self.text[..self.run[at].span.start].strip_suffix(' ') else {
            return false;
        };
        at > 0 || before.ends_with(|c: char| c.is_lowercase() || c == ',')
    }

    fn after_preposition(&self, at: usize) -> bool {
        self.before(at).any(Flags::PREPOSITION)
    }

    /// What is known of the word right before.
    fn before(&self, at: usize) -> Flags {
        let before = self.text[..self.run[at].span.start].trim_end_matches(' ');
        let word = &before[before.len() - trailing_word(before)..];
        self.names.lexicon.get(word)
    }

    fn prose(&self, span: Span) -> bool {
        prose(self.text, span)
    }
}

/// Length of the word at the end.
fn trailing_word(text: &str) -> usize {
    text.chars()
        .rev()
        .take_while(|&c| is_word(c))
        .map(char::len_utf8)
        .sum()
}
