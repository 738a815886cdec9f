//! Letters that look like Latin ones, digits of other scripts, characters that show nothing.

/// Letters of other scripts that a reader takes for the Latin letter below them; from the
/// confusables of Unicode Technical Standard #39, those of everyday fonts.
const LOOK: &str = "аеорсухѕіјԁһԛԝѵкьАВЕКМНОРСТУХЅІЈԌԚԜЬүҮ\
                    αορνικυγχεητϲϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧ\
                    ոսօհցԼՕՏ\
                    ɑɡıɩʟ";
const LIKE: &str = "aeopcyxsijdhqwvkbABEKMHOPCTYXSIJGQWbyY\
                    aopvikuyxentcjABEZHIKMNOPTYX\
                    nuohgLOS\
                    agiil";

/// The Latin letter that a letter of another script looks like.
pub(super) fn latin(c: char) -> Option<char> {
    // A short table, asked only about words that mix scripts.
    let at = LOOK.chars().position(|look| look == c)?;
    LIKE.chars().nth(at)
}

/// Whether `c` is of a script that has look-alikes: Greek, Cyrillic, Armenian, and the few Latin
/// letters outside of any alphabet.
pub(super) fn may_look_latin(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{58F}' | 'ɑ' | 'ɡ' | 'ı' | 'ɩ' | 'ʟ')
}

/// The zeros of the decimal digits (general category Nd) of scripts in use today; the digits
/// follow each in order. From the Unicode Character Database.
const ZEROS: [u32; 37] = [
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6,
    0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50,
    0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
    0x104A0,
];

/// The value of a decimal digit of another script, or of a digit in a circle, raised, lowered or
/// in a mathematical style.
pub(super) fn digit(c: char) -> Option<char> {
    let code = c as u32;
    let value = match code {
        0..0x80 => return None,
        0xB2 | 0xB3 => code - 0xB0,
        0xB9 => 1,
        0x2070 | 0x2074..=0x2079 => code - 0x2070,
        0x2080..=0x2089 => code - 0x2080,
        0x2460..=0x2468 => code - 0x2460 + 1,
        0x2776..=0x277E => code - 0x2776 + 1,
        0x24EA => 0,
        0x1D7CE..=0x1D7FF => (code - 0x1D7CE) % 10,
        _ => {
            let after = ZEROS.partition_point(|&zero| zero <= code);
            let zero = ZEROS[after.checked_sub(1)?];
            (code - zero < 10).then_some(code - zero)?
        }
    };
    char::from_digit(value, 10)
}

/// The ASCII letter or sign that is meant by a full-width, mathematical, circled or small form,
/// or by a dash of another length.
pub(super) fn plain(c: char) -> Option<char> {
    let code = c as u32;
    let of = |offset: u32, base: u8| char::from_u32(u32::from(base) + offset);
    match code {
        0xFF01..=0xFF5E => of(code - 0xFF01, b'!'),
        // Mathematical letters: 13 alphabets of 26 capitals and 26 small letters.
        0x1D400..=0x1D6A3 => {
            let at = (code - 0x1D400) % 52;
            of(at % 26, if at < 26 { b'A' } else { b'a' })
        }
        0x24B6..=0x24CF => of(code - 0x24B6, b'A'),
        0x24D0..=0x24E9 => of(code - 0x24D0, b'a'),
        0xFE52 => Some('.'),
        0xFE6B => Some('@'),
        0x3002 | 0xFF61 => Some('.'),
        _ => None,
    }
}

/// Whether `c` is a dash or minus other than ASCII's.
pub(super) fn is_dash(c: char) -> bool {
    matches!(
        c,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}'
    )
}

/// Whether `c` is a space other than ASCII's (general category Zs).
pub(super) fn is_space(c: char) -> bool {
    matches!(
        c,
        '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}'
    )
}

/// Whether `c` shows nothing: controls, format characters, fillers, variation selectors, tags
/// (Default_Ignorable_Code_Point of the Unicode Character Database, and C0 and C1).
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{7F}'..='\u{9F}'
        | '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether `c` is drawn over the character before it (the Combining Diacritical Marks blocks).
pub(super) fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20FF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_step() {
        assert_eq!(LOOK.chars().count(), LIKE.chars().count());
        assert!(LOOK.chars().all(|c| !c.is_ascii() && may_look_latin(c)));
        assert!(LIKE.chars().all(|c| c.is_ascii_alphabetic()));
        assert!(ZEROS.is_sorted());
    }

    #[test]
    fn forms() {
        let digits: String = "٣۴५৬７𝟖③⁵".chars().filter_map(digit).collect();
        assert_eq!(digits, "34567835");
        let letters: String = "ＡｚⒷⓒ𝐃𝓮＠．".chars().filter_map(plain).collect();
        assert_eq!(letters, "AzBcDe@.");
        let looks: String = "аοР".chars().filter_map(latin).collect();
        assert_eq!(looks, "aoP");
        for c in ['a', '7', 'é', 'ж', '日', '-'] {
            assert_eq!((digit(c), plain(c), latin(c)), (None, None, None));
            assert!(!is_invisible(c) && !is_dash(c) && !is_space(c));
        }
    }
}
