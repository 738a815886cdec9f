//! What providers bill by: tokens of many kinds, and things that are not tokens.
//!
//! The vocabulary is that of genai-prices' unit registry (`data_units.py`, 0.2.3). A unit is a set
//! of dimensions; one with more dimensions is a part of those with fewer: `cache_write_1h` is a part
//! of `cache_write`, which is a part of `input`.

use crate::record::Usage;

/// A unit that something is billed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit(u8);

struct Def {
    /// Its name in the book's files and in "price of ...": without `_tokens`.
    name: &'static str,
    /// What genai-prices calls its price.
    price_key: &'static str,
    /// A price is for this many.
    per: u32,
    dimensions: &'static [&'static str],
}

const fn def(
    name: &'static str,
    price_key: &'static str,
    per: u32,
    dimensions: &'static [&'static str],
) -> Def {
    Def {
        name,
        price_key,
        per,
        dimensions,
    }
}

#[rustfmt::skip]
const DEFS: [Def; 59] = [
    def("input", "input_mtok", 1_000_000, &["tokens", "input"]),
    def("output", "output_mtok", 1_000_000, &["tokens", "output"]),
    def("cache_read", "cache_read_mtok", 1_000_000, &["tokens", "input", "cache_read"]),
    def("cache_write", "cache_write_mtok", 1_000_000, &["tokens", "input", "cache_write"]),
    def("cache_write_5m", "cache_write_5m_mtok", 1_000_000, &["tokens", "input", "cache_write", "5m"]),
    def("cache_write_1h", "cache_write_1h_mtok", 1_000_000, &["tokens", "input", "cache_write", "1h"]),
    def("input_text", "input_text_mtok", 1_000_000, &["tokens", "input", "text"]),
    def("output_text", "output_text_mtok", 1_000_000, &["tokens", "output", "text"]),
    def("cache_text_read", "cache_text_read_mtok", 1_000_000, &["tokens", "input", "text", "cache_read"]),
    def("cache_text_write", "cache_text_write_mtok", 1_000_000, &["tokens", "input", "text", "cache_write"]),
    def("cache_text_write_5m", "cache_text_write_5m_mtok", 1_000_000, &["tokens", "input", "text", "cache_write", "5m"]),
    def("cache_text_write_1h", "cache_text_write_1h_mtok", 1_000_000, &["tokens", "input", "text", "cache_write", "1h"]),
    def("input_audio", "input_audio_mtok", 1_000_000, &["tokens", "input", "audio"]),
    def("output_audio", "output_audio_mtok", 1_000_000, &["tokens", "output", "audio"]),
    def("cache_audio_read", "cache_audio_read_mtok", 1_000_000, &["tokens", "input", "audio", "cache_read"]),
    def("cache_audio_write", "cache_audio_write_mtok", 1_000_000, &["tokens", "input", "audio", "cache_write"]),
    def("cache_audio_write_5m", "cache_audio_write_5m_mtok", 1_000_000, &["tokens", "input", "audio", "cache_write", "5m"]),
    def("cache_audio_write_1h", "cache_audio_write_1h_mtok", 1_000_000, &["tokens", "input", "audio", "cache_write", "1h"]),
    def("input_image", "input_image_mtok", 1_000_000, &["tokens", "input", "image"]),
    def("output_image", "output_image_mtok", 1_000_000, &["tokens", "output", "image"]),
    def("cache_image_read", "cache_image_read_mtok", 1_000_000, &["tokens", "input", "image", "cache_read"]),
    def("cache_image_write", "cache_image_write_mtok", 1_000_000, &["tokens", "input", "image", "cache_write"]),
    def("cache_image_write_5m", "cache_image_write_5m_mtok", 1_000_000, &["tokens", "input", "image", "cache_write", "5m"]),
    def("cache_image_write_1h", "cache_image_write_1h_mtok", 1_000_000, &["tokens", "input", "image", "cache_write", "1h"]),
    def("input_video", "input_video_mtok", 1_000_000, &["tokens", "input", "video"]),
    def("output_video", "output_video_mtok", 1_000_000, &["tokens", "output", "video"]),
    def("cache_video_read", "cache_video_read_mtok", 1_000_000, &["tokens", "input", "video", "cache_read"]),
    def("cache_video_write", "cache_video_write_mtok", 1_000_000, &["tokens", "input", "video", "cache_write"]),
    def("cache_video_write_5m", "cache_video_write_5m_mtok", 1_000_000, &["tokens", "input", "video", "cache_write", "5m"]),
    def("cache_video_write_1h", "cache_video_write_1h_mtok", 1_000_000, &["tokens", "input", "video", "cache_write", "1h"]),
    def("input_tool", "input_tool_mtok", 1_000_000, &["tokens", "input", "tool"]),
    def("input_text_tool", "input_text_tool_mtok", 1_000_000, &["tokens", "input", "text", "tool"]),
    def("input_audio_tool", "input_audio_tool_mtok", 1_000_000, &["tokens", "input", "audio", "tool"]),
    def("input_image_tool", "input_image_tool_mtok", 1_000_000, &["tokens", "input", "image", "tool"]),
    def("input_video_tool", "input_video_tool_mtok", 1_000_000, &["tokens", "input", "video", "tool"]),
    def("output_reasoning", "output_reasoning_mtok", 1_000_000, &["tokens", "output", "reasoning"]),
    def("output_text_reasoning", "output_text_reasoning_mtok", 1_000_000, &["tokens", "output", "text", "reasoning"]),
    def("output_audio_reasoning", "output_audio_reasoning_mtok", 1_000_000, &["tokens", "output", "audio", "reasoning"]),
    def("output_image_reasoning", "output_image_reasoning_mtok", 1_000_000, &["tokens", "output", "image", "reasoning"]),
    def("output_video_reasoning", "output_video_reasoning_mtok", 1_000_000, &["tokens", "output", "video", "reasoning"]),
    def("output_citation", "output_citation_mtok", 1_000_000, &["tokens", "output", "citation"]),
    def("output_text_citation", "output_text_citation_mtok", 1_000_000, &["tokens", "output", "text", "citation"]),
    def("output_audio_citation", "output_audio_citation_mtok", 1_000_000, &["tokens", "output", "audio", "citation"]),
    def("output_image_citation", "output_image_citation_mtok", 1_000_000, &["tokens", "output", "image", "citation"]),
    def("output_video_citation", "output_video_citation_mtok", 1_000_000, &["tokens", "output", "video", "citation"]),
    def("input_characters", "input_mchars", 1_000_000, &["characters", "input"]),
    def("input_text_messages", "input_text_messages_kcount", 1_000, &["messages", "input", "text"]),
    def("audio_seconds", "audio_hours", 3_600, &["durations", "audio"]),
    def("input_audio_seconds", "input_audio_hours", 3_600, &["durations", "input", "audio"]),
    def("output_audio_seconds", "output_audio_hours", 3_600, &["durations", "output", "audio"]),
    def("input_pixels", "input_gpixels", 1_000_000_000, &["pixels", "input"]),
    def("input_document_pages", "input_document_kpages", 1_000, &["document_pages", "input"]),
    def("input_annotated_document_pages", "input_annotated_document_kpages", 1_000, &["document_pages", "input", "annotated"]),
    def("rerank_searches", "rerank_searches_kcount", 1_000, &["rerank"]),
    def("web_searches", "web_searches_kcount", 1_000, &["tool_calls", "web_search"]),
    def("social_searches", "social_searches_kcount", 1_000, &["tool_calls", "social_search"]),
    def("storage_searches", "storage_searches_kcount", 1_000, &["tool_calls", "storage_search"]),
    def("code_executions", "code_executions_kcount", 1_000, &["tool_calls", "code_execution"]),
    def("requests", "requests_kcount", 1_000, &["requests"]),
];

