use super::*;
use crate::edit::Edits;
use proptest::prelude::*;
use serde_json::Value;

fn report() -> JsonLimits {
    JsonLimits {
        duplicates: Duplicates::Report,
        ..JsonLimits::default()
    }
}

fn check(body: &[u8], limits: &JsonLimits) -> Result<usize, JsonError> {
    let mut events = 0;
    scan(body, limits, |_| {
        events += 1;
        Ok::<_, JsonError>(())
    })
    .map(|()| events)
}

fn kind(body: impl AsRef<[u8]>) -> JsonErrorKind {
    let error = check(body.as_ref(), &JsonLimits::default()).unwrap_err();
    assert!(error.offset <= body.as_ref().len());
    error.kind
}

/// Events as lines: path, token, text.
fn events(body: &str, limits: &JsonLimits) -> Vec<String> {
    let mut lines = Vec::new();
    scan(body.as_bytes(), limits, |event| {
        let path: String = event
            .path
            .iter()
            .map(|step| match step {
                Step::Key(key) => format!("/{key}"),
                Step::Index(index) => format!("/{index}"),
            })
            .collect();
        assert_eq!(&body[event.range.clone()], event.raw);
        lines.push(format!("{path} {:?} {}", event.token, event.raw));
        Ok::<_, JsonError>(())
    })
    .unwrap();
    lines
}

#[test]
fn reports_everything_with_path_and_range() {
    let body = r#" {"a": [1, "x", {"b\n": true}, [], -0.5e+3], "c": {"d":null , "e" :false} } "#;
    assert_eq!(
        events(body, &JsonLimits::default()),
        [
            " ObjectStart {",
            "/a Key a",
            "/a ArrayStart [",
            "/a/0 Number 1",
            "/a/1 String x",
            "/a/2 ObjectStart {",
            "/a/2/b\n Key b\\n",
            "/a/2/b\n Bool(true) true",
            r#"/a/2 ObjectEnd {"b\n": true}"#,
            "/a/3 ArrayStart [",
            "/a/3 ArrayEnd []",
            "/a/4 Number -0.5e+3",
            r#"/a ArrayEnd [1, "x", {"b\n": true}, [], -0.5e+3]"#,
            "/c Key c",
            "/c ObjectStart {",
            "/c/d Key d",
            "/c/d Null null",
            "/c/e Key e",
            "/c/e Bool(false) false",
            r#"/c ObjectEnd {"d":null , "e" :false}"#,
            &format!(" ObjectEnd {}", body.trim()),
        ]
    );
    assert_eq!(events(" \"x\" ", &report()), [" String x"]);
}

#[test]
fn refuses_with_kind_and_offset() {
    use JsonErrorKind::*;
    for (body, kind, offset) in [
        ("", End, 0),
        (" ", End, 1),
        ("{\"a\":1} x", Trailing, 8),
        ("{} {}", Trailing, 3),
        ("\u{feff}{}", Expected("a value"), 0),
        ("{a:1}", Expected("a key in quotes"), 1),
        ("{\"a\" 1}", Expected("`:`"), 5),
        ("{\"a\":1,}", Expected("a key in quotes"), 7),
        ("{\"a\":1 \"b\"", Expected("`,` or `}`"), 7),
        ("[1 2]", Expected("`,` or `]`"), 3),
        ("[1,]", Expected("a value"), 3),
        ("[1}", Expected("`,` or `]`"), 2),
        ("{\"a\":1]", Expected("`,` or `}`"), 6),
        ("[", End, 1),
        ("{\"a\":", End, 5),
        ("\"abc", End, 4),
        ("\"abc\\", End, 4),
        ("\"\\u12", End, 1),
        ("\"\\x\"", Escape, 1),
        ("\"\\u12g4\"", Escape, 1),
        ("\"\\ud800\"", Surrogate, 1),
        ("\"\\udc00\"", Surrogate, 1),
        ("\"\\ud800\\u0041\"", Surrogate, 1),
        ("\"\\ud800\\n\"", Surrogate, 1),
        ("\"a\nb\"", Control, 2),
        ("\"abcdefgh\u{1f}\"", Control, 9),
        ("tru", End, 0),
        ("trux", Expected("true"), 0),
        ("nul ", Expected("null"), 0),
        ("01", Number, 1),
        ("-", End, 1),
        ("-a", Number, 1),
        ("1.", End, 2),
        ("[1.]", Number, 3),
        ("1e+", End, 3),
        ("[1e]", Number, 3),
        ("1.5.1", Number, 3),
        ("0x10", Number, 1),
        ("+1", Expected("a value"), 0),
        ("NaN", Expected("a value"), 0),
        ("{\"a\":1,\"b\":2,\"\\u0061\":3}", Duplicate, 14),
    ] {
        let error = check(body.as_bytes(), &JsonLimits::default()).unwrap_err();
        assert_eq!((error.kind, error.offset), (kind, offset), "{body:?}");
        assert!(!error.is_limit());
    }
    assert_eq!(kind(b"\"ab\xff\""), Utf8);
    assert_eq!(check(b"\"ab\xff\"", &report()).unwrap_err().offset, 3);
    assert_eq!(
        check(b"[1 2]", &report()).unwrap_err().to_string(),
        "expected `,` or `]` at byte 3"
    );
}

