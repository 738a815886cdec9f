//! Kinds of bytes, of sixty-four at a time: what passes over a text look at before they look at
//! anything else.

/// Bytes looked at together.
pub(crate) const LANE: usize = 64;

/// For each kind, which of the bytes are of it: the first is the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Classes {
    /// `a` to `z`
    pub lower: u64,
    /// `A` to `Z`
    pub upper: u64,
    /// `0` to `9`
    pub digit: u64,
    /// `-./0123456789:`, digits and the separators beside them in ASCII.
    pub numeric: u64,
    /// Beyond ASCII.
    pub high: u64,
    /// Blank and control characters.
    pub blank: u64,
    /// What is not of plain text: beyond ASCII, control characters but tabs and line ends; and
    /// `%`, `&`, `=` and `\\`, with which escapes begin.
    pub marked: u64,
}

impl Classes {
    /// Of the bytes from `at` on; behind the end stand control characters.
    #[inline(always)]
    pub fn at(bytes: &[u8], at: usize) -> Self {
        match bytes.get(at..at + LANE).and_then(|lane| lane.first_chunk()) {
            Some(lane) => of(lane),
            None => {
                let mut lane = [0; LANE];
                let rest = bytes.get(at..).unwrap_or_default();
                lane[..rest.len()].copy_from_slice(rest);
                of(&lane)
            }
        }
    }
}

// Inlined, so that the kinds that nobody asks for are not looked at.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[inline(always)]
fn of(lane: &[u8; LANE]) -> Classes {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8,
        _mm_sub_epi8,
    };
    let mut classes = Classes::default();
    for (part, bytes) in lane.chunks_exact(16).enumerate() {
        let half = |at: usize| i64::from_le_bytes(std::array::from_fn(|byte| bytes[at + byte]));
        // SAFETY, here and below: this is compiled only for processors that have SSE2, which is all
        // that these instructions need; they work on values, not on memory.
        let vector = unsafe { _mm_set_epi64x(half(8), half(0)) };
        let splat = |byte: u8| unsafe { _mm_set1_epi8(byte as i8) };
        let mask = |hits| u64::from(unsafe { _mm_movemask_epi8(hits) } as u16) << (16 * part);
        let one = |byte: u8| mask(unsafe { _mm_cmpeq_epi8(vector, splat(byte)) });
        // Which bytes are at least `first` and at most `last`.
        let within = |first: u8, last: u8| unsafe {
            let above = _mm_sub_epi8(vector, splat(first));
            mask(_mm_cmpeq_epi8(
                above,
                _mm_min_epu8(above, splat(last - first)),
            ))
        };
        classes.lower |= within(b'a', b'z');
        classes.upper |= within(b'A', b'Z');
        classes.digit |= within(b'0', b'9');
        classes.numeric |= within(b'-', b':');
        classes.blank |= within(0, b' ');
        classes.high |= mask(vector);
        classes.marked |= (within(0, 0x1F) & !within(b'\t', b'\n') & !one(b'\r'))
            | within(0x7F, 0xFF)
            | within(b'%', b'&')
            | one(b'=')
            | one(b'\\');
    }
    classes
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
#[inline(always)]
fn of(lane: &[u8; LANE]) -> Classes {
    by_byte(lane)
}

#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "sse2"))))]
fn by_byte(lane: &[u8; LANE]) -> Classes {
    let mut classes = Classes::default();
    for (at, byte) in lane.iter().enumerate() {
        let bit = |is: bool| u64::from(is) << at;
        classes.lower |= bit(byte.is_ascii_lowercase());
        classes.upper |= bit(byte.is_ascii_uppercase());
        classes.digit |= bit(byte.is_ascii_digit());
        classes.numeric |= bit((b'-'..=b':').contains(byte));
        classes.high |= bit(!byte.is_ascii());
        classes.blank |= bit(*byte <= b' ');
        let plain = matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
        classes.marked |= bit(!plain || matches!(byte, b'%' | b'&' | b'=' | b'\\'));
    }
    classes
}

/// The places of the bits that are set, ascending.
pub(crate) fn places(bits: u64) -> impl Iterator<Item = usize> {
    std::iter::successors((bits != 0).then_some(bits), |bits| {
        let rest = bits & (bits - 1);
        (rest != 0).then_some(rest)
    })
    .map(|bits| bits.trailing_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_what_looking_at_each_byte_says(text in prop::collection::vec(any::<u8>(), 0..200), at in 0usize..210) {
            let mut lane = [0; LANE];
            for (byte, &there) in lane.iter_mut().zip(text.iter().skip(at)) {
                *byte = there;
            }
            prop_assert_eq!(Classes::at(&text, at), by_byte(&lane));
            let bits = by_byte(&lane).upper;
            prop_assert!(places(bits).eq((0..64).filter(|&at| bits >> at & 1 != 0)));
        }
    }
}
