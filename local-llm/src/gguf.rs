//! Reads the header of a GGUF file and judges whether it is plausible, so that a wrong, cut or
//! damaged file is refused with its reason and never reaches the C++ that would load it.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. Everything is
//! little-endian; lengths come from the file and are checked against what is left of it before
//! anything is allocated.

use crate::Error;
use std::collections::HashMap;
use std::ffi::CStr;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

/// More entries than any model has; a file that claims more is damaged.
const ENTRIES_MAX: u64 = 1 << 16;
/// Longest string kept, in bytes; chat templates are the longest by far.
const STRING_BYTES_MAX: u64 = 1 << 24;

/// What a model file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    /// The architecture, such as `llama`.
    pub architecture: String,
    /// The name that its makers gave it; empty if none.
    pub name: String,
    /// Parameters, counted over all tensors.
    pub parameters: u64,
    /// The quantisation, in llama.cpp's words, such as `Q4_1`.
    pub quantisation: String,
    /// Tokens of context it was trained for; 0 if the file does not tell.
    pub context_tokens: u32,
    /// Whether it carries a chat template; without one it cannot chat.
    pub has_chat_template: bool,
    /// Size of the file in bytes.
    pub file_bytes: u64,
}

/// Reads what a model file says of itself, and checks that it is whole.
///
/// # Errors
/// [`Error::Read`] if the file cannot be read, [`Error::Model`] with the reason if it is not a
/// language model in GGUF that is all there.
pub fn inspect_model(path: &Path) -> Result<ModelInfo, Error> {
    read_header(path).map(|header| header.info)
}

/// A header: what it says, and the chat template.
pub(crate) struct Header {
    pub(crate) info: ModelInfo,
    pub(crate) chat_template: Option<String>,
}

/// As [`inspect_model`], with the chat template.
pub(crate) fn read_header(path: &Path) -> Result<Header, Error> {
    let unreadable = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Error::Model {
            path: path.to_owned(),
            reason: "it is not a file".into(),
        });
    }
    parse(BufReader::with_capacity(1 << 16, file), metadata.len()).map_err(|fault| match fault {
        Fault::Io(source) => unreadable(source),
        Fault::Reason(reason) => Error::Model {
            path: path.to_owned(),
            reason,
        },
    })
}

enum Fault {
    Io(io::Error),
    Reason(String),
}

fn refuse<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Reason(reason.into()))
}

/// A value of the header that is of use here.
enum Value {
    Number(u64),
    Text(String),
    Other,
}

struct Reader<R> {
    inner: R,
    position: u64,
    len: u64,
}

impl<R: Read + Seek> Reader<R> {
    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        self.claim(N as u64)?;
        let mut buffer = [0; N];
        self.inner.read_exact(&mut buffer).map_err(Fault::Io)?;
        Ok(buffer)
    }

    fn u32(&mut self) -> Result<u32, Fault> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Fault> {
        self.bytes().map(u64::from_le_bytes)
    }

    /// Counts `count` bytes as read, if the file has that many left.
    fn claim(&mut self, count: u64) -> Result<(), Fault> {
        match self.position.checked_add(count) {
            Some(end) if end <= self.len => {
                self.position = end;
                Ok(())
            }
            _ => refuse("it ends within its header: the file is cut or damaged"),
        }
    }

    fn skip(&mut self, count: u64) -> Result<(), Fault> {
        self.claim(count)?;
        // `claim` holds it below the file's length, so it fits.
        self.inner.seek_relative(count as i64).map_err(Fault::Io)
    }

    fn text(&mut self) -> Result<String, Fault> {
        let count = self.u64()?;
        if count > STRING_BYTES_MAX {
            return refuse("a text in its header is over 16 MiB: the file is damaged");
        }
        self.claim(count)?;
        let mut buffer = vec![0; count as usize];
        self.inner.read_exact(&mut buffer).map_err(Fault::Io)?;
        Ok(String::from_utf8_lossy(&buffer).into_owned())
    }

    fn skip_text(&mut self) -> Result<(), Fault> {
        let count = self.u64()?;
        self.skip(count)
    }

    fn value(&mut self) -> Result<Value, Fault> {
        let kind = self.u32()?;
        Ok(match kind {
            8 => Value::Text(self.text()?),
            9 => {
                self.skip_array()?;
                Value::Other
            }
            4 => Value::Number(self.u32()?.into()),
            10 => Value::Number(self.u64()?),
            _ => {
                self.skip(scalar_bytes(kind)?)?;
                Value::Other
            }
        })
    }

    fn skip_array(&mut self) -> Result<(), Fault> {
        let kind = self.u32()?;
        let count = self.u64()?;
        if kind == 8 {
            // Each text takes at least its length, so a claimed count is bounded by the file.
            for _ in 0..count {
                self.skip_text()?;
            }
            return Ok(());
        }
        match count.checked_mul(scalar_bytes(kind)?) {
            Some(total) => self.skip(total),
            None => refuse("an array in its header is longer than any file"),
        }
    }
}

