//! What a pattern's matches look like from afar: its *shape*, in which every digit is any digit
//! and most letters any letter of their case.
//!
//! A shape matches wherever the pattern does, and mostly nowhere else. Because identifiers of all
//! the world are digits, letters and a few separators, the shapes of hundreds of patterns share
//! their states, and one small automaton tells which of them can match at a place.

use regex_syntax::hir::{
    Class, ClassBytes, ClassBytesRange, ClassUnicode, Hir, HirKind, Repetition,
};

/// Sets of letters up to this size stay exact: they are spelled-out words in either case.
const EXACT_LETTERS: usize = 3;
/// A part that repeats more often than this is left open.
const REPEATS_MAX: u32 = 64;
/// The bytes that matches are looked for at: digits and the separators beside them in ASCII
/// (`-./0-9:`), and capital letters. Running text holds few of them.
pub(super) fn is_trigger(byte: u8) -> bool {
    byte.wrapping_sub(b'-') < 14 || byte.wrapping_sub(b'A') < 26
}

/// A relaxed pattern.
pub(super) struct Shape {
    pub hir: Hir,
    /// Whether the shape goes to the end of the match. Otherwise it is a beginning of it, and
    /// says nothing about what follows.
    pub closed: bool,
    /// How many bytes of a match can stand before its first trigger byte.
    pub lead: usize,
}

/// The shape of `pattern` down to so many parts; or `None` if matches without any trigger byte are
/// possible, or ones that have more than `lead_max` bytes before it.
pub(super) fn shape(pattern: &Hir, mut parts: usize, lead_max: usize) -> Option<Shape> {
    let run = run(pattern);
    if run.without.is_some() || run.lead? > lead_max {
        return None;
    }
    let (hir, closed) = relax(pattern, true, &mut parts);
    if hir
        .properties()
        .minimum_len()
        .is_none_or(|least| least == 0)
    {
        return None;
    }
    Some(Shape {
        hir,
        closed,
        lead: run.lead?,
    })
}

/// How a match relates to its first trigger byte.
#[derive(Clone, Copy)]
struct Run {
    /// The most bytes before it, in matches that have one; `None` if no match has.
    lead: Option<usize>,
    /// The longest match that has none; `None` if each has one.
    without: Option<usize>,
}

