//! Credentials: checksums that issuers build into them, and what tells a value from a word about
//! values.

use super::{Check, Table, whole};
use sha2::{Digest, Sha256};

/// The checks of this file by name.
pub(super) const TABLE: Table = &[
    ("crc32_base62", |text| whole(text, crc32_base62(text))),
    ("base58check", |text| whole(text, base58check(text))),
    ("bech32", |text| whole(text, bech32(text))),
    ("stellar_seed", |text| whole(text, stellar_seed(text))),
    ("mixed", |text| whole(text, mixed(text))),
    ("credential", |text| whole(text, credential(text))),
    ("password", PASSWORD),
    ("password_strong", |text| {
        PASSWORD(text).filter(|&end| strong(&text[..end]))
    }),
    ("username", username),
];

const PASSWORD: Check = |text| {
    let end = password_end(text);
    password(&text[..end]).then_some(end)
};

/// The token formats of GitHub (2021) and npm: a prefix up to an underscore, 30 characters, and
/// their CRC-32 in base 62 (digits, capitals, small letters) as six characters.
fn crc32_base62(text: &str) -> bool {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some((_, body)) = text.split_once('_') else {
        return false;
    };
    let Some((value, check)) = body.split_at_checked(body.len().saturating_sub(6)) else {
        return false;
    };
    let expected = check.bytes().try_fold(0u64, |sum, byte| {
        let digit = ALPHABET.iter().position(|&known| known == byte)?;
        Some(sum * 62 + digit as u64)
    });
    value.len() == 30 && expected == Some(u64::from(crc32(value.as_bytes())))
}

/// CRC-32 of ISO 3309, as in zip and PNG.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| match crc & 1 {
            1 => crc >> 1 ^ 0xEDB8_8320,
            _ => crc >> 1,
        })
    })
}

/// Bitcoin's Base58Check: the last four bytes are the double SHA-256 of the rest.
pub(super) fn base58check(text: &str) -> bool {
    const ALPHABET: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    if text.len() > 128 {
        return false;
    }
    // Big-endian digits to base 256, least significant byte first.
    let mut bytes: Vec<u8> = Vec::new();
    for character in text.bytes() {
        let Some(digit) = ALPHABET.iter().position(|&known| known == character) else {
            return false;
        };
        let mut carry = digit;
        for byte in &mut bytes {
            carry += usize::from(*byte) * 58;
            *byte = (carry % 256) as u8;
            carry /= 256;
        }
        while carry > 0 {
            bytes.push((carry % 256) as u8);
            carry /= 256;
        }
    }
    bytes.extend(text.bytes().take_while(|&c| c == b'1').map(|_| 0));
    bytes.reverse();
    let Some((payload, check)) = bytes.split_last_chunk::<4>() else {
        return false;
    };
    Sha256::digest(Sha256::digest(payload)).starts_with(check)
}

/// BIP-173 (Bech32): a BCH code over the prefix and the data.
fn bech32(text: &str) -> bool {
    const ALPHABET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const GENERATOR: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let text = text.to_ascii_lowercase();
    let Some((prefix, data)) = text.rsplit_once('1') else {
        return false;
    };
    let high = prefix.bytes().map(|byte| u32::from(byte >> 5));
    let low = prefix.bytes().map(|byte| u32::from(byte & 31));
    let data: Option<Vec<u32>> = data
        .bytes()
        .map(|byte| {
            let at = ALPHABET.iter().position(|&known| known == byte)?;
            Some(at as u32)
        })
        .collect();
    let Some(data) = data.filter(|data| data.len() >= 6) else {
        return false;
    };
    let sum = high
        .chain([0])
        .chain(low)
        .chain(data)
        .fold(1, |sum, value| {
            let top = sum >> 25;
            let sum = (sum & 0x01ff_ffff) << 5 ^ value;
            (0..5)
                .filter(|bit| top >> bit & 1 == 1)
                .fold(sum, |sum, bit| sum ^ GENERATOR[bit])
        });
    sum == 1
}

/// Stellar SEP-23: base32 of a version byte, 32 bytes and their CRC-16/XMODEM, little-endian.
fn stellar_seed(text: &str) -> bool {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut bits, mut held, mut bytes) = (0u32, 0, Vec::with_capacity(35));
    for character in text.bytes() {
        let Some(value) = ALPHABET.iter().position(|&known| known == character) else {
            return false;
        };
        bits = (bits << 5 | value as u32) & 0xfff;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    let Some((payload, check)) = bytes.split_last_chunk::<2>() else {
        return false;
    };
    let crc = payload.iter().fold(0u16, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| match crc & 0x8000 {
            0 => crc << 1,
            _ => crc << 1 ^ 0x1021,
        })
    });
    payload.len() == 33 && payload[0] == 18 << 3 && crc.to_le_bytes() == *check
}

/// At least two of: lower case, upper case, digit, one of them a digit. For tokens that an
/// ordinary word, a number or a constant's name must not pass for.
fn mixed(text: &str) -> bool {
    let has = |class: fn(&u8) -> bool| usize::from(text.as_bytes().iter().any(class));
    let digit = has(u8::is_ascii_digit);
    digit == 1 && digit + has(u8::is_ascii_lowercase) + has(u8::is_ascii_uppercase) >= 2
}