/// Bytes of a scalar of the header.
fn scalar_bytes(kind: u32) -> Result<u64, Fault> {
    match kind {
        0 | 1 | 7 => Ok(1),
        2 | 3 => Ok(2),
        4..=6 => Ok(4),
        10..=12 => Ok(8),
        other => refuse(format!("its header holds a value of unknown type {other}")),
    }
}

fn parse(inner: impl Read + Seek, len: u64) -> Result<Header, Fault> {
    let mut reader = Reader {
        inner,
        position: 0,
        len,
    };
    if len < 24 || &reader.bytes::<4>()? != b"GGUF" {
        return refuse("it is not GGUF (its first bytes are not \"GGUF\")");
    }
    let version = reader.u32()?;
    if !(2..=3).contains(&version) {
        return refuse(format!(
            "its GGUF version is {version}; 2 and 3 are understood"
        ));
    }
    let (tensors, entries) = (reader.u64()?, reader.u64()?);
    if tensors > ENTRIES_MAX || entries > ENTRIES_MAX {
        return refuse("it claims more entries than any model has: the file is damaged");
    }
    let mut values = HashMap::new();
    for _ in 0..entries {
        let key = reader.text()?;
        values.insert(key, reader.value()?);
    }
    let number = |key: &str| match values.get(key) {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    };
    let text = |key: &str| match values.get(key) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };

    let Some(architecture) = text("general.architecture").filter(|a| !a.is_empty()) else {
        return refuse("it does not name its architecture");
    };
    match text("general.type").as_deref() {
        None | Some("model") => {}
        Some(other) => return refuse(format!("it holds a {other:?}, not a model")),
    }
    if text("tokenizer.ggml.model").is_none() {
        return refuse("it has no tokenizer, so it is not a language model");
    }
    if tensors == 0 {
        return refuse("it has no tensors: it is a vocabulary only");
    }
    let alignment = number("general.alignment").unwrap_or(32);
    if !alignment.is_power_of_two() || alignment > 1 << 20 {
        return refuse(format!(
            "its alignment of {alignment} is not a power of two"
        ));
    }

    let (mut parameters, mut data_bytes) = (0u64, 0u64);
    for _ in 0..tensors {
        let tensor = Tensor::read(&mut reader)?;
        parameters = parameters.saturating_add(tensor.elements);
        data_bytes = data_bytes.max(tensor.end);
    }
    let needed = reader
        .position
        .next_multiple_of(alignment)
        .checked_add(data_bytes);
    if needed.is_none_or(|needed| needed > len) {
        return refuse(format!(
            "it is cut: {len} bytes are there, {} are needed",
            needed.unwrap_or(u64::MAX)
        ));
    }

    let chat_template = text("tokenizer.chat_template").filter(|t| !t.trim().is_empty());
    let context = number(&format!("{architecture}.context_length")).unwrap_or(0);
    Ok(Header {
        info: ModelInfo {
            name: text("general.name").unwrap_or_default(),
            parameters,
            quantisation: quantisation(number("general.file_type")),
            context_tokens: u32::try_from(context).unwrap_or(u32::MAX),
            has_chat_template: chat_template.is_some(),
            file_bytes: len,
            architecture,
        },
        chat_template,
    })
}

/// What is of use of a tensor's entry.
struct Tensor {
    elements: u64,
    /// Where its bytes end, counted from the beginning of the data.
    end: u64,
}

impl Tensor {
    fn read<R: Read + Seek>(reader: &mut Reader<R>) -> Result<Self, Fault> {
        reader.skip_text()?;
        let dimensions = reader.u32()?;
        if !(1..=4).contains(&dimensions) {
            return refuse(format!(
                "a tensor claims {dimensions} dimensions; 1 to 4 are possible"
            ));
        }
        let mut elements = 1u64;
        let mut row = 0;
        for dimension in 0..dimensions {
            let size = reader.u64()?;
            if dimension == 0 {
                row = size;
            }
            elements = match elements.checked_mul(size) {
                Some(product) if product > 0 && product <= i64::MAX as u64 => product,
                _ => return refuse("a tensor has an impossible size: the file is damaged"),
            };
        }
        let (block, bytes) = block_of(reader.u32()?)?;
        if row % block != 0 {
            return refuse("a tensor's rows are not whole blocks: the file is damaged");
        }
        let offset = reader.u64()?;
        let end = (elements / block)
            .checked_mul(bytes)
            .and_then(|size| size.checked_add(offset));
        match end {
            Some(end) => Ok(Self { elements, end }),
            None => refuse("a tensor lies beyond any file: the file is damaged"),
        }
    }
}

