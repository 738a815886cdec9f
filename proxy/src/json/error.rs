//! Why a body cannot be inspected as JSON.

#[cfg(doc)]
use super::JsonLimits;

/// Why a body is not JSON that can be inspected, and where. Nothing of the body is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct JsonError {
    /// What is wrong.
    pub kind: JsonErrorKind,
    /// Byte offset in what was scanned.
    pub offset: usize,
}

/// What is wrong with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonErrorKind {
    /// Larger than [`JsonLimits::bytes_max`].
    #[error("JSON text of more than {0} bytes")]
    TooLarge(usize),
    /// Deeper than [`JsonLimits::depth_max`].
    #[error("objects and arrays nested more than {0} deep")]
    TooDeep(usize),
    /// More than [`JsonLimits::values_max`].
    #[error("more than {0} values and keys")]
    TooMany(usize),
    /// Not UTF-8.
    #[error("invalid UTF-8")]
    Utf8,
    /// The text ends too early.
    #[error("unexpected end of JSON text")]
    End,
    /// Something else was expected here.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A number that RFC 8259 does not allow, such as `01` or `1.`.
    #[error("invalid number")]
    Number,
    /// A backslash in a string with something that JSON does not know behind it.
    #[error("invalid escape in a string")]
    Escape,
    /// Half of a UTF-16 pair.
    #[error("lone surrogate escape in a string")]
    Surrogate,
    /// A control character in a string that must be escaped.
    #[error("control character in a string")]
    Control,
    /// A key that its object already holds.
    #[error("duplicate key")]
    Duplicate,
    /// Something follows the value.
    #[error("trailing characters after the JSON value")]
    Trailing,
}

impl JsonError {
    /// Whether a limit was met, rather than a rule of JSON broken.
    pub fn is_limit(&self) -> bool {
        use JsonErrorKind::{TooDeep, TooLarge, TooMany};
        matches!(self.kind, TooLarge(_) | TooDeep(_) | TooMany(_))
    }
}
