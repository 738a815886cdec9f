//! Hungary.

use crate::checks::algorithms::{digits, dot, is_day, last_is, pair, weighted};

table! {
    "hu_tax_person": digits person_tax,
    "hu_tax_body": digits body_tax,
    "hu_taj": digits health,
    "hu_personal": digits personal,
}

/// Adóazonosító jel (1996. évi XX. törvény): an 8, the days of the birth date since 1867, a serial,
/// weights 1 to 9 modulo 11.
fn person_tax(digits: &[u8]) -> bool {
    digits.first() == Some(&8) && last_is(digits, &[1, 2, 3, 4, 5, 6, 7, 8, 9], |sum| sum % 11)
}

/// Adószám (2017. évi CL. törvény): eight digits, weights 9, 7, 3, 1 modulo 10; then one digit for
/// the kind of taxation and two for the county.
fn body_tax(digits: &[u8]) -> bool {
    matches!(digits.len(), 8 | 11) && weighted(&digits[..8], &[9, 7, 3, 1, 9, 7, 3, 1], 10)
}

/// TAJ szám (1996. évi XX. törvény): weights 3 and 7 modulo 10.
fn health(digits: &[u8]) -> bool {
    last_is(digits, &[3, 7, 3, 7, 3, 7, 3, 7], |sum| sum % 10)
}

/// Személyi azonosító (1996. évi XX. törvény): sex and century, birth date, serial; weights 1 to
/// 10 for those born until 1996, 10 to 1 later, modulo 11.
fn personal(digits: &[u8]) -> bool {
    if digits.len() != 11 {
        return false;
    }
    let sum = |weights: &[u32]| dot(digits, weights) % 11 == u32::from(digits[10]);
    let century = match digits[0] {
        1 | 2 => 1900,
        3 | 4 => 2000,
        _ => return false,
    };
    is_day(century + pair(digits, 1), pair(digits, 3), pair(digits, 5))
        && (sum(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) || sum(&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(body_tax(&digits("HU-12892312")) && !body_tax(&digits("12892313")));
        assert!(body_tax(&digits("12892312-2-41")));
        assert!(person_tax(&digits("8071592153")) && !person_tax(&digits("8071592154")));
        assert!(health(&digits("037 687 210")) && !health(&digits("037687211")));
        // Made up: weights 10 to 1 leave 2.
        assert!(personal(&digits("30304121232")) && !personal(&digits("30304121233")));
    }
}
