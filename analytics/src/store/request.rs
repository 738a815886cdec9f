//! An HTTP request as a job for the engine.

use super::engine::Job;
use super::reply::Refusal;
use super::statement::{Statement, Unclear};
use super::{Config, settings};
use axum::http::{HeaderMap, Method, header};

/// The format of results where nobody names one, as with ClickHouse.
const DEFAULT_FORMAT: &str = "TabSeparated";

/// A job, and the format that its answer will have.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) job: Job,
    pub(super) format: String,
    pub(super) query_id: Option<String>,
}

impl Request {
    pub(super) fn new(
        config: &Config,
        method: &Method,
        headers: &HeaderMap,
        parameters: &[(String, String)],
        body: &[u8],
    ) -> Result<Request, Refusal> {
        let parameter = |name: &str| {
            let found = parameters
                .iter()
                .find(|(n, value)| n == name && !value.is_empty());
            found.map(|(_, value)| value.as_str())
        };
        let header = |name: &str| headers.get(name)?.to_str().ok();
        for name in ["compress", "decompress"] {
            if parameter(name).is_some_and(|value| value != "0") {
                return Err(Refusal::compression());
            }
        }
        if header(header::CONTENT_ENCODING.as_str()).is_some_and(|coding| coding != "identity") {
            return Err(Refusal::compression());
        }
        let default_format = parameter("default_format").or_else(|| header("x-clickhouse-format"));
        let statement = parameter("query").unwrap_or_default();
        let statement =
            Statement::parse(statement, body, default_format).map_err(|unclear| match unclear {
                Unclear::Empty => Refusal::syntax("Empty query"),
                Unclear::NotUtf8 => Refusal::syntax("the query is not UTF-8"),
                Unclear::Several => Refusal::syntax("Multi-statements are not allowed"),
            })?;
        let default_format = default_format.unwrap_or(DEFAULT_FORMAT);
        let format = match &statement {
            Statement::Query {
                format: Some(format),
                ..
            } => format,
            _ => default_format,
        };
        Ok(Request {
            format: format.to_owned(),
            query_id: parameter("query_id").map(str::to_owned),
            job: Job {
                format: default_format.to_owned(),
                database: parameter("database")
                    .or_else(|| header("x-clickhouse-database"))
                    .map(str::to_owned),
                settings: settings::effective(config, method != Method::POST, parameters),
                params: parameters
                    .iter()
                    .filter_map(|(name, value)| {
                        Some((name.strip_prefix("param_")?.to_owned(), value.clone()))
                    })
                    .collect(),
                statement,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(
        parameters: &[(&str, &str)],
        headers: &[(&'static str, &str)],
    ) -> Result<Request, Refusal> {
        let own = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let parameters: Vec<_> = parameters.iter().map(own).collect();
        Request::new(
            &Config::new("lib", "dir"),
            &Method::POST,
            &map,
            &parameters,
            b"SELECT 1",
        )
    }

    #[test]
    fn the_format_is_the_statements_or_the_parameters_or_the_headers() {
        let header = [("x-clickhouse-format", "CSV")];
        let parameter = ("default_format", "JSON");
        let clause = ("query", "SELECT 2 FORMAT XML --");
        assert_eq!(request(&[], &[]).unwrap().format, "TabSeparated");
        assert_eq!(request(&[], &header).unwrap().format, "CSV");
        assert_eq!(request(&[parameter], &header).unwrap().format, "JSON");
        assert_eq!(
            request(&[parameter, clause], &header).unwrap().format,
            "XML"
        );
    }

    #[test]
    fn compression_is_refused_only_where_it_is_insisted_on() {
        assert!(request(&[("compress", "1")], &[]).is_err());
        assert!(request(&[("decompress", "1")], &[]).is_err());
        assert!(request(&[], &[("content-encoding", "gzip")]).is_err());
        assert!(request(&[("compress", "0")], &[("content-encoding", "identity")]).is_ok());
        assert!(
            request(
                &[("enable_http_compression", "1")],
                &[("accept-encoding", "gzip")]
            )
            .is_ok()
        );
    }

    #[test]
    fn database_and_parameters_are_taken_along() {
        let request = request(
            &[("database", "d"), ("param_x", "1"), ("query_id", "q")],
            &[],
        );
        let request = request.unwrap();
        assert_eq!(request.job.database.as_deref(), Some("d"));
        assert_eq!(request.job.params, [("x".to_owned(), "1".to_owned())]);
        assert_eq!(request.query_id.as_deref(), Some("q"));
    }
}
