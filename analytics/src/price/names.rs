//! Which model of the book a name means.

use super::file::Provider;
use super::pattern::{Pattern, undated};
use std::collections::HashMap;

/// A model of the book, by its provider's and its own index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) provider: usize,
    pub(super) model: usize,
}

/// All patterns of the book. A name is looked up as an exact one, then without its date, then by
/// the prefixes: the closest pattern counts, and of several providers the first.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    exact: HashMap<String, Vec<Place>>,
    dated: HashMap<String, Vec<Place>>,
    /// The longest first.
    prefixes: Vec<(String, Place)>,
}

impl Names {
    pub(super) fn new(providers: &[Provider]) -> Names {
        let mut names = Names::default();
        for (provider, of) in providers.iter().enumerate() {
            for (model, of) in of.models.iter().enumerate() {
                let place = Place { provider, model };
                for pattern in &of.patterns {
                    match pattern.clone() {
                        Pattern::Exact(name) => names.exact.entry(name).or_default().push(place),
                        Pattern::Dated(stem) => names.dated.entry(stem).or_default().push(place),
                        Pattern::Prefix(stem) => names.prefixes.push((stem, place)),
                    }
                }
            }
        }
        names
            .prefixes
            .sort_by_key(|(stem, _)| std::cmp::Reverse(stem.len()));
        names
    }

    /// The model that a name means, letter case ignored, of one provider or of any.
    pub(super) fn find(&self, provider: Option<usize>, name: &str) -> Option<Place> {
        let name = name.to_ascii_lowercase();
        let fits = |place: &&Place| provider.is_none_or(|wanted| wanted == place.provider);
        let exact = || self.exact.get(&name)?.iter().find(fits);
        let dated = || self.dated.get(undated(&name)?)?.iter().find(fits);
        let prefix = || {
            let of = self.prefixes.iter().filter(|(_, place)| fits(&place));
            of.map(|(stem, place)| (stem, place))
                .find(|(stem, _)| name.starts_with(stem.as_str()))
                .map(|(_, place)| place)
        };
        exact().or_else(dated).or_else(prefix).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::Model;
    use super::*;

    fn provider(id: &str, patterns: &[&str]) -> Provider {
        let model = |text: &&str| Model {
            name: (*text).to_owned(),
            patterns: vec![Pattern::parse(text).unwrap()],
            prices: Vec::new(),
        };
        Provider {
            id: id.to_owned(),
            models: patterns.iter().map(model).collect(),
        }
    }

    #[test]
    fn the_closest_pattern_counts() {
        let names = Names::new(&[
            provider(
                "a",
                &["m*", "m-large*", "m-large-{date}", "m-large-20260102"],
            ),
            provider("b", &["m*", "m-large-2026*"]),
        ]);
        let find = |provider, name: &str| {
            let place = names.find(provider, name)?;
            Some((place.provider, place.model))
        };
        assert_eq!(find(None, "M-Large-20260102"), Some((0, 3)));
        assert_eq!(find(None, "m-large-20260103"), Some((0, 2)));
        assert_eq!(find(None, "m-large-2026-01-02"), Some((0, 2)));
        assert_eq!(find(None, "m-large-2026010"), Some((1, 1)));
        assert_eq!(find(None, "m-largest"), Some((0, 1)));
        assert_eq!(find(None, "m"), Some((0, 0)));
        assert_eq!(find(Some(1), "m-large-20260102"), Some((1, 1)));
        assert_eq!(find(Some(1), "m"), Some((1, 0)));
        assert_eq!(find(None, "n"), None);
        assert_eq!(find(None, ""), None);
    }
}