#[test]
fn duplicate_keys_are_reported_if_wanted() {
    let lines = events(r#"{"a":1,"\u0061":{"a":2},"b":3}"#, &report());
    assert_eq!(
        lines,
        [
            " ObjectStart {",
            "/a Key a",
            "/a Number 1",
            "/a Key \\u0061",
            "/a Duplicate \\u0061",
            "/a ObjectStart {",
            "/a/a Key a",
            "/a/a Number 2",
            "/a ObjectEnd {\"a\":2}",
            "/b Key b",
            "/b Number 3",
            r#" ObjectEnd {"a":1,"\u0061":{"a":2},"b":3}"#,
        ]
    );
}

#[test]
fn duplicate_keys_are_found_among_many() {
    let keys = |from: usize, to: usize| {
        (from..to)
            .map(|n| format!("\"k{n}\":{{\"k0\":0}},"))
            .collect::<String>()
    };
    assert!(
        check(
            format!("{{{}\"z\":1}}", keys(0, 500)).as_bytes(),
            &JsonLimits::default()
        )
        .is_ok()
    );
    for again in [0, 7, 16, 17, 499] {
        let body = format!("{{{}\"k{again}\":1}}", keys(0, 500));
        assert_eq!(kind(body), JsonErrorKind::Duplicate, "{again}");
    }
}

#[test]
fn limits_hold_exactly() {
    let limits = JsonLimits {
        bytes_max: 40,
        depth_max: 3,
        values_max: 7,
        ..JsonLimits::default()
    };
    for (body, expected) in [
        ("[[[1]]]", Ok(7)),
        ("[[[[1]]]]", Err(JsonErrorKind::TooDeep(3))),
        ("[{\"a\":[1]}]", Err(JsonErrorKind::TooMany(7))),
        ("[1,2,3,4,5]", Ok(7)),
        ("[1,2,3,4,5,6]", Err(JsonErrorKind::TooMany(7))),
        ("[                                     1]", Ok(3)),
        (
            "[                                      1]",
            Err(JsonErrorKind::TooLarge(40)),
        ),
    ] {
        let outcome = check(body.as_bytes(), &limits);
        assert!(outcome.is_ok() || outcome.unwrap_err().is_limit());
        assert_eq!(outcome.map_err(|error| error.kind), expected, "{body}");
    }
    // As deep as a body can be, without recursion.
    let deep = JsonLimits {
        depth_max: usize::MAX,
        ..JsonLimits::default()
    };
    let body = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
    assert_eq!(check(body.as_bytes(), &deep), Ok(2_000_000));
}

#[test]
fn visitor_can_stop_with_its_own_error() {
    #[derive(Debug)]
    enum Stop {
        Json,
        Enough,
    }
    impl From<JsonError> for Stop {
        fn from(_: JsonError) -> Self {
            Self::Json
        }
    }
    let stop = |body: &[u8]| {
        scan(body, &report(), |event| match event.token {
            Token::Number => Err(Stop::Enough),
            _ => Ok(()),
        })
    };
    assert!(matches!(stop(b"[1, broken"), Err(Stop::Enough)));
    assert!(matches!(stop(b"[broken"), Err(Stop::Json)));
}

#[test]
fn steps_show_no_keys() {
    let steps = [Step::Key("Ada Muster".into()), Step::Index(3)];
    assert_eq!(format!("{steps:?}"), "[Key(..), Index(3)]");
}

#[test]
fn ranges_inside_an_escape_are_widened() {
    let raw = "a\\u00e9\\ud83d\\ude00b";
    let text = decode(raw, 10).unwrap();
    assert_eq!(text.content, "a\u{e9}\u{1f600}b");
    let raw_of = |range: Range<usize>| {
        let raw_range = text.map.raw(range);
        &raw[raw_range.start - 10..raw_range.end - 10]
    };
    assert_eq!(raw_of(0..1), "a");
    assert_eq!(raw_of(1..3), "\\u00e9");
    assert_eq!(raw_of(2..2), "\\u00e9");
    assert_eq!(raw_of(2..5), "\\u00e9\\ud83d\\ude00");
    assert_eq!(raw_of(7..8), "b");
    assert_eq!(raw_of(1..1), "");
    assert_eq!(raw_of(8..8), "");
}

#[test]
fn edit_in_json_within_json() {
    let body = br#"{"arguments": "{\"to\": \"Zo\\u00eb \\\"Z\\\" M\u00fcller\", \"n\": 1.50}", "x":1e400}"#;
    let mut edits = Edits::new();
    scan(body, &JsonLimits::default(), |event| {
        if event.token == Token::String {
            let outer = event.decode()?;
            scan(outer.content.as_bytes(), &report(), |inner| {
                if inner.token == Token::String {
                    let text = inner.decode()?;
                    assert_eq!(text.content, "Zo\u{eb} \"Z\" M\u{fc}ller");
                    let map = text.map.compose(&outer.map);
                    edits
                        .replace(map.raw(0..text.content.len() - 1), "[PERSON_K7Q2MX]")
                        .unwrap();
                }
                Ok::<_, JsonError>(())
            })?;
        }
        Ok::<_, JsonError>(())
    })
    .unwrap();
    assert_eq!(
        edits.apply(body).unwrap(),
        r#"{"arguments": "{\"to\": \"[PERSON_K7Q2MX]r\", \"n\": 1.50}", "x":1e400}"#
    );
}

/// Writes text as the content of a JSON string, each character plain or escaped as `styles` say.
fn encode(text: &str, styles: &[u8]) -> String {
    let mut styles = styles.iter().cycle();
    let mut out = String::new();
    for c in text.chars() {
        let style = styles.next().copied().unwrap_or(0) % 4;
        let short = "\"\\/\u{8}\u{c}\n\r\t"
            .chars()
            .position(|escaped| escaped == c);
        let must = c < ' ' || c == '"' || c == '\\';
        match short {
            Some(place) if style == 1 || must && style != 2 => {
                out.push('\\');
                out.push(char::from(b"\"\\/bfnrt"[place]));
            }
            _ if must || style == 2 => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out += &format!("\\u{unit:04X}");
                }
            }
            _ => out.push(c),
        }
    }
    out
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,20}",
        "[\\x00-\\x20\"\\\\/a-c\u{e9}\u{4eba}\u{1f600}]{0,30}",
        any::<String>()
    ]
}

