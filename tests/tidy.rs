//! Reads the source tree and holds what the compiler cannot: who must not know what, and a few
//! limits. [`RULES`] is the one table; an exception stands in it with its reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Words that must not stand in a part of the tree.
struct Rule {
    /// What the rule is for.
    why: &'static str,
    /// Files or directories that it is about.
    inside: &'static [&'static str],
    /// Words that must not stand there, outside tests and comments.
    words: &'static [&'static str],
    /// Files that are allowed to, each with its reason.
    except: &'static [(&'static str, &'static str)],
}

const RULES: &[Rule] = &[
    Rule {
        why: "redaction knows no HTTP, no JSON, no network and no clock",
        inside: &["redaction/src"],
        words: &[
            "serde_json",
            "http::",
            "axum",
            "reqwest",
            "hyper",
            "tokio",
            "TcpStream",
            "TcpListener",
            "UdpSocket",
            "SystemTime",
            "jiff",
            "chrono",
        ],
        except: &[(
            "redaction/src/ner/further.rs",
            "reads the descriptions of models",
        )],
    },
    Rule {
        why: "redaction opens no file but its rules and its model",
        inside: &["redaction/src"],
        words: &["fs::", "File::"],
        except: &[
            ("redaction/src/pattern/mod.rs", "lists the rule packs"),
            ("redaction/src/pack.rs", "reads a rule pack"),
            ("redaction/src/terms.rs", "reads a word list"),
            (
                "redaction/src/normalise/spoken.rs",
                "reads the words for signs",
            ),
            ("redaction/src/ner/rules.rs", "reads the model's rules"),
            (
                "redaction/src/ner/further.rs",
                "reads the descriptions of models",
            ),
            ("redaction/src/ner/runtime.rs", "reads a model"),
            ("redaction/src/names/lexicon.rs", "reads the name lists"),
        ],
    },
    Rule {
        why: "a policy is a pure function of facts",
        inside: &["proxy/src/policy"],
        words: &[
            "std::fs",
            "std::io",
            "std::net",
            "std::time",
            "std::env",
            "tokio",
            "pingora",
            "http::",
            "Instant",
            "SystemTime",
            "async ",
        ],
        except: &[],
    },
    Rule {
        why: "pingora stays at the edge",
        inside: &["proxy/src", "src"],
        words: &["pingora"],
        except: &[
            ("proxy/src/gateway.rs", "the downstream edge"),
            ("proxy/src/downstream.rs", "a caller's session"),
            ("proxy/src/body.rs", "reads a request's body"),
            ("proxy/src/egress.rs", "the upstream edge"),
            ("proxy/src/egress/gather.rs", "the upstream edge's stream"),
            ("proxy/src/intercept.rs", "CONNECT"),
        ],
    },
    Rule {
        why: "analytics and the dashboard hold no text, so they know nobody who does",
        inside: &["analytics/src", "tui/src"],
        words: &["tollgate_proxy", "tollgate_redaction", "tollgate_local_llm"],
        except: &[],
    },
    Rule {
        why: "the local model knows no policy",
        inside: &["local-llm/src"],
        words: &[
            "tollgate_proxy",
            "tollgate_redaction",
            "tollgate_analytics",
            "policy",
        ],
        except: &[],
    },
    Rule {
        why: "the environment is configuration, and configuration is read in few places",
        inside: &[
            "src",
            "proxy/src",
            "redaction/src",
            "analytics/src",
            "tui/src",
            "local-llm/src",
        ],
        words: &["env::var", "env::vars", "env::var_os"],
        except: &[
            ("src/runtime.rs", "TOLLGATE_RUNTIME"),
            (
                "src/supervise/mod.rs",
                "the few variables that a child inherits",
            ),
            (
                "src/supervise/child.rs",
                "the token that the parent hands over",
            ),
            ("proxy/src/credential.rs", "`env:NAME` of the configuration"),
            ("tui/src/lib.rs", "NO_COLOR and COLORFGBG"),
        ],
    },
    Rule {
        why: "the wall clock is read in few places",
        inside: &[
            "src",
            "proxy/src",
            "redaction/src",
            "analytics/src",
            "tui/src",
            "local-llm/src",
        ],
        words: &["SystemTime::now", "Timestamp::now", "Zoned::now"],
        except: &[
            ("src/clock.rs", "the commands' clock"),
            ("proxy/src/draft.rs", "when an exchange started"),
            ("proxy/src/endpoint/mod.rs", "when a request is signed"),
            ("local-llm/src/serve.rs", "`created` of an answer"),
            (
                "tui/src/lib.rs",
                "hands the time into the dashboard's state",
            ),
        ],
    },
];

