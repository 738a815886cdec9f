//! The C API of libchdb, loaded at run time, made safe to call.
//!
//! Signatures as in the library's `chdb.h` (26.7). Rows to insert go through the insert stream:
//! `chdb_query_n` takes them inline too, but ends the data, without an error, at the first two
//! newline bytes in a row.

use super::Error;
use libloading::Library;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr;

#[repr(C)]
struct RawResult {
    _private: [u8; 0],
}

/// `chdb_connection`: the opaque handle; `chdb_connect` gives a pointer to one.
type RawConnection = *mut c_void;
type RawInsert = *mut c_void;

macro_rules! api {
    ($($name:ident: fn($($arg:ty),*) $(-> $ret:ty)?;)*) => {
        /// The functions of the library. Never unloaded: its threads outlive any handle.
        pub(super) struct Api {
            $($name: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)*
        }

        impl Api {
            /// Loads the library; takes about a second when its file is not in memory.
            pub(super) fn load(path: &Path) -> Result<Api, Error> {
                let failed = |source| Error::Library { path: path.to_owned(), source };
                // SAFETY: the file is the pinned, checksummed engine; its initialisers have no
                // preconditions.
                let library = unsafe { Library::new(path) }.map_err(failed)?;
                // Leaked on purpose, so that the function pointers stay valid for good.
                let library: &'static Library = Box::leak(Box::new(library));
                Ok(Api {
                    $($name: {
                        let name = concat!(stringify!($name), "\0");
                        // SAFETY: the type is the one declared in the library's header.
                        *unsafe { library.get(name.as_bytes()) }.map_err(failed)?
                    },)*
                })
            }
        }
    };
}

api! {
    chdb_set_signal_handlers_enabled: fn(c_int);
    chdb_connect: fn(c_int, *mut *mut c_char) -> *mut RawConnection;
    chdb_close_conn: fn(*mut RawConnection);
    chdb_shutdown: fn() -> c_int;
    chdb_query_with_params_n: fn(
        RawConnection, *const c_char, usize, *const c_char, usize,
        *const *const c_char, *const usize, *const *const c_char, *const usize, usize
    ) -> *mut RawResult;
    chdb_stream_insert_with_params_n: fn(
        RawConnection, *const c_char, usize, *const c_char, usize,
        *const *const c_char, *const usize, *const *const c_char, *const usize, usize
    ) -> RawInsert;
    chdb_stream_append: fn(RawInsert, *const c_void, usize) -> c_int;
    chdb_stream_done: fn(RawInsert) -> *mut RawResult;
    chdb_stream_insert_error: fn(RawInsert) -> *const c_char;
    chdb_destroy_insert_stream: fn(RawInsert);
    chdb_result_buffer: fn(*mut RawResult) -> *mut c_char;
    chdb_result_length: fn(*mut RawResult) -> usize;
    chdb_result_error: fn(*mut RawResult) -> *const c_char;
    chdb_result_storage_rows_read: fn(*mut RawResult) -> u64;
    chdb_result_storage_bytes_read: fn(*mut RawResult) -> u64;
    chdb_result_rows_written: fn(*mut RawResult) -> u64;
    chdb_result_bytes_written: fn(*mut RawResult) -> u64;
    chdb_destroy_query_result: fn(*mut RawResult);
}

/// What a statement gave.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) bytes: Vec<u8>,
    pub(super) rows_read: u64,
    pub(super) bytes_read: u64,
    pub(super) rows_written: u64,
    pub(super) bytes_written: u64,
}

/// Named values for `{name:Type}` in a query.
pub(super) type Params = Vec<(String, String)>;

impl Api {
    /// Leaves signal handling to this process; to be called before the first connection.
    pub(super) fn keep_our_signal_handlers(&self) {
        // SAFETY: has no precondition.
        unsafe { (self.chdb_set_signal_handlers_enabled)(0) }
    }

    /// Opens a connection; the first one starts the engine. `None` if the library refuses.
    pub(super) fn connect(&self, args: &[CString]) -> Option<Connection<'_>> {
        let mut argv: Vec<*mut c_char> = args.iter().map(|arg| arg.as_ptr().cast_mut()).collect();
        let argc = c_int::try_from(argv.len()).ok()?;
        // SAFETY: `argv` holds `argc` NUL-terminated strings that outlive the call; the library
        // copies what it keeps and, its parameter not being const notwithstanding, writes nothing.
        let raw = unsafe { (self.chdb_connect)(argc, argv.as_mut_ptr()) };
        (!raw.is_null()).then_some(Connection { api: self, raw })
    }

    /// Joins the engine's threads; after it, nothing can be opened any more. All connections must
    /// be closed. The process may exit without it, so its result does not matter.
    pub(super) fn shutdown(&self) {
        // SAFETY: by contract all connections are closed.
        unsafe { (self.chdb_shutdown)() };
    }

    /// Takes a result over: its content or its error.
    fn take(&self, raw: *mut RawResult) -> Result<Output, String> {
        if raw.is_null() {
            return Err("Code: 1001. DB::Exception: the engine gave no result".into());
        }
        // SAFETY: `raw` is a live result of this library; buffer and length belong together and
        // stay valid until it is destroyed, which happens last.
        unsafe {
            let error = text((self.chdb_result_error)(raw));
            let (buffer, len) = (
                (self.chdb_result_buffer)(raw),
                (self.chdb_result_length)(raw),
            );
            let bytes = if buffer.is_null() || len == 0 {
                Vec::new()
            } else {
                std::slice::from_raw_parts(buffer.cast::<u8>(), len).to_vec()
            };
            let output = Output {
                bytes,
                rows_read: (self.chdb_result_storage_rows_read)(raw),
                bytes_read: (self.chdb_result_storage_bytes_read)(raw),
                rows_written: (self.chdb_result_rows_written)(raw),
                bytes_written: (self.chdb_result_bytes_written)(raw),
            };
            (self.chdb_destroy_query_result)(raw);
            error.map_or(Ok(output), Err)
        }
    }
}

