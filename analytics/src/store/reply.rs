//! Answers as ClickHouse gives them.

use super::engine::Answer;
use super::ffi::Output;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

const CODE_SYNTAX_ERROR: u32 = 62;

/// A request refused, by us or by the engine: ClickHouse's error code and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    code: u32,
    text: String,
}

impl Refusal {
    pub(super) fn new(code: u32, name: &str, message: &str) -> Refusal {
        Refusal {
            code,
            text: format!("Code: {code}. DB::Exception: {message}. ({name})"),
        }
    }

    pub(super) fn syntax(message: &str) -> Refusal {
        Refusal::new(CODE_SYNTAX_ERROR, "SYNTAX_ERROR", message)
    }

    pub(super) fn compression() -> Refusal {
        Refusal::new(48, "NOT_IMPLEMENTED", "Compression is not offered here")
    }

    pub(super) fn authentication() -> Refusal {
        let message = "Authentication failed: password is incorrect, or there is none";
        Refusal::new(516, "AUTHENTICATION_FAILED", message)
    }

    pub(super) fn busy() -> Refusal {
        Refusal::new(
            202,
            "TOO_MANY_SIMULTANEOUS_QUERIES",
            "Too many requests at a time",
        )
    }

    pub(super) fn too_long(limit: usize) -> Refusal {
        let message = format!("The request's body is over the limit of {limit} bytes");
        Refusal::new(307, "TOO_MANY_BYTES", &message)
    }

    pub(super) fn incomplete() -> Refusal {
        Refusal::new(
            210,
            "NETWORK_ERROR",
            "The request's body did not arrive whole",
        )
    }

    pub(super) fn closing() -> Refusal {
        Refusal::new(394, "QUERY_WAS_CANCELLED", "The store is shutting down")
    }

    /// The engine's own text, which may name its code twice.
    fn of_engine(text: String) -> Refusal {
        let digits = text
            .strip_prefix("Code: ")
            .and_then(|rest| rest.split('.').next());
        let code = digits.and_then(|digits| digits.parse().ok());
        match code {
            Some(code) => Refusal { code, text },
            None => Refusal::new(1001, "STD_EXCEPTION", &text),
        }
    }

    /// The status that ClickHouse's HTTP handler gives for the code.
    fn status(&self) -> StatusCode {
        match self.code {
            516 => StatusCode::UNAUTHORIZED,
            497 => StatusCode::FORBIDDEN,
            // Unknown table, database, function, setting, column.
            60 | 81 | 46 | 115 | 47 => StatusCode::NOT_FOUND,
            159 | 210 => StatusCode::REQUEST_TIMEOUT,
            307 => StatusCode::PAYLOAD_TOO_LARGE,
            48 => StatusCode::NOT_IMPLEMENTED,
            202 | 394 => StatusCode::SERVICE_UNAVAILABLE,
            // Syntax, types, values that do not parse, unknown format, read-only.
            6 | 26 | 27 | 33 | 38 | 41 | 43 | 53 | 62 | 69 | 72 | 73 | 117 | 164 | 456 => {
                StatusCode::BAD_REQUEST
            }
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(super) fn response(self) -> Response {
        let code = HeaderValue::from(self.code);
        let mut response = plain(self.status(), format!("{}\n", self.text));
        response
            .headers_mut()
            .insert("x-clickhouse-exception-code", code);
        if matches!(self.code, 516 | 202 | 210 | 307) {
            // Refused before the body was read: what follows on the connection is no request.
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        if self.code == 516 {
            let challenge = HeaderValue::from_static("Basic realm=\"tollgate store\"");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// A text of our own.
pub(super) fn plain(status: StatusCode, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

/// The engine's answer; `format` is the one it has if it is a result.
pub(super) fn answer(answer: Answer, format: &str, query_id: Option<&str>) -> Response {
    let mut response = match answer {
        Ok(output) => result(output, format),
        Err(text) => Refusal::of_engine(text).response(),
    };
    let query_id = query_id.and_then(|id| HeaderValue::from_str(id).ok());
    if let Some(query_id) = query_id {
        response
            .headers_mut()
            .insert("x-clickhouse-query-id", query_id);
    }
    response
}

fn result(output: Output, format: &str) -> Response {
    let Output {
        bytes,
        rows_read,
        bytes_read,
        rows_written,
        bytes_written,
    } = output;
    let summary = format!(
        r#"{{"read_rows":"{rows_read}","read_bytes":"{bytes_read}","written_rows":"{rows_written}","written_bytes":"{bytes_written}"}}"#
    );
    let content_type = match format {
        "JSON" | "JSONCompact" => "application/json; charset=UTF-8",
        "JSONEachRow" => "application/x-ndjson; charset=UTF-8",
        "CSV" | "CSVWithNames" => "text/csv; charset=UTF-8",
        f if f.starts_with("TabSeparated") || f.starts_with("TSV") => {
            "text/tab-separated-values; charset=UTF-8"
        }
        f if f.starts_with("Pretty") || f == "Vertical" => "text/plain; charset=UTF-8",
        _ => "application/octet-stream",
    };
    let mut response = Response::new(Body::from(bytes));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (HeaderName::from_static("x-clickhouse-format"), text(format)),
        (
            HeaderName::from_static("x-clickhouse-summary"),
            text(&summary),
        ),
    ];
    response.headers_mut().extend(headers);
    response
}

fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_keep_the_engines_code_and_text() {
        let text = "Code: 60. DB::Exception: Table x.y does not exist. (UNKNOWN_TABLE)";
        let response = Refusal::of_engine(text.into()).response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()["x-clickhouse-exception-code"], "60");
        let response = Refusal::of_engine("out of order".into()).response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()["x-clickhouse-exception-code"], "1001");
    }
}
