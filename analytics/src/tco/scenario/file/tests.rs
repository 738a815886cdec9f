use super::*;

fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/tco/scenarios")
}

/// The default scenario's text, changed, as an error.
fn refused(change: impl Fn(&str) -> String) -> String {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(library().join("default.toml")).unwrap();
    let file = dir.path().join("s.toml");
    std::fs::write(&file, change(&text)).unwrap();
    let error = load(&file, &library()).unwrap_err().to_string();
    error.replace(&format!("{}/", dir.path().display()), "")
}

fn line_of(what: &str) -> usize {
    let text = std::fs::read_to_string(library().join("default.toml")).unwrap();
    text.lines().position(|line| line == what).unwrap() + 1
}

#[test]
fn every_scenario_of_the_library_is_sound() {
    let mut count = 0;
    for entry in std::fs::read_dir(library()).unwrap() {
        let file = entry.unwrap().path();
        let scenario = load(&file, &library()).unwrap_or_else(|error| panic!("{error}"));
        assert!(!scenario.title.is_empty());
        for input in INPUTS {
            assert!(scenario[*input].source.len() > 3, "{input:?}");
        }
        count += 1;
    }
    assert!(count >= 5);
}

#[test]
fn the_default_scenario_holds_the_table() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/tco/business_case.csv");
    let case = crate::tco::BusinessCase::load(&case).unwrap();
    let scenario = load(&library().join("default.toml"), &library()).unwrap();
    for (n, input) in [
        (1, Input::BuildTraining),
        (2, Input::FineTuneTraining),
        (4, Input::BuildTalent),
        (5, Input::FineTuneTalent),
        (6, Input::ManagedTalent),
        (7, Input::BuildPlatform),
        (8, Input::FineTunePlatform),
        (10, Input::BuildCompliance),
        (11, Input::FineTuneCompliance),
        (12, Input::ManagedCompliance),
        (13, Input::BuildHosting),
        (14, Input::FineTuneHosting),
        (15, Input::ManagedFee),
        (16, Input::BuildTime),
        (17, Input::FineTuneTime),
        (18, Input::ManagedTime),
        (24, Input::TaxCapacity),
        (25, Input::Premium),
        (31, Input::MigrationFactor),
    ] {
        let figure = &case.figures[n - 1];
        let stated: Vec<i64> = [figure.low, figure.high].into_iter().flatten().collect();
        let numbers = scenario[input].distribution.numbers();
        let numbers: Vec<i64> = numbers.iter().map(|x| (x * 1e9).round() as i64).collect();
        assert_eq!(numbers, stated, "figure {n}");
        assert!(
            scenario[input].source.contains(&format!("igure {n}")) || n >= 24,
            "{n}"
        );
    }
}

#[test]
fn an_overlay_changes_what_it_states_and_keeps_the_rest() {
    let base = load(&library().join("default.toml"), &library()).unwrap();
    let small = load(&library().join("small.toml"), &library()).unwrap();
    assert_ne!(small[Input::Requests], base[Input::Requests]);
    assert_eq!(small[Input::GpuPrice], base[Input::GpuPrice]);
    assert_eq!(small.horizon_months, 60);
}

