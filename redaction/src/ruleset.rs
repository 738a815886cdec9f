//! Sets of rules, as bits.

/// A set of rules, by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct RuleSet(Vec<u64>);

impl RuleSet {
    /// An empty set that has room for `rules`.
    pub fn new(rules: usize) -> Self {
        Self(vec![0; rules.div_ceil(64)])
    }

    /// An empty set that has as much room.
    pub fn emptied(&self) -> Self {
        Self(vec![0; self.0.len()])
    }

    pub fn insert(&mut self, rule: usize) {
        self.0[rule / 64] |= 1 << (rule % 64);
    }

    pub fn contains(&self, rule: usize) -> bool {
        self.0[rule / 64] >> (rule % 64) & 1 != 0
    }

    pub fn clear(&mut self) {
        self.0.fill(0);
    }

    /// Adds the rules of `other`.
    pub fn unite(&mut self, other: &RuleSet) {
        for (bits, more) in self.0.iter_mut().zip(&other.0) {
            *bits |= more;
        }
    }

    /// Adds the rules that both of the others have.
    pub fn unite_common(&mut self, one: &RuleSet, other: &RuleSet) {
        for ((bits, one), other) in self.0.iter_mut().zip(&one.0).zip(&other.0) {
            *bits |= one & other;
        }
    }

    /// Whether some rule is in both.
    pub fn meets(&self, other: &RuleSet) -> bool {
        self.0
            .iter()
            .zip(&other.0)
            .any(|(bits, other)| bits & other != 0)
    }

    /// The numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(word, &bits)| {
            std::iter::successors((bits != 0).then_some(bits), |bits| {
                let rest = bits & (bits - 1);
                (rest != 0).then_some(rest)
            })
            .map(move |bits| word * 64 + bits.trailing_zeros() as usize)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set(numbers: &BTreeSet<usize>) -> RuleSet {
        let mut set = RuleSet::new(200);
        numbers.iter().for_each(|&number| set.insert(number));
        set
    }

    proptest! {
        #[test]
        fn it_is_a_set(
            a in prop::collection::btree_set(0usize..200, 0..20),
            b in prop::collection::btree_set(0usize..200, 0..20),
        ) {
            let (one, other) = (set(&a), set(&b));
            prop_assert_eq!(one.iter().collect::<BTreeSet<_>>(), a.clone());
            prop_assert_eq!(one.meets(&other), !a.is_disjoint(&b));
            let mut both = RuleSet::new(200);
            both.unite_common(&one, &other);
            prop_assert_eq!(both.iter().collect::<BTreeSet<_>>(), &a & &b);
            both.unite(&one);
            prop_assert_eq!(both, one.clone());
            prop_assert!((0..200).all(|rule| one.contains(rule) == a.contains(&rule)));
        }
    }
}
