//! Which of a caller's settings reach the engine.

use super::Config;

/// Passed on as they are; none can lift a limit or reach outside of the store.
const HARMLESS: [&str; 19] = [
    "date_time_input_format",
    "date_time_output_format",
    "extremes",
    "group_by_overflow_mode",
    "insert_deduplicate",
    "insert_deduplication_token",
    "insert_null_as_default",
    "join_use_nulls",
    "limit",
    "log_comment",
    "max_block_size",
    "max_insert_block_size",
    "max_rows_to_read",
    "offset",
    "prefer_column_name_to_alias",
    "query_plan_enable_optimizations",
    "select_sequential_consistency",
    "session_timezone",
    "use_query_cache",
];

/// Families passed on as they are.
const HARMLESS_PREFIXES: [&str; 4] = ["describe_", "input_format_", "output_format_", "format_"];

/// The settings to run a request with: our limits, lowered where the caller asks for less, and
/// the caller's harmless ones. All others (a client's habits such as `session_id` or
/// `enable_http_compression`, or what only a whole server knows) are ignored.
pub(super) fn effective(
    config: &Config,
    read_only: bool,
    asked: &[(String, String)],
) -> Vec<(String, String)> {
    let limits = [
        ("max_threads", u64::from(config.threads)),
        ("max_memory_usage", config.memory_bytes_max),
        ("max_execution_time", u64::from(config.query_seconds_max)),
        ("max_result_bytes", config.result_bytes_max),
    ];
    let mut settings: Vec<(String, String)> = limits
        .iter()
        .map(|&(name, limit)| {
            let lower = asked
                .iter()
                .filter(|(asked, _)| asked == name)
                .filter_map(|(_, value)| value.parse().ok())
                // 0 means "no limit", which is not for the caller to say.
                .find(|&value| 0 < value && value < limit);
            (name.to_owned(), lower.unwrap_or(limit).to_string())
        })
        .collect();
    // One insert is one block, and answered only when it is stored.
    settings.push(("async_insert".into(), "0".into()));
    for (name, value) in asked {
        let plain = name
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
        let harmless = HARMLESS.contains(&name.as_str())
            || HARMLESS_PREFIXES
                .iter()
                .any(|prefix| name.starts_with(prefix));
        if plain && harmless {
            settings.push((name.clone(), value.clone()));
        }
    }
    if read_only
        || asked
            .iter()
            .any(|(name, value)| name == "readonly" && value != "0")
    {
        // 2: reading, with settings of one's own; 1 would refuse those that clients send.
        settings.push(("readonly".into(), "2".into()));
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(read_only: bool, asked: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
        let config = Config::new("lib", "dir");
        effective(
            &config,
            read_only,
            &asked.iter().map(own).collect::<Vec<_>>(),
        )
    }

    fn value<'a>(settings: &'a [(String, String)], name: &str) -> Option<&'a str> {
        settings
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    #[test]
    fn limits_can_be_lowered_only() {
        for (asked, expected) in [("1", "1"), ("2", "2"), ("64", "2"), ("0", "2"), ("x", "2")] {
            let settings = run(false, &[("max_threads", asked)]);
            assert_eq!(value(&settings, "max_threads"), Some(expected), "{asked}");
        }
    }

    #[test]
    fn strangers_are_ignored_and_friends_passed() {
        let settings = run(
            false,
            &[
                ("session_id", "x"),
                ("allow_introspection_functions", "1"),
                ("output_format_json_quote_64bit_integers", "0"),
                ("format_x = 1, readonly", "0"),
                ("session_timezone", "UTC"),
            ],
        );
        assert_eq!(value(&settings, "session_id"), None);
        assert_eq!(value(&settings, "allow_introspection_functions"), None);
        assert_eq!(
            value(&settings, "output_format_json_quote_64bit_integers"),
            Some("0")
        );
        assert_eq!(value(&settings, "session_timezone"), Some("UTC"));
        assert!(settings.iter().all(|(name, _)| !name.contains(' ')));
    }

    #[test]
    fn reading_stays_reading() {
        assert_eq!(
            value(&run(true, &[("readonly", "0")]), "readonly"),
            Some("2")
        );
        assert_eq!(
            value(&run(false, &[("readonly", "1")]), "readonly"),
            Some("2")
        );
        assert_eq!(value(&run(false, &[]), "readonly"), None);
    }
}