/// A random value rather than a name made of words: some part between separators, eight
/// characters long or more, changes between small letters, capitals and digits as often as chance
/// does and names do not. (Random base 62 changes class at 0.6 of its places, hexadecimal at 0.47,
/// `camelCaseNames` at 0.2 to 0.4, with hardly a digit.)
fn credential(text: &str) -> bool {
    let class = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let random = |part: &str| {
        let bytes = part.as_bytes();
        let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
        let letters = bytes.iter().any(u8::is_ascii_alphabetic);
        let changes = bytes
            .windows(2)
            .filter(|pair| class(pair[0]) != class(pair[1]))
            .count();
        let share = changes as f32 / (bytes.len() - 1).max(1) as f32;
        letters
            && ((digits >= 2 && changes >= 3 && share >= 0.2)
                || (digits == 1 && share >= 0.42)
                || share >= 0.5)
    };
    text.split(|c: char| "-_./+~:,;=".contains(c))
        .any(|part| part.len() >= 8 && random(part))
}

/// Where a password ends that was matched up to white space: before the punctuation of the
/// sentence, before the next field of a connection string (`;Name=`) or query (`&name=`).
fn password_end(text: &str) -> usize {
    let mut end = text.len();
    for (at, _) in text.match_indices([';', '&']) {
        let name = text[at + 1..].split('=').next().unwrap_or_default();
        let field = text[at + 1..].contains('=')
            && (2..=40).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if at > 0 && (field || at + 1 == text.len()) {
            end = at;
            break;
        }
    }
    let kept = text[..end].trim_end_matches(['.', ',', '?', ';', ':', ')', ']', '}', '…']);
    // An exclamation mark belongs to many passwords and to few sentences that hold one.
    if kept.is_empty() { end } else { kept.len() }
}

/// A value that is used as a password rather than talked about: four characters or more, with a
/// digit or a symbol besides letters or, in letters alone, a capital inside the word.
fn password(text: &str) -> bool {
    let text = text.trim_end_matches(['.', ',', '!', '?', ';', ':', ')', ']', '}']);
    let digit = text.chars().any(|c| c.is_ascii_digit());
    let letter = text.chars().any(char::is_alphabetic);
    let symbol = text
        .chars()
        .any(|c| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.' | '\'' | '’' | '…'));
    let hump = text.chars().skip(1).any(char::is_uppercase) && text.chars().any(char::is_lowercase);
    text.chars().count() >= 4
        && ((letter && (digit || symbol || hump))
            || (digit && symbol)
            || (digit && text.len() >= 6))
}

/// A password that stands there without a word or sign that says so: letters and digits, with a
/// symbol or in both cases, or a digit that no name of an algorithm ends in.
fn strong(text: &str) -> bool {
    let has = |class: fn(char) -> bool| text.chars().any(class);
    let symbol = text
        .chars()
        .any(|c| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.' | '\'' | '/'));
    has(char::is_alphabetic)
        && has(|c| c.is_ascii_digit())
        && (symbol || (has(char::is_lowercase) && has(char::is_uppercase)))
}

/// An account's name rather than a word about accounts: with a digit, a dot, an underscore or an
/// @ inside of it. Ends before the punctuation of the sentence.
fn username(text: &str) -> Option<usize> {
    let name = text.trim_end_matches(['.', '-', '_', '@']);
    let marked = name.contains(|c: char| c.is_ascii_digit() || "._@".contains(c));
    (name.len() >= 3 && marked).then_some(name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_of_published_examples() {
        // Bitcoin wiki, "Wallet import format"; BIP-32 test vector 1; BIP-173; SEP-23.
        for good in [
            "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
            concat!(
                "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmP",
                "GJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
            ),
        ] {
            assert!(base58check(good));
            let last = good.len() - 1;
            assert!(!base58check(&format!("{}2", &good[..last])));
        }
        assert!(bech32("A12UEL5L"));
        assert!(bech32("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"));
        assert!(!bech32("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxq"));
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert!(!base58check("") && !bech32("") && !stellar_seed("") && !crc32_base62("ghp_"));
    }

    #[test]
    fn random_values_are_told_from_names() {
        for yes in [
            "a8Kd02jfLs93kdPwq1Zx",
            "9f86d081884c7d659a2feaa0c55ad015",
            "prod-a8Kd02jfLs93",
            "QWxhZGRpbjpvcGVuIHNlc2FtZQ",
        ] {
            assert!(credential(yes), "{yes}");
        }
        for no in [
            "getUserTokenFromHeader",
            "some_long_identifier_name",
            "kubernetes.io/service-account-token-2",
            "API_KEY_PRODUCTION_2",
            "version2configuration",
            "xxxxxxxxxxxxxxxxxxxx",
        ] {
            assert!(!credential(no), "{no}");
        }
    }

    #[test]
    fn passwords() {
        for yes in ["hunter2", "Tr0ub4dor&3", "Sommer2024!", "p@ss", "483920"] {
            assert!(password(yes), "{yes}");
        }
        for no in ["required", "None", "string", "is", "1234", "os.environ"] {
            assert!(!password(no), "{no}");
        }
        for (text, end) in [
            ("Str0ng!Pass;Encrypt=true", 11),
            ("a1&b2=c", 2),
            ("hunter2-x.", 9),
            ("Sommer2024!", 11),
            ("a;b;c1", 6),
        ] {
            assert_eq!(password_end(text), end, "{text}");
        }
        assert!(strong("Hunter2x") && strong("hunter2!"));
        assert!(!strong("sha256") && !strong("authentication") && !strong("policy-v2"));
    }

    #[test]
    fn usernames_end_before_the_sentence() {
        assert_eq!(username("anna.b1."), Some(7));
        assert_eq!(username("anna"), None);
    }
}