/// Our crates that each of ours may depend on.
const DEPENDENCIES: &[(&str, &[&str])] = &[
    ("redaction", &[]),
    ("analytics", &["typeset"]),
    ("analytics/typeset", &[]),
    ("local-llm", &[]),
    ("tui", &["analytics"]),
    ("proxy", &["analytics", "redaction"]),
];

const CODE_LINES_MAX: usize = 700;
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Not ours to read: what `.gitignore` names, and git's own.
const SKIPPED: &[&str] = &[
    "target",
    ".git",
    ".runtime",
    "data",
    "node_modules",
    "__pycache__",
];

#[test]
fn nobody_knows_what_they_must_not() {
    let mut faults = Vec::new();
    let mut used = BTreeSet::new();
    for rule in RULES {
        for file in rule.inside.iter().flat_map(|dir| rust_files(dir)) {
            let excepted = rule.except.iter().any(|(name, _)| *name == file);
            for (number, line) in code_lines(&file) {
                let Some(word) = rule.words.iter().find(|word| line.contains(**word)) else {
                    continue;
                };
                if excepted {
                    used.insert((rule.why, file.clone()));
                } else {
                    faults.push(format!("{file}:{number}: `{word}`: {}", rule.why));
                }
            }
        }
        for (name, _) in rule.except {
            // An exception for a file that is still to come is fine; one for nothing is not.
            if root().join(name).exists() && !used.contains(&(rule.why, (*name).to_owned())) {
                faults.push(format!("{name} needs no exception any more: {}", rule.why));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn crates_depend_on_each_other_only_as_drawn() {
    for (name, allowed) in DEPENDENCIES {
        let manifest: toml::Table =
            toml::from_str(&read(&format!("{name}/Cargo.toml"))).expect("a manifest");
        let dependencies = manifest["dependencies"].as_table().expect("a table");
        let ours = dependencies
            .keys()
            .filter_map(|key| key.strip_prefix("tollgate-"));
        for dependency in ours {
            assert!(
                allowed.contains(&dependency),
                "{name} must not depend on {dependency}"
            );
        }
    }
}

#[test]
fn a_record_has_no_field_that_could_hold_text() {
    let forbidden = [
        "text",
        "prompt",
        "content",
        "message",
        "body",
        "answer",
        "input_text",
    ];
    let names: Vec<_> = code_lines("analytics/src/record.rs")
        .filter_map(|(_, line)| {
            let (name, _) = line.trim().strip_prefix("pub ")?.split_once(':')?;
            Some(name.to_owned())
        })
        .collect();
    assert!(names.len() > 20, "the fields were not found: {names:?}");
    for name in names {
        assert!(
            !forbidden.contains(&name.as_str()),
            "Record must not hold {name}"
        );
    }
}

#[test]
fn no_source_file_is_long_and_no_file_is_large() {
    let code = ["rs", "py", "mjs", "js", "sh", "sql", "css"];
    for file in files(Path::new("")) {
        let size = fs::metadata(root().join(&file)).expect("a file").len();
        assert!(
            size <= FILE_BYTES_MAX,
            "{file} has {size} bytes, more than {FILE_BYTES_MAX}"
        );
        if code
            .iter()
            .any(|extension| file.ends_with(&format!(".{extension}")))
        {
            let lines = read(&file).lines().count();
            assert!(
                lines <= CODE_LINES_MAX,
                "{file} has {lines} lines, more than {CODE_LINES_MAX}"
            );
        }
    }
}

#[test]
fn no_file_names_a_place_that_exists_here_only() {
    // In two pieces, so that this file does not name them.
    let places = [
        ["/wo", "rk/"],
        ["/ro", "ot/"],
        ["registry.npm", "js.org"],
        ["py", "pi.org"],
        ["pythonhost", "ed.org"],
    ]
    .map(|pieces| pieces.concat());
    let mut faults = Vec::new();
    for file in files(Path::new("")) {
        let Ok(text) = fs::read_to_string(root().join(&file)) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            if let Some(place) = places.iter().find(|place| line.contains(place.as_str())) {
                faults.push(format!("{file}:{}: {place}", number + 1));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_rule_file_parses() {
    let rules: Vec<_> = files(Path::new("rules"))
        .into_iter()
        .filter(|file| file.ends_with(".toml"))
        .collect();
    assert!(rules.len() > 5, "the rules were not found: {rules:?}");
    for file in rules {
        if let Err(error) = toml::from_str::<toml::Table>(&read(&file)) {
            panic!("{file}: {error}");
        }
    }
}

#[test]
fn test_code_is_told_from_the_rest() {
    let text = "use a;\n#[cfg(test)]\nextern crate b;\n// fs::\nlet url = 1; // fs::\n\
                #[cfg(test)]\nmod tests {\n    fs::read();\n}\n";
    let kept: Vec<_> = code(text)
        .map(|(number, line)| (number, line.to_owned()))
        .collect();
    assert_eq!(kept.len(), 4, "{kept:?}");
    assert_eq!(kept[3], (5, "let url = 1; ".to_owned()));
    assert_eq!(
        test_modules("#[cfg(test)]\nmod tests;\nmod a;\n#[cfg(test)]\nmod b {}\n"),
        ["tests"]
    );
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The files below a directory, as paths from the root, in order.
fn files(below: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let entries = fs::read_dir(root().join(below));
    for entry in entries.unwrap_or_else(|error| panic!("{}: {error}", below.display())) {
        let entry = entry.expect("an entry");
        let kind = entry.file_type().expect("a type");
        let path = below.join(entry.file_name());
        if SKIPPED.iter().any(|name| entry.file_name() == *name) || kind.is_symlink() {
            continue;
        }
        if kind.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path.to_str().expect("a name in UTF-8").to_owned());
        }
    }
    found.sort();
    found
}

/// The Rust files below a directory that are not part of its tests.
fn rust_files(below: &str) -> Vec<String> {
    let all: Vec<_> = files(Path::new(below))
        .into_iter()
        .filter(|file| file.ends_with(".rs"))
        .collect();
    let mut tests = Vec::<PathBuf>::new();
    for file in &all {
        let path = Path::new(file);
        let stem = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("a name");
        let parent = path.parent().expect("a directory");
        let home = match stem {
            "lib" | "main" | "mod" => parent.to_owned(),
            _ => parent.join(stem),
        };
        for module in test_modules(&read(file)) {
            tests.push(home.join(format!("{module}.rs")));
            tests.push(home.join(module));
        }
    }
    all.into_iter()
        .filter(|file| !tests.iter().any(|test| Path::new(file).starts_with(test)))
        .collect()
}

/// The modules in files of their own that a file has for its tests.
fn test_modules(text: &str) -> Vec<&str> {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let pairs = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]");
    pairs
        .filter_map(|pair| pair[1].strip_prefix("mod ")?.strip_suffix(';'))
        .collect()
}

fn code_lines(file: &str) -> impl Iterator<Item = (usize, String)> {
    let text = read(file);
    let kept: Vec<_> = code(&text)
        .map(|(number, line)| (number, line.to_owned()))
        .collect();
    kept.into_iter()
}

/// The numbered lines of a file without comments and without the tests at its foot.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<_> = text.lines().collect();
    let foot = lines
        .windows(2)
        .position(|pair| {
            pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{')
        })
        .unwrap_or(lines.len());
    lines
        .into_iter()
        .take(foot)
        .enumerate()
        .filter_map(|(index, line)| {
            if line.trim_start().starts_with("//") {
                return None;
            }
            // A comment behind code is told from a URL by the blank before it.
            Some((
                index + 1,
                line.split_once(" // ")
                    .map_or(line, |(code, _)| &line[..=code.len()]),
            ))
        })
}
