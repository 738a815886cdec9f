//! Sets a [typst](https://typst.app/docs/) template and its data as a PDF.
//!
//! ```text
//!  template (.typ, ours) ──┐
//!  data (JSON)             ├─► Document::set ─► Paper { pdf, pages }
//!  pictures (SVG)          │
//!  date ───────────────────┘
//! ```
//!
//! Everything comes from memory: no file, no font of the system, no package, no clock and no network
//! can be reached from a template. So the same document gives the same bytes on every machine.
//!
//! ```
//! use tollgate_typeset::Document;
//!
//! let template = r#"
//!     #import "/house.typ": house, grid-table
//!     #let data = json("/data.json")
//!     #show: house.with(title: "Spend by team", foot: "Example Ltd")
//!     = Spend
//!     #grid-table(columns: (1fr, auto), heads: ([Team], [USD]), rows: data.teams)
//! "#;
//! let data = serde_json::json!({ "teams": [["research #1", "12.00"], ["*sales*", "3.50"]] });
//! let paper = Document::new(template)
//!     .dated("2026-11-01T00:00:00Z".parse()?)
//!     .data("data.json", &data)?
//!     .set()?;
//! assert!(paper.pdf.starts_with(b"%PDF-"));
//! assert!(paper.pages[0].contains("research #1"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Names cannot become markup.** A template gets what varies as data, by `json("/…")`, and a string
//! of data is set as it is, whatever it holds. Never build a template from data, and use no `eval` in
//! one. Pictures are made by our own code, which escapes what it writes into them.
//!
//! **Nothing is set as an empty box.** The fonts built in have Latin, Greek, Cyrillic, Hebrew (serif)
//! and Arabic, Armenian, Georgian (monospaced, as the fallback). A character that no font has is
//! written as its code point, `[U+4E2D]`, so that two names never look the same; with
//! [`Document::fonts`] more scripts can be set. Controls that turn the direction of text are written
//! so too, because they can make a name read as another.
//!
//! **What the house gives.** `/house.typ` is there for every template: the page with its head, foot
//! and page numbers, headings, cards, tables whose heads are repeated on each page, and the marks of a
//! figure's standing. Its functions are described in that file.

mod error;
mod fonts;
mod legible;
mod world;

pub use error::Error;

use fonts::Fonts;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::BTreeMap;
use typst::foundations::{Bytes, Datetime, Smart};
use typst::layout::{Frame, FrameItem};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, Timestamp as PdfTimestamp};

/// The functions that all papers share.
const HOUSE: &str = include_str!("house.typ");

/// A document to be set: a template and what it reads.
#[derive(Clone, Debug)]
pub struct Document {
    made_on: Option<Timestamp>,
    files: BTreeMap<String, Bytes>,
    fonts: Fonts,
}

/// A document that was set.
#[derive(Clone, Debug)]
pub struct Paper {
    /// The file, with its text selectable and its structure tagged for screen readers.
    pub pdf: Vec<u8>,
    /// The words on each page, without those inside pictures: for tests and for searching.
    pub pages: Vec<String>,
}

impl Document {
    /// A document of the template `/main.typ`, with `/house.typ` beside it.
    pub fn new(template: &str) -> Document {
        Document {
            made_on: None,
            files: BTreeMap::new(),
            fonts: Fonts::built_in(),
        }
        .file("main.typ", template)
        .file("house.typ", HOUSE)
    }

    /// When it says that it was made, in the file's metadata and to `datetime.today()`. Without a
    /// date the file has none, and the template cannot ask for one.
    pub fn dated(mut self, at: Timestamp) -> Document {
        self.made_on = Some(at);
        self
    }

    /// Fonts beyond those built in, as the bytes of OpenType or TrueType files or collections; they
    /// are asked after the built-in ones. To be called before [`Document::data`], which looks at what
    /// can be set.
    ///
    /// # Errors
    /// [`Error::Font`] when one holds no font.
    pub fn fonts(mut self, files: impl IntoIterator<Item = Vec<u8>>) -> Result<Document, Error> {
        self.fonts = self.fonts.with(files)?;
        Ok(self)
    }

    /// Data that the template reads by `json("/name")`. Strings are made legible.
    ///
    /// # Errors
    /// [`Error::Data`] when it has no form in JSON.
    pub fn data(self, name: &str, data: &impl Serialize) -> Result<Document, Error> {
        let json = |source| Error::Data {
            name: name.to_owned(),
            source,
        };
        let mut value = serde_json::to_value(data).map_err(json)?;
        legible::value(&mut value, &self.fonts);
        let text = serde_json::to_string(&value).map_err(json)?;
        Ok(self.file(name, &text))
    }

    /// An SVG that the template shows by `image("/name")`, as vectors. Its text is made legible.
    pub fn picture(self, name: &str, svg: &str) -> Document {
        let svg = legible::text(svg, &self.fonts).into_owned();
        self.file(name, &svg)
    }

    /// Another template, which this one imports by `#import "/name"`.
    pub fn module(self, name: &str, template: &str) -> Document {
        self.file(name, template)
    }

    fn file(mut self, name: &str, text: &str) -> Document {
        let name = name.trim_start_matches('/').to_owned();
        self.files.insert(name, Bytes::from_string(text.to_owned()));
        self
    }

    /// Sets it. Pure: the same document gives the same bytes.
    ///
    /// # Errors
    /// [`Error::Template`] says where in which template what is wrong. A warning is an error too: our
    /// templates are to have none.
    pub fn set(self) -> Result<Paper, Error> {
        let date = self.made_on.and_then(utc);
        let world = world::Memory::new(self.files, self.fonts, date)?;
        let compiled = typst::compile::<PagedDocument>(&world);
        let exported = compiled
            .output
            .and_then(|document| {
                let options = PdfOptions {
                    creator: Smart::Custom(Some("Tollgate".to_owned())),
                    timestamp: date.map(PdfTimestamp::new_utc),
                    ..PdfOptions::default()
                };
                let pdf = typst_pdf::pdf(&document, &options)?;
                let pages = document.pages().iter().map(|page| words(&page.frame));
                Ok((pdf, pages.collect()))
            })
            .map_err(|errors| world.explain(&errors));
        let warned = match compiled.warnings.is_empty() {
            true => Ok(()),
            false => Err(world.explain(&compiled.warnings)),
        };
        // What was remembered for the next time is worth nothing: the next document differs.
        typst::comemo::evict(0);
        let (pdf, pages) = exported?;
        warned?;
        Ok(Paper { pdf, pages })
    }
}

fn utc(at: Timestamp) -> Option<Datetime> {
    let at = TimeZone::UTC.to_datetime(at);
    let small = |n: i8| u8::try_from(n).ok();
    Datetime::from_ymd_hms(
        at.year().into(),
        small(at.month())?,
        small(at.day())?,
        small(at.hour())?,
        small(at.minute())?,
        small(at.second())?,
    )
}

/// The words in a frame, a space between runs.
fn words(frame: &Frame) -> String {
    let mut into = String::new();
    collect(frame, &mut into);
    into
}

fn collect(frame: &Frame, into: &mut String) {
    for (_, item) in frame.items() {
        match item {
            FrameItem::Group(group) => collect(&group.frame, into),
            FrameItem::Text(text) => {
                into.push_str(&text.text);
                into.push(' ');
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