impl Unit {
    /// All input tokens.
    pub const INPUT: Unit = Unit(0);
    /// All output tokens.
    pub const OUTPUT: Unit = Unit(1);
    /// Input tokens read from the provider's cache.
    pub const CACHE_READ: Unit = Unit(2);
    /// Input tokens written to the provider's cache.
    pub const CACHE_WRITE: Unit = Unit(3);
    /// Input tokens written to the provider's cache to stay for an hour.
    pub const CACHE_WRITE_1H: Unit = Unit(5);

    /// Output tokens spent on reasoning.
    pub const OUTPUT_REASONING: Unit = Unit(35);

    /// Every unit there is.
    pub fn all() -> impl Iterator<Item = Unit> {
        (0..DEFS.len() as u8).map(Unit)
    }

    /// The unit of a name in the book's files.
    pub fn named(name: &str) -> Option<Unit> {
        Unit::all().find(|unit| unit.name() == name)
    }

    /// The unit that genai-prices prices under a key.
    pub(super) fn of_price_key(key: &str) -> Option<Unit> {
        Unit::all().find(|unit| unit.def().price_key == key)
    }

    /// Its name: `input`, `cache_write_1h`, `web_searches`.
    pub fn name(self) -> &'static str {
        self.def().name
    }

    /// How many of it a price is for: 1,000,000 tokens, 1,000 searches, 3,600 seconds.
    pub fn per(self) -> u32 {
        self.def().per
    }

    /// Whether the other unit is a part of this one, or the same.
    pub fn covers(self, other: Unit) -> bool {
        let parts = other.def().dimensions;
        self.def()
            .dimensions
            .iter()
            .all(|dimension| parts.contains(dimension))
    }

    /// How narrow it is.
    pub(super) fn depth(self) -> usize {
        self.def().dimensions.len()
    }

    pub(super) fn has(self, dimension: &str) -> bool {
        self.def().dimensions.contains(&dimension)
    }

    fn def(self) -> &'static Def {
        &DEFS[usize::from(self.0)]
    }
}