#[test]
fn currencies_are_converted_at_their_dated_rate() {
    let scenario = load(&library().join("default.toml"), &library()).unwrap();
    let electricity = &scenario[Input::Electricity];
    assert_eq!(electricity.distribution.numbers()[1], 0.1902 * 1.093);
    assert!(electricity.source.contains("1.093 USD on 2025-06-30"));
    let without = refused(|text| text.replace("currency = \"EUR\"", "currency = \"GBP\""));
    assert!(
        without.contains("gpu.electricity: the amount is in EUR and this file has no dated rate"),
        "{without}"
    );
    let undated = refused(|text| text.replace("2025-06-30", "some day"));
    assert!(
        undated.contains("expected a day such as 2026-06-30"),
        "{undated}"
    );
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let at = |header: &str| format!("s.toml, line {}: ", line_of(header));
    let cases: [(&str, &str, String); 9] = [
        (
            "mode = 0.3\nhigh = 1.0",
            "mode = 3.0\nhigh = 1.0",
            at("[demand.growth]")
                + "demand.growth: the range contradicts itself: mode is 3, above high, which is 1",
        ),
        (
            "low = 1_000_000\nhigh = 20_000_000",
            "low = -5\nhigh = 20_000_000",
            at("[demand.requests]") + "demand.requests: low is -5: a logarithm needs it above 0",
        ),
        (
            "value = 1500",
            "value = -1500",
            at("[demand.input_tokens]")
                + "demand.input_tokens: -1500 is out of bounds: expected 0 to 10000000 tokens/request",
        ),
        (
            "[demand.growth]",
            "[demand.grwoth]",
            at("[demand.growth]") + "unknown input \"demand.grwoth\"; did you mean demand.growth, ",
        ),
        (
            "distribution = \"fixed\"\nvalue = 1500",
            "distribution = \"gauss\"\nvalue = 1500",
            at("[demand.input_tokens]")
                + "demand.input_tokens: unknown distribution \"gauss\": expected fixed, uniform",
        ),
        (
            "value = 1500",
            "low = 1500",
            at("[demand.input_tokens]") + "demand.input_tokens: value is missing: fixed needs it",
        ),
        (
            "unit = \"tokens/request\"\nsource = \"Mean",
            "unit = \"words\"\nsource = \"Mean",
            at("[demand.input_tokens]")
                + "demand.input_tokens: the unit is \"words\": expected \"tokens/request\"",
        ),
        (
            "value = 1500",
            "value = nan",
            at("[demand.input_tokens]") + "demand.input_tokens: value is NaN: expected a number",
        ),
        (
            "chance = 0.73",
            "chance = 73",
            at("[project.overrun]") + "project.overrun: a chance of 73: expected 0 to 1",
        ),
    ];
    for (old, new, expected) in cases {
        let said = refused(|text| {
            assert!(text.contains(old), "{old}");
            text.replacen(old, new, 1)
        });
        assert!(said.starts_with(&expected), "{said}\nis not\n{expected}");
    }
}

#[test]
fn what_is_missing_or_unknown_is_told() {
    let missing = refused(|text| text.replace("[gpu.pue]", "[gpu.xpue]"));
    assert!(
        missing.contains("unknown input \"gpu.xpue\"; did you mean gpu.pue"),
        "{missing}"
    );
    let cut = refused(|text| text[..text.find("[finance.tax_rate]").unwrap()].to_owned());
    assert!(
        cut.starts_with("s.toml: finance.tax_rate is not stated"),
        "{cut}"
    );
    let key = refused(|text| text.replacen("unit = ", "units = ", 1));
    assert!(key.contains("unknown field `units`"), "{key}");
    let choice = refused(|text| text.replace("gpu = \"buy\"", "gpu = \"steal\""));
    assert!(
        choice.contains("unknown variant `steal`, expected `buy` or `rent`"),
        "{choice}"
    );
    let standing =
        refused(|text| text.replacen("standing = \"assumed\"", "standing = \"sure\"", 1));
    assert!(standing.contains("unknown variant `sure`"), "{standing}");
    let loops = refused(|_| "title = \"x\"\nextends = \"y\"\n".to_owned());
    assert!(
        loops.starts_with("s.toml, line 2: extends \"y\": no y.toml beside"),
        "{loops}"
    );
    let weights = refused(|text| {
        ["0.05", "0.3", "0.2", "0.45"]
            .iter()
            .fold(text.to_owned(), |text, value| {
                text.replacen(
                    &format!("value = {value}\nunit = \"weight\""),
                    "value = 0\nunit = \"weight\"",
                    1,
                )
            })
    });
    assert!(weights.contains("demand.mix_* can all be 0"), "{weights}");
}
