//! Values that have no check digit but rules of their own.

use super::algorithms::digits;
use std::net::{Ipv4Addr, Ipv6Addr};

/// US Social Security numbers never issued: area 000, 666, 9xx, group 00, serial 0000 (SSA,
/// "SSN randomization"), and numbers of one repeated digit.
pub(super) fn ssn(digits: &[u8]) -> bool {
    let number = |part: &[u8]| part.iter().fold(0u32, |n, &d| n * 10 + u32::from(d));
    digits.len() == 9
        && !matches!(number(&digits[..3]), 0 | 666 | 900..)
        && number(&digits[3..5]) != 0
        && number(&digits[5..]) != 0
        && digits.iter().any(|&digit| digit != digits[0])
}

/// ITU-T E.164: 8 to 15 digits that start with an assigned zone and are not one repeated digit.
pub(super) fn e164(digits: &[u8]) -> bool {
    (8..=15).contains(&digits.len())
        && digits[0] != 0
        && digits[1..].iter().any(|&digit| digit != digits[1])
}

/// A telephone number as written within a country: 7 to 12 digits, no date, no decimal number,
/// no year range, not one repeated digit.
pub(super) fn phone_national(text: &str, digits: &[u8]) -> bool {
    (7..=12).contains(&digits.len())
        && digits[1..].iter().any(|&digit| digit != digits[0])
        && !(date(text) && text.matches(['.', '-', '/']).count() >= 2)
        && text.matches('(').count() == text.matches(')').count()
        && (text.matches('.').count() != 1 || text.contains([' ', '-', '/', '(']))
}

/// A number of a patient or an insured person: five digits or more. Ends before a trailing word.
pub(super) fn health_number(text: &str) -> Option<usize> {
    let end = text.bytes().rposition(|byte| byte.is_ascii_digit())? + 1;
    let end = end
        + text[end..]
            .bytes()
            .take_while(u8::is_ascii_uppercase)
            .count();
    (digits(&text[..end]).len() >= 5 && !date(&text[..end])).then_some(end)
}

/// A name as people write it, without a full stop that ends the sentence; initials keep theirs.
pub(super) fn name(text: &str) -> Option<usize> {
    let last = text.rsplit([' ', '-', '–']).next().unwrap_or_default();
    let initial = last.chars().filter(|c| c.is_alphabetic()).count() < 2;
    let end = if initial {
        text.len()
    } else {
        text.trim_end_matches(['.', '\'', '’']).len()
    };
    (text.chars().filter(|c| c.is_alphabetic()).count() >= 2).then_some(end)
}

/// Addresses that may lead to a person or a machine of the organization. Left out because they
/// identify nobody: unspecified, loopback, broadcast, multicast, the documentation networks of
/// RFC 5737, and netmask-like addresses (255.x).
pub(super) fn ipv4(ip: Ipv4Addr) -> bool {
    let [first, ..] = ip.octets();
    !(first == 0 || first == 255 || ip.is_loopback() || ip.is_multicast() || ip.is_documentation())
}

/// As for IPv4 (documentation: RFC 3849, RFC 9637). Shortened forms need three groups and a
/// digit, because `a::b` is also how code writes paths.
pub(super) fn ipv6(text: &str, ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    let documentation = (first == 0x2001 && second == 0xdb8) || first == 0x3fff;
    let groups = text.split(':').filter(|group| !group.is_empty()).count();
    let written = !text.contains("::") || groups >= 3;
    written
        && text.bytes().any(|b| b.is_ascii_digit())
        && !(ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || documentation)
}

