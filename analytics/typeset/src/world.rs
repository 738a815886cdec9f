//! All that a template can reach: the document's own files and fonts, in memory.

use crate::Error;
use crate::fonts::Fonts;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World, WorldExt};

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));

/// The world of one document.
pub(crate) struct Memory {
    main: FileId,
    files: HashMap<FileId, Bytes>,
    fonts: Fonts,
    date: Option<Datetime>,
}

impl Memory {
    pub(crate) fn new(
        files: BTreeMap<String, Bytes>,
        fonts: Fonts,
        date: Option<Datetime>,
    ) -> Result<Memory, Error> {
        let files = files
            .into_iter()
            .map(|(name, bytes)| Ok((id(&name)?, bytes)))
            .collect::<Result<_, Error>>()?;
        Ok(Memory {
            main: id("main.typ")?,
            files,
            fonts,
            date,
        })
    }

    /// What typst found wrong first, and where.
    pub(crate) fn explain(&self, found: &[SourceDiagnostic]) -> Error {
        let Some(first) = found.first() else {
            return Error::Template {
                file: "main.typ".to_owned(),
                line: 0,
                column: 0,
                message: "typst gave no reason".to_owned(),
            };
        };
        let file = first.span.id().unwrap_or(self.main);
        let at = self.range(first.span).and_then(|range| {
            let source = self.source(file).ok()?;
            source.lines().byte_to_line_column(range.start)
        });
        let (line, column) = at.map_or((0, 0), |(line, column)| (line + 1, column + 1));
        let mut message = first.message.to_string();
        for hint in &first.hints {
            message.push_str("; ");
            message.push_str(&hint.v);
        }
        Error::Template {
            file: file.get().vpath().get_without_slash().to_owned(),
            line,
            column,
            message,
        }
    }
}

fn id(name: &str) -> Result<FileId, Error> {
    let path = VirtualPath::new(name).map_err(|_| Error::Name {
        name: name.to_owned(),
    })?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

impl World for Memory {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.fonts.book()
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        let bytes = self.file(id)?;
        let text = bytes.as_str().map_err(|_| FileError::InvalidUtf8)?;
        Ok(Source::new(id, text.to_owned()))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let not_found = || FileError::NotFound(id.get().vpath().get_with_slash().into());
        self.files.get(&id).cloned().ok_or_else(not_found)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index)
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        self.date
    }
}
