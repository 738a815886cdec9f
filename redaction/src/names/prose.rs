//! Running text and forms, told from code.

use crate::Span;

/// How much text around a single word is looked at for signs of code, in bytes.
const AROUND: usize = 32;

/// Whether a span stands in running text or in a form, not in code: what touches it is a
/// space, a quotation mark or punctuation, and nothing of a programming language is near.
pub(crate) fn prose(text: &str, span: Span) -> bool {
    let (before, after) = (&text[..span.start], &text[span.end..]);
    let opens = |c: char| c.is_whitespace() || "\"'(“„«‘’>-—–:,;*@•|/[".contains(c);
    let closes = |c: char| c.is_whitespace() || ".,;:!?)\"'”“»’…-—–*|/]<".contains(c);
    if !before.chars().next_back().is_none_or(opens) || !after.chars().next().is_none_or(closes) {
        return false;
    }
    if before.ends_with("::")
        || after.starts_with("::")
        || before.ends_with("->")
        || after.starts_with("->")
    {
        return false;
    }
    // `word.word` is code, `Word-1.0` an article.
    let mut next = after.chars();
    match (next.next(), next.next()) {
        (Some('.'), Some(c)) if c.is_alphanumeric() => return false,
        (Some('-'), Some(c)) if c.is_numeric() => return false,
        _ => {}
    }
    let from = text.ceil_char_boundary(span.start.saturating_sub(AROUND));
    let to = text.floor_char_boundary((span.end + AROUND).min(text.len()));
    let line = before[from..].rfind('\n').map_or(from, |at| from + at + 1);
    let end = after[..to - span.end]
        .find('\n')
        .map_or(to, |at| span.end + at);
    // A quoted line of a mail, an escaped quotation mark are none.
    let line = text[line..end].trim_start_matches(['>', ' ']).as_bytes();
    !line.iter().enumerate().any(|(at, byte)| {
        let escapes = line.get(at + 1).is_some_and(|next| b"\"'".contains(next));
        CODE[usize::from(*byte)] && !(*byte == b'\\' && escapes)
    })
}

/// What stands in code and hardly in prose.
const CODE: [bool; 256] = {
    let (mut table, mut at) = ([false; 256], 0);
    let code = b"{}=_;<>\\$#`|&";
    while at < code.len() {
        table[code[at] as usize] = true;
        at += 1;
    }
    table
};