/// Elements and bytes of one block of a tensor type.
fn block_of(kind: u32) -> Result<(u64, u64), Fault> {
    if kind >= llama_cpp_sys_2::GGML_TYPE_COUNT {
        return refuse(format!("a tensor is of unknown type {kind}"));
    }
    // SAFETY: both functions look `kind`, which is in range, up in a constant table.
    let (block, bytes) = unsafe {
        (
            llama_cpp_sys_2::ggml_blck_size(kind),
            llama_cpp_sys_2::ggml_type_size(kind),
        )
    };
    match u64::try_from(block) {
        Ok(block) if block > 0 && bytes > 0 => Ok((block, bytes as u64)),
        _ => refuse(format!(
            "a tensor is of type {kind}, which is no longer supported"
        )),
    }
}

/// llama.cpp's name of a quantisation.
fn quantisation(file_type: Option<u64>) -> String {
    let Some(file_type) = file_type.and_then(|number| u32::try_from(number).ok()) else {
        return "unknown".into();
    };
    // SAFETY: it takes any number and returns a constant, zero-terminated text.
    let name = unsafe {
        let name = llama_cpp_sys_2::llama_ftype_name(file_type);
        if name.is_null() {
            c"unknown"
        } else {
            CStr::from_ptr(name)
        }
    };
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::model_path;
    use proptest::prelude::*;
    use std::io::{Cursor, Write};

    #[test]
    fn the_real_model_is_read() {
        let info = inspect_model(&model_path()).unwrap();
        assert_eq!(info.architecture, "llama");
        assert!(info.name.contains("135M"), "{}", info.name);
        assert_eq!(info.parameters, 134_515_008);
        assert_eq!(info.quantisation, "Q4_1");
        assert_eq!(info.context_tokens, 8192);
        assert!(info.has_chat_template);
        assert_eq!(
            info.file_bytes,
            std::fs::metadata(model_path()).unwrap().len()
        );
    }

    fn reason(bytes: &[u8]) -> String {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        match inspect_model(file.path()) {
            Err(Error::Model { reason, .. }) => reason,
            Err(other) => panic!("{other}"),
            Ok(info) => panic!("accepted: {info:?}"),
        }
    }

    #[test]
    fn wrong_files_are_refused_with_the_reason() {
        assert!(reason(b"").contains("not GGUF"));
        assert!(reason(b"PK\x03\x04 an archive, not a model at all").contains("not GGUF"));
        let mut version = b"GGUF".to_vec();
        version.extend(99u32.to_le_bytes());
        version.extend([0; 16]);
        assert!(reason(&version).contains("version is 99"));
        let mut entries = b"GGUF\x03\0\0\0".to_vec();
        entries.extend(u64::MAX.to_le_bytes());
        entries.extend(1u64.to_le_bytes());
        assert!(reason(&entries).contains("more entries"));
        let mut empty = b"GGUF\x03\0\0\0".to_vec();
        empty.extend([0; 16]);
        assert!(reason(&empty).contains("architecture"));
    }

    #[test]
    fn a_cut_model_is_refused_wherever_it_is_cut() {
        let mut head = vec![0; 4 << 20];
        File::open(model_path())
            .unwrap()
            .read_exact(&mut head)
            .unwrap();
        assert!(reason(&head).contains("it is cut"));
        assert!(reason(&head[..1000]).contains("within its header"));
        let missing = inspect_model(Path::new("no-such-model.gguf")).unwrap_err();
        assert!(matches!(missing, Error::Read { .. }));
        let folder = inspect_model(Path::new("."));
        assert!(matches!(
            folder,
            Err(Error::Model { .. } | Error::Read { .. })
        ));
    }

    proptest! {
        /// Damage anywhere in the header is refused or read; it neither panics nor hangs.
        #[test]
        fn damage_is_survived(at in 4usize..3000, byte: u8, cut in 24usize..3000) {
            let mut head = vec![0; 3000];
            File::open(model_path()).unwrap().read_exact(&mut head).unwrap();
            head[at] = byte;
            head.truncate(cut);
            let len = head.len() as u64;
            prop_assert!(parse(Cursor::new(head), len).is_err());
        }
    }
}