/// A session of its own: current database, settings. Closed when dropped. Not `Send`: it stays on
/// the engine's thread.
pub(super) struct Connection<'a> {
    api: &'a Api,
    raw: *mut RawConnection,
}

impl Connection<'_> {
    /// Runs one statement; errors are the engine's texts (`Code: N. DB::Exception: …`).
    pub(super) fn query(&self, sql: &str, format: &str, params: &Params) -> Result<Output, String> {
        let params = RawParams::new(params);
        // SAFETY: the connection is open; pointers and lengths describe live buffers.
        let raw = unsafe {
            (self.api.chdb_query_with_params_n)(
                *self.raw,
                sql.as_ptr().cast(),
                sql.len(),
                format.as_ptr().cast(),
                format.len(),
                params.names.as_ptr(),
                params.name_lens.as_ptr(),
                params.values.as_ptr(),
                params.value_lens.as_ptr(),
                params.names.len(),
            )
        };
        self.api.take(raw)
    }

    /// Inserts `data`, encoded in `format`, by `head`: an `INSERT` without `FORMAT` and `VALUES`.
    pub(super) fn insert(
        &self,
        head: &str,
        format: &str,
        params: &Params,
        data: &[u8],
    ) -> Result<Output, String> {
        let params = RawParams::new(params);
        // SAFETY: as in `query`; the stream is destroyed by the guard, whatever happens.
        unsafe {
            let stream = (self.api.chdb_stream_insert_with_params_n)(
                *self.raw,
                head.as_ptr().cast(),
                head.len(),
                format.as_ptr().cast(),
                format.len(),
                params.names.as_ptr(),
                params.name_lens.as_ptr(),
                params.values.as_ptr(),
                params.value_lens.as_ptr(),
                params.names.len(),
            );
            let stream = Insert {
                api: self.api,
                raw: stream,
            };
            if let Some(error) = stream.error() {
                return Err(error);
            }
            if !data.is_empty() {
                // A failure here is told, with its reason, when the stream is finished.
                (self.api.chdb_stream_append)(stream.raw, data.as_ptr().cast(), data.len());
            }
            let output = self.api.take((self.api.chdb_stream_done)(stream.raw))?;
            stream.error().map_or(Ok(output), Err)
        }
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        // SAFETY: open until here; all its results and streams are gone.
        unsafe { (self.api.chdb_close_conn)(self.raw) }
    }
}

struct Insert<'a> {
    api: &'a Api,
    raw: RawInsert,
}

impl Insert<'_> {
    fn error(&self) -> Option<String> {
        // SAFETY: the stream is live; the text is copied at once.
        unsafe { text((self.api.chdb_stream_insert_error)(self.raw)) }
    }
}

impl Drop for Insert<'_> {
    fn drop(&mut self) {
        // SAFETY: live until here; destroying cancels what is not finished.
        unsafe { (self.api.chdb_destroy_insert_stream)(self.raw) }
    }
}

/// Parameters as parallel arrays, borrowed from the strings they were made of.
struct RawParams {
    names: Vec<*const c_char>,
    name_lens: Vec<usize>,
    values: Vec<*const c_char>,
    value_lens: Vec<usize>,
}

impl RawParams {
    fn new(params: &Params) -> RawParams {
        RawParams {
            names: params
                .iter()
                .map(|(name, _)| name.as_ptr().cast())
                .collect(),
            name_lens: params.iter().map(|(name, _)| name.len()).collect(),
            values: params
                .iter()
                .map(|(_, value)| value.as_ptr().cast())
                .collect(),
            value_lens: params.iter().map(|(_, value)| value.len()).collect(),
        }
    }
}

/// # Safety
/// `raw` is null or a NUL-terminated string.
unsafe fn text(raw: *const c_char) -> Option<String> {
    if ptr::eq(raw, ptr::null()) {
        return None;
    }
    // SAFETY: by contract.
    let text = unsafe { CStr::from_ptr(raw) }
        .to_string_lossy()
        .into_owned();
    (!text.is_empty()).then_some(text)
}
