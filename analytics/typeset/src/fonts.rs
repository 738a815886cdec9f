//! The fonts that a document may use: those built in, and those given.

use crate::Error;
use std::fmt;
use std::sync::{Arc, LazyLock};
use typst::foundations::Bytes;
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;

/// Libertinus Serif, New Computer Modern and DejaVu Sans Mono, read once.
static BUILT_IN: LazyLock<Fonts> = LazyLock::new(|| {
    let fonts = typst_assets::fonts().flat_map(|bytes| Font::iter(Bytes::new(bytes)));
    Fonts::of(fonts.collect())
});

/// Fonts and the book that finds them; cheap to clone.
#[derive(Clone)]
pub(crate) struct Fonts(Arc<Shelf>);

struct Shelf {
    fonts: Vec<Font>,
    book: LazyHash<FontBook>,
}

impl Fonts {
    pub(crate) fn built_in() -> Fonts {
        BUILT_IN.clone()
    }

    fn of(fonts: Vec<Font>) -> Fonts {
        let book = LazyHash::new(FontBook::from_fonts(&fonts));
        Fonts(Arc::new(Shelf { fonts, book }))
    }

    /// These and those of the files.
    pub(crate) fn with(&self, files: impl IntoIterator<Item = Vec<u8>>) -> Result<Fonts, Error> {
        let mut fonts = self.0.fonts.clone();
        for (at, file) in files.into_iter().enumerate() {
            let before = fonts.len();
            fonts.extend(Font::iter(Bytes::new(file)));
            if fonts.len() == before {
                return Err(Error::Font { number: at + 1 });
            }
        }
        Ok(Fonts::of(fonts))
    }

    pub(crate) fn book(&self) -> &LazyHash<FontBook> {
        &self.0.book
    }

    pub(crate) fn get(&self, index: usize) -> Option<Font> {
        self.0.fonts.get(index).cloned()
    }

    /// Whether some font has a glyph for the character.
    pub(crate) fn have(&self, character: char) -> bool {
        let mut infos = self.0.fonts.iter().map(Font::info);
        infos.any(|info| info.coverage.contains(character.into()))
    }
}

impl fmt::Debug for Fonts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fonts", self.0.fonts.len())
    }
}
