//! Which model of the book a name means.

use super::file::Provider;
use super::pattern::{Pattern, with_dashed_dates};
use std::collections::HashMap;

/// A model of the book, by its provider's and its own index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) provider: usize,
    pub(super) model: usize,
}

/// All names of the book. Of several models of a provider whose patterns fit, the first in its file
/// counts; exact names are looked up, so that only the few patterns before it are tried.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// In order of place.
    exact: HashMap<String, Vec<Place>>,
    /// By provider, in order of model.
    patterns: Vec<Vec<(Pattern, usize)>>,
}

impl Names {
    pub(super) fn new(providers: &[Provider]) -> Names {
        let mut names = Names::default();
        for (provider, of) in providers.iter().enumerate() {
            let mut patterns = Vec::new();
            for (model, of) in of.models.iter().enumerate() {
                for pattern in &of.patterns {
                    match pattern.exact() {
                        Some(name) => {
                            let places = names.exact.entry(name.to_owned()).or_default();
                            places.push(Place { provider, model });
                        }
                        None => patterns.push((pattern.clone(), model)),
                    }
                }
            }
            names.patterns.push(patterns);
        }
        names
    }

    /// The model that a name means at the first of some providers that knows it, letter case ignored.
    pub(super) fn find(
        &self,
        providers: &[Provider],
        mut among: impl Iterator<Item = usize>,
        name: &str,
    ) -> Option<Place> {
        let name = name.to_lowercase();
        let dashed = with_dashed_dates(&name);
        among.find_map(|provider| {
            self.find_as_written(providers, provider, &name)
                .or_else(|| self.find_as_written(providers, provider, dashed.as_deref()?))
        })
    }

    fn find_as_written(
        &self,
        providers: &[Provider],
        provider: usize,
        name: &str,
    ) -> Option<Place> {
        let allowed = |model: usize| {
            let except = &providers[provider].models[model].except;
            !except.iter().any(|pattern| pattern.fits(name))
        };
        let exact = self.exact.get(name).and_then(|places| {
            places
                .iter()
                .find(|place| place.provider == provider && allowed(place.model))
        });
        let before = exact.map_or(usize::MAX, |place| place.model);
        let model = self.patterns[provider]
            .iter()
            .take_while(|(_, model)| *model < before)
            .find(|(pattern, model)| pattern.fits(name) && allowed(*model));
        model
            .map(|(_, model)| Place {
                provider,
                model: *model,
            })
            .or(exact.copied())
    }

    /// The model of that very name at any provider, the first in order.
    pub(super) fn find_exact(&self, name: &str) -> Option<Place> {
        self.exact.get(&name.to_lowercase())?.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::Model;
    use super::*;

    fn provider(id: &str, models: &[(&[&str], &[&str])]) -> Provider {
        let parse = |texts: &[&str]| {
            let parsed = texts.iter().map(|text| Pattern::parse(text).unwrap());
            parsed.collect::<Vec<_>>()
        };
        let models = models.iter().map(|(patterns, except)| Model {
            name: patterns[0].to_owned(),
            patterns: parse(patterns),
            except: parse(except),
            ..Model::default()
        });
        Provider {
            id: id.to_owned(),
            models: models.collect(),
            ..Provider::default()
        }
    }

    #[test]
    fn the_first_model_that_fits_counts() {
        let providers = [
            provider(
                "a",
                &[
                    (&["m-large-2026*"], &["*-beta"]),
                    (&["m-large-20260102"], &[]),
                    (&["n", "m-large-2025-01-02"], &[]),
                    (&["m*"], &[]),
                ],
            ),
            provider("b", &[(&["m-large-20260102"], &[])]),
        ];
        let names = Names::new(&providers);
        for (provider, name, model) in [
            (0, "M-Large-20260102", Some(0)),
            (0, "m-large-2026-beta", Some(3)),
            (0, "m-large-20250102", Some(3)),
            (0, "N", Some(2)),
            (0, "x", None),
            (0, "", None),
            (1, "m-large-20260102", Some(0)),
            (1, "n", None),
        ] {
            let found = names.find(&providers, std::iter::once(provider), name);
            assert_eq!(found.map(|place| place.model), model, "{provider} {name}");
        }
        let place = |provider, model| Some(Place { provider, model });
        assert_eq!(names.find_exact("m-large-20260102"), place(0, 1));
        assert_eq!(names.find_exact("m-large"), None);
    }
}