fn json() -> impl Strategy<Value = String> {
    let string = (text(), prop::collection::vec(any::<u8>(), 1..8))
        .prop_map(|(text, styles)| format!("\"{}\"", encode(&text, &styles)))
        .boxed();
    let leaf = prop_oneof![
        string.clone(),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?",
        prop::sample::select(vec!["true", "false", "null", "{}", "[ ]"]).prop_map(String::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let pair = (string.clone(), inner.clone()).prop_map(|(key, value)| key + " :" + &value);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(|items| format!("[{}]", items.join("\n,"))),
            prop::collection::vec(pair, 0..6)
                .prop_map(|pairs| format!("{{ {}}}", pairs.join(", "))),
        ]
    })
}

/// What `serde_json` says, but for numbers, which it converts and we do not.
fn serde_accepts(body: &[u8]) -> bool {
    match serde_json::from_slice::<Value>(body) {
        Ok(_) => true,
        Err(error) => error.to_string().starts_with("number out of range"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn accepts_what_serde_json_accepts(body in json()) {
        prop_assert!(check(body.as_bytes(), &report()).is_ok());
        prop_assert!(serde_accepts(body.as_bytes()));
    }

    #[test]
    fn refuses_what_serde_json_refuses(
        body in json(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0u8..4, any::<u8>()), 1..4),
    ) {
        let mut body = body.into_bytes();
        for (place, change, byte) in changes {
            let byte = match byte {
                128.. => b"\"\\{}[]:,01-+.eEu tn"[usize::from(byte) % 18],
                _ => byte,
            };
            let at = place.index(body.len() + 1);
            match change {
                0 => body.insert(at, byte),
                1 if at < body.len() => body[at] = byte,
                2 if at < body.len() => drop(body.remove(at)),
                3 => body.truncate(at),
                _ => {}
            }
        }
        // A number that is out of range ends serde_json's reading early: nothing to compare then.
        let serde = serde_json::from_slice::<Value>(&body);
        let range = serde.as_ref().is_err_and(|error| error.to_string().starts_with("number out of range"));
        let ours = check(&body, &report());
        if !range {
            prop_assert_eq!(ours.is_ok(), serde.is_ok(), "{:?} {:?}", ours, serde);
        }
        if let Err(error) = ours {
            prop_assert!(error.offset <= body.len());
        }
    }

    #[test]
    fn strings_decode_as_serde_json_does(body in json()) {
        scan(body.as_bytes(), &report(), |event| {
            if matches!(event.token, Token::String | Token::Key) {
                let quoted = &body[event.range.start - 1..event.range.end + 1];
                let text = event.decode()?;
                assert_eq!(text.content, serde_json::from_str::<String>(quoted).unwrap());
                assert_eq!(matches!(text.content, Cow::Borrowed(_)), !quoted.contains('\\'));
                if event.token == Token::Key {
                    assert!(event.path.last() == Some(&Step::Key(text.content)));
                }
            }
            Ok::<_, JsonError>(())
        })
        .unwrap();
    }

    #[test]
    fn raw_ranges_decode_to_the_decoded_ranges(
        inner in text(),
        around in (text(), text()),
        styles in prop::collection::vec(any::<u8>(), 1..12),
        base in 0usize..50,
    ) {
        // Text within a string within a string.
        let inner_raw = encode(&inner, &styles);
        let outer_text = format!("{}{inner_raw}{}", around.0, around.1);
        let outer_raw = encode(&outer_text, &styles[styles.len() / 2..]);
        let outer = decode(&outer_raw, base).unwrap();
        prop_assert_eq!(&outer.content, &outer_text);
        let once = decode(&inner_raw, around.0.len()).unwrap();
        prop_assert_eq!(&once.content, &inner);
        let map = once.map.compose(&outer.map);
        let boundaries: Vec<_> =
            inner.char_indices().map(|(at, _)| at).chain([inner.len()]).collect();
        for (index, &from) in boundaries.iter().enumerate() {
            for &to in &boundaries[index..] {
                let range = once.map.raw(from..to);
                prop_assert_eq!(&decode(&outer_text[range], 0).unwrap().content, &inner[from..to]);
                let range = map.raw(from..to);
                let slice = decode(&outer_raw[range.start - base..range.end - base], 0).unwrap();
                prop_assert_eq!(&decode(&slice.content, 0).unwrap().content, &inner[from..to]);
            }
        }
    }
}
