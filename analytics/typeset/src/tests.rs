use super::*;
use proptest::prelude::*;
use serde_json::json;

fn table(rows: &serde_json::Value) -> Document {
    let template = r#"
        #import "/house.typ": *
        #let data = json("/data.json")
        #show: house.with(title: data.title, foot: data.title)
        #cards(((title: data.title, value: data.title, note: data.title, standing: "measured"),))
        #grid-table(columns: (1fr, 1fr), heads: ([HEAD], [OTHER]), rows: data.rows, sums: ([SUM], data.title))
        #terms-list(data.rows)
    "#;
    Document::new(template)
        .dated("2026-11-01T10:20:30Z".parse().unwrap())
        .data("data.json", &json!({ "title": "T", "rows": rows }))
        .unwrap()
}

#[test]
fn the_same_document_gives_the_same_bytes() {
    let document = || table(&json!([["a", "b"], ["c", "d"]]));
    let [first, second] = [document().set().unwrap(), document().set().unwrap()];
    assert_eq!(first.pdf, second.pdf);
    let file = String::from_utf8_lossy(&first.pdf);
    assert!(
        file.contains("D:20261101102030Z"),
        "the date is not that given"
    );
}

#[test]
fn heads_are_repeated_and_pages_numbered() {
    let rows: Vec<_> = (0..200).map(|n| json!([format!("row{n}"), "x"])).collect();
    let pages = table(&rows.into()).set().unwrap().pages;
    assert!(pages.len() > 3, "{} pages", pages.len());
    let in_table = pages.iter().take_while(|page| !page.contains("SUM"));
    for (at, page) in in_table.enumerate() {
        assert!(page.contains("HEAD"), "page {} has no head", at + 1);
        let of = format!("page {} of {}", at + 1, pages.len());
        assert!(page.contains(&of), "{of} is missing");
    }
}

#[test]
fn errors_say_where() {
    let error = |template: &str| Document::new(template).set().unwrap_err().to_string();
    assert_eq!(error("ok\n#nope"), "main.typ:2:2: unknown variable: nope");
    assert!(error("#json(\"/no.json\")").contains("file not found"));
    assert!(error("#read(\"/etc/passwd\")").contains("file not found"));
    assert!(error("#import \"@preview/x:1.0.0\": y").contains("not found"));
    assert!(error("#datetime.today()").contains("current date"));
    assert!(error("#set text(font: \"No Such Font\")\na").contains("unknown font family"));
    let module = Document::new("#import \"/m.typ\": a").module("m.typ", "#let a = ");
    assert!(
        module
            .set()
            .unwrap_err()
            .to_string()
            .starts_with("m.typ:1:")
    );
    let no_font = Document::new("").fonts([b"no font".to_vec()]).unwrap_err();
    assert!(matches!(no_font, Error::Font { number: 1 }), "{no_font}");
}

#[test]
fn pictures_stay_vectors() {
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">
        <rect width="4" height="4" fill="#123"/><text x="1" y="9" font-size="2">中 ab</text></svg>"##;
    let document = Document::new("#image(\"/a.svg\", width: 100%)").picture("a.svg", svg);
    let paper = document.set().unwrap();
    let file = String::from_utf8_lossy(&paper.pdf);
    assert!(!file.contains("/Subtype /Image") && !file.contains("/Subtype/Image"));
}

#[test]
fn scripts_of_many_languages_can_be_set() {
    let fonts = Fonts::built_in();
    for words in ["Łódź", "Αθήνα", "Київ", "שלום", "سلام", "Հայ", "ქართ"]
    {
        let missing: String = words.chars().filter(|c| !fonts.have(*c)).collect();
        assert_eq!(missing, "", "in {words}");
    }
}

/// The letters of a text, sorted: lines break anywhere and right-to-left runs are set in the order in
/// which they are seen.
fn letters(text: &str) -> Vec<char> {
    let ink = |c: &char| !c.is_whitespace() && *c != '\u{200b}';
    let mut letters: Vec<char> = text.chars().filter(ink).collect();
    letters.sort_unstable();
    letters
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever a name holds, it is on the page as it is, and nothing else happens.
    #[test]
    fn names_are_never_markup(
        name in prop_oneof![
            any::<String>(),
            "[#*_$`<>@=/\\\\\"'~\\[\\](){}a-c:;, \\n-]{0,60}",
            Just("#panic(\"x\") #import \"/main.typ\" $x^2$ <label> @label // /* https://a.b".to_owned()),
            Just("\"); #read(\"/data.json\") #(\"".to_owned()),
            "\\PC{80,120}",
        ]
    ) {
        let document = |name: &str| {
            Document::new("#import \"/house.typ\": *\n#let data = json(\"/data.json\")\n#show: house.with(title: data.name)\n#grid-table(columns: (100%,), rows: ((data.name,),))")
                .data("data.json", &json!({ "name": name }))
                .unwrap()
        };
        let paper = document(&name).set().unwrap();
        prop_assert_eq!(paper.pages.len(), 1);
        // What is on the page without a name: its number.
        let empty = document("").set().unwrap().pages.concat();
        let shown = legible::text(&name, &Fonts::built_in());
        let mut expected = letters(&format!("{shown}{empty}"));
        let mut found = letters(&paper.pages[0]);
        if !name.is_ascii() {
            // A mark that another font has brings its letter along: some letters are told twice.
            expected.dedup();
            found.dedup();
        }
        prop_assert_eq!(found, expected, "{:?}", name);
    }
}