fn run(hir: &Hir) -> Run {
    const EMPTY: Run = Run {
        lead: None,
        without: Some(0),
    };
    let max = |a: Option<usize>, b: Option<usize>| a.max(b);
    let then = |first: Run, second: Run| Run {
        lead: max(
            first.lead,
            first
                .without
                .and_then(|free| Some(free.saturating_add(second.lead?))),
        ),
        without: first
            .without
            .and_then(|free| Some(free.saturating_add(second.without?))),
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => EMPTY,
        HirKind::Literal(literal) => match literal.0.iter().position(|&b| is_trigger(b)) {
            Some(at) => Run {
                lead: Some(at),
                without: None,
            },
            None => Run {
                lead: None,
                without: Some(literal.0.len()),
            },
        },
        HirKind::Class(class) => {
            let (mut any, mut all) = (false, true);
            for byte in 0..128 {
                if contains(class, byte) {
                    any |= is_trigger(byte);
                    all &= is_trigger(byte);
                }
            }
            all &= ascii_only(class);
            Run {
                lead: any.then_some(0),
                without: (!all).then(|| hir.properties().maximum_len().unwrap_or(4)),
            }
        }
        HirKind::Capture(capture) => run(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(run).fold(EMPTY, then),
        HirKind::Alternation(branches) => branches.iter().map(run).fold(
            Run {
                lead: None,
                without: None,
            },
            |a, b| Run {
                lead: max(a.lead, b.lead),
                without: max(a.without, b.without),
            },
        ),
        HirKind::Repetition(Repetition { min, max, sub, .. }) => {
            let once = run(sub);
            let most = max.map_or(usize::MAX, |max| max as usize);
            let free = once.without.map(|free| free.saturating_mul(most));
            let before = once
                .without
                .map_or(0, |free| free.saturating_mul(most.saturating_sub(1)));
            Run {
                lead: once.lead.map(|lead| lead.saturating_add(before)),
                without: if *min == 0 { max0(free) } else { free },
            }
        }
    }
}

/// At least the empty match.
fn max0(free: Option<usize>) -> Option<usize> {
    free.or(Some(0))
}

/// The relaxed pattern and whether it reaches the pattern's end. What a match begins with
/// (`first`) stays exact: a leading zero, or which digit an issuer's numbers begin with.
fn relax(hir: &Hir, first: bool, parts: &mut usize) -> (Hir, bool) {
    if *parts == 0 {
        return (Hir::empty(), false);
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => (Hir::empty(), true),
        HirKind::Literal(literal) => {
            *parts = parts.saturating_sub(literal.0.len());
            let bytes = literal.0.iter().enumerate().map(|(at, &byte)| match byte {
                b'0'..=b'9' if !first || at > 1 => digits(),
                _ => Hir::literal([byte]),
            });
            (Hir::concat(bytes.collect()), true)
        }
        HirKind::Class(class) => {
            *parts -= 1;
            (relax_class(class, first), true)
        }
        HirKind::Capture(capture) => relax(&capture.sub, first, parts),
        HirKind::Concat(all) => {
            let mut relaxed = Vec::with_capacity(all.len());
            let mut first = first;
            for whole in all {
                let (part, closed) = relax(whole, first, parts);
                first &= whole.properties().minimum_len() == Some(0);
                relaxed.push(part);
                if !closed {
                    return (Hir::concat(relaxed), false);
                }
            }
            (Hir::concat(relaxed), true)
        }
        HirKind::Alternation(branches) => {
            let mut closed = true;
            let relaxed = branches
                .iter()
                .map(|branch| {
                    let (branch, whole) = relax(branch, first, parts);
                    closed &= whole;
                    branch
                })
                .collect();
            (Hir::alternation(relaxed), closed)
        }
        HirKind::Repetition(repetition) => {
            let before = *parts;
            let first = first && repetition.max == Some(1);
            let (sub, closed) = relax(&repetition.sub, first, parts);
            let each = (before - *parts).max(1);
            let bounded = repetition.max.filter(|&max| max <= REPEATS_MAX);
            if let (true, Some(max)) = (closed, bounded)
                && each * (max as usize - 1) <= *parts
            {
                *parts -= each * (max as usize - 1);
                let sub = Box::new(sub);
                return (
                    Hir::repetition(Repetition {
                        min: repetition.min,
                        max: Some(max),
                        greedy: true,
                        sub,
                    }),
                    true,
                );
            }
            // Open: as many rounds as there must be, if they are not too many.
            let rounds = match closed {
                true => repetition.min.min(1 + (*parts / each) as u32),
                false => repetition.min.min(1),
            };
            let rounds = Repetition {
                min: rounds,
                max: Some(rounds),
                greedy: true,
                sub: Box::new(sub),
            };
            (Hir::repetition(rounds), false)
        }
    }
}

fn relax_class(class: &Class, exact: bool) -> Hir {
    let mut bytes = Vec::new();
    let mut add = |first, last| bytes.push(ClassBytesRange::new(first, last));
    // Hexadecimal digits, any letters; both cases.
    for (first, hex, last) in [(b'0', b'9', b'9'), (b'A', b'F', b'Z'), (b'a', b'f', b'z')] {
        let held: Vec<u8> = (first..=last)
            .filter(|&byte| contains(class, byte))
            .collect();
        let Some(&highest) = held.last() else {
            continue;
        };
        if exact && first == b'0' || held.len() <= EXACT_LETTERS && first != b'0' {
            held.into_iter().for_each(|byte| add(byte, byte));
        } else if highest <= hex {
            add(first, hex);
        } else {
            add(first, last);
        }
    }
    for byte in (0..128u8).filter(|byte| !byte.is_ascii_alphanumeric()) {
        if contains(class, byte) {
            add(byte, byte);
        }
    }
    let ascii = Hir::class(Class::Bytes(ClassBytes::new(bytes)));
    if ascii_only(class) {
        return ascii;
    }
    Hir::alternation(vec![ascii, beyond_ascii(class)])
}

/// The characters of a class beyond ASCII: exact where they are few, otherwise any bytes of theirs.
fn beyond_ascii(class: &Class) -> Hir {
    if let Class::Unicode(class) = class {
        let mut beyond = class.clone();
        beyond.intersect(&ClassUnicode::new([
            regex_syntax::hir::ClassUnicodeRange::new('\u{80}', char::MAX),
        ]));
        if beyond.iter().map(|range| range.len()).sum::<usize>() <= EXACT_LETTERS {
            return Hir::class(Class::Unicode(beyond));
        }
    }
    let high = Hir::class(Class::Bytes(ClassBytes::new([ClassBytesRange::new(
        0x80, 0xFF,
    )])));
    Hir::repetition(Repetition {
        min: 1,
        max: Some(4),
        greedy: true,
        sub: Box::new(high),
    })
}

fn digits() -> Hir {
    Hir::class(Class::Bytes(ClassBytes::new([ClassBytesRange::new(
        b'0', b'9',
    )])))
}

fn contains(class: &Class, byte: u8) -> bool {
    match class {
        Class::Unicode(class) => class
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&char::from(byte))),
        Class::Bytes(class) => class
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&byte)),
    }
}

fn ascii_only(class: &Class) -> bool {
    match class {
        Class::Unicode(class) => class.is_ascii(),
        Class::Bytes(class) => class.is_ascii(),
    }
}
