/// Why nothing was set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A template is wrong, or asks for what is not there.
    #[error("{file}{}: {message}", place(*.line, *.column))]
    Template {
        /// Which: `main.typ`, or the name of a module.
        file: String,
        /// The line, from 1; 0 where typst does not tell.
        line: usize,
        /// The column, from 1; 0 where typst does not tell.
        column: usize,
        /// What is wrong, and typst's hints.
        message: String,
    },
    /// Data has no form in JSON.
    #[error("the data {name} cannot be written as JSON")]
    Data {
        /// Its name in the document.
        name: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A file is no font.
    #[error("font file number {number} holds no OpenType or TrueType font")]
    Font {
        /// Which of those given, from 1.
        number: usize,
    },
    /// A file's name cannot be a path in the document.
    #[error("{name:?} cannot be a file's name in a document")]
    Name {
        /// The name.
        name: String,
    },
}

fn place(line: usize, column: usize) -> String {
    match line {
        0 => String::new(),
        _ => format!(":{line}:{column}"),
    }
}
