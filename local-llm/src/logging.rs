//! llama.cpp's own messages go to `tracing` at debug level, under the target `llama_cpp`, and
//! only while a model loads: later ones may quote tokens, which are text of a prompt.

use std::ffi::{CStr, c_char, c_void};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static LOADING: AtomicBool = AtomicBool::new(false);

/// Takes llama.cpp's messages away from stderr. Call before anything else of it.
pub(crate) fn capture() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the callback is a plain function that needs no data and lives for ever. ggml's
        // must be set after llama's, which sets both.
        unsafe {
            llama_cpp_sys_2::llama_log_set(Some(forward), std::ptr::null_mut());
            llama_cpp_sys_2::ggml_log_set(Some(forward), std::ptr::null_mut());
        }
    });
}

/// Lets messages through until it is dropped.
pub(crate) struct Loading(());

impl Loading {
    pub(crate) fn begin() -> Self {
        LOADING.store(true, Relaxed);
        Self(())
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        LOADING.store(false, Relaxed);
    }
}

unsafe extern "C" fn forward(
    _level: llama_cpp_sys_2::ggml_log_level,
    text: *const c_char,
    _data: *mut c_void,
) {
    if text.is_null() || !LOADING.load(Relaxed) {
        return;
    }
    // SAFETY: llama.cpp passes a zero-terminated text that outlives the call.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    let text = text.trim();
    if !text.is_empty() {
        tracing::debug!(target: "llama_cpp", "{text}");
    }
}