/// What an exchange used, by unit. A part is also counted in its whole: `input` is the total, and
/// cache reads are in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantities([u64; DEFS.len()]);

impl Default for Quantities {
    fn default() -> Quantities {
        Quantities([0; DEFS.len()])
    }
}

impl Quantities {
    /// How much of a unit; 0 if it was not told.
    pub fn get(&self, unit: Unit) -> u64 {
        self.0[usize::from(unit.0)]
    }

    /// Sets how much of a unit was used.
    pub fn set(&mut self, unit: Unit, quantity: u64) {
        self.0[usize::from(unit.0)] = quantity;
    }

    /// The units that were used.
    pub fn used(&self) -> impl Iterator<Item = (Unit, u64)> {
        Unit::all()
            .map(|unit| (unit, self.get(unit)))
            .filter(|(_, quantity)| *quantity > 0)
    }
}

impl From<&Usage> for Quantities {
    fn from(usage: &Usage) -> Quantities {
        let mut quantities = Quantities::default();
        for (unit, quantity) in [
            (Unit::INPUT, usage.input),
            (Unit::CACHE_READ, usage.cache_read),
            (Unit::CACHE_WRITE, usage.cache_write),
            (Unit::OUTPUT, usage.output),
            (Unit::OUTPUT_REASONING, usage.reasoning),
        ] {
            quantities.set(unit, quantity);
        }
        quantities
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_what_they_say() {
        for (unit, name) in [
            (Unit::INPUT, "input"),
            (Unit::OUTPUT, "output"),
            (Unit::CACHE_READ, "cache_read"),
            (Unit::CACHE_WRITE, "cache_write"),
            (Unit::CACHE_WRITE_1H, "cache_write_1h"),
            (Unit::OUTPUT_REASONING, "output_reasoning"),
        ] {
            assert_eq!(unit.name(), name);
            assert_eq!(Unit::named(name), Some(unit));
        }
    }

    #[test]
    fn parts_are_covered_by_their_wholes() {
        let unit = |name| Unit::named(name).unwrap();
        for (whole, part, covers) in [
            ("input", "cache_write_1h", true),
            ("cache_write", "cache_write_1h", true),
            ("cache_write_1h", "cache_write", false),
            ("input", "input", true),
            ("input_audio", "cache_audio_read", true),
            ("input", "output", false),
            ("input", "web_searches", false),
            ("audio_seconds", "input_audio_seconds", true),
        ] {
            assert_eq!(unit(whole).covers(unit(part)), covers, "{whole} {part}");
        }
    }
}