/// Ends a URL before the punctuation of the sentence around it, and before a closing bracket
/// that the URL did not open. Loopback hosts and the names `.invalid` and `.test`
/// (RFC 2606) are left out: they lead nowhere.
pub(super) fn url(text: &str) -> Option<usize> {
    let mut end = text.len();
    while let Some(last) = text[..end].chars().next_back() {
        let opens = |open: char| text[..end].matches(open).count();
        let closes = |close: char| text[..end].matches(close).count();
        let stray = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '"' | '*' | '_' | '…' | '`' => true,
            ')' => closes(')') > opens('('),
            ']' => closes(']') > opens('['),
            '}' => closes('}') > opens('{'),
            _ => false,
        };
        if !stray {
            break;
        }
        end -= last.len_utf8();
    }
    let host = text[..end]
        .split_once("://")
        .map_or(&text[..end], |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let name = host.rsplit('@').next().unwrap_or_default();
    let name = name.split(':').next().unwrap_or_default();
    let reserved =
        name.starts_with("127.") || name.ends_with(".invalid") || name.ends_with(".test");
    (name.contains('.') && !name.starts_with('.') && !reserved).then_some(end)
}

/// A calendar date in figures or with a month's name: some part is a day 1 to 31 and, in figures,
/// another a month 1 to 12.
pub(super) fn date(text: &str) -> bool {
    let numbers: Vec<u32> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .filter_map(|part| part.parse().ok())
        .collect();
    let named = text.chars().filter(|c| c.is_alphabetic()).count() >= 3;
    let day = |n: u32| (1..=31).contains(&n);
    let month = |n: u32| (1..=12).contains(&n);
    let year = |n: u32| (1850..=2100).contains(&n) || n < 100;
    match numbers[..] {
        [a, b, c] if !named => {
            (day(a) && month(b) && year(c))
                || (month(a) && day(b) && year(c))
                || (year(a) && month(b) && day(c))
        }
        _ if named => {
            let full = |n: u32| (1850..=2100).contains(&n);
            !numbers.is_empty() && numbers.iter().all(|&n| day(n) || full(n))
        }
        _ => false,
    }
}

/// ISO 3779 with the North American check digit in position 9.
pub(super) fn vin(text: &str) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let value = |byte: u8| match byte.to_ascii_uppercase() {
        digit @ b'0'..=b'9' => Some(u32::from(digit - b'0')),
        letter @ (b'A'..=b'H') => Some(u32::from(letter - b'A') + 1),
        letter @ (b'J'..=b'N') => Some(u32::from(letter - b'J') + 1),
        b'P' => Some(7),
        b'R' => Some(9),
        letter @ (b'S'..=b'Z') => Some(u32::from(letter - b'S') + 2),
        _ => None,
    };
    let values: Option<Vec<u32>> = text.bytes().map(value).collect();
    let Some(values) = values.filter(|values| values.len() == 17) else {
        return false;
    };
    let sum: u32 = values
        .iter()
        .zip(WEIGHTS)
        .map(|(value, weight)| value * weight)
        .sum();
    let check = text.as_bytes()[8].to_ascii_uppercase();
    digits(text).len() >= 3
        && match sum % 11 {
            10 => check == b'X',
            rest => check == b'0' + rest as u8,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_ends_before_the_sentence_does() {
        let kept = |text: &str| url(text).map(|end| text[..end].to_owned());
        assert_eq!(
            kept("https://a.example/x.").as_deref(),
            Some("https://a.example/x")
        );
        assert_eq!(
            kept("https://a.example/x_(y))").as_deref(),
            Some("https://a.example/x_(y)")
        );
        assert_eq!(kept("http://127.0.0.1:80/x"), None);
        assert_eq!(kept("http://localhost/x"), None);
    }

    #[test]
    fn dates() {
        for yes in [
            "31.12.1980",
            "1980-12-31",
            "12/31/80",
            "3 May 1990",
            "1er mars 1972",
            "21 et 22 mars 2001",
            "15 de junio",
            "May 2024",
        ] {
            assert!(date(yes), "{yes}");
        }
        for no in [
            "32.12.1980",
            "1980-13-31",
            "99/99/99",
            "1.2",
            "0.0.0",
            "45 May 1990",
            "May 1200",
        ] {
            assert!(!date(no), "{no}");
        }
    }
}
