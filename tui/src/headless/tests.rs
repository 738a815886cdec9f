use super::*;
use crate::{made_up, source::Request};
use std::time::Duration;

struct Office;

impl Source for Office {
    async fn load(&mut self, _: &Request, _: Timestamp) -> Result<Snapshot, LoadError> {
        Ok(made_up::day())
    }
}

struct Down;

impl Source for Down {
    async fn load(&mut self, _: &Request, _: Timestamp) -> Result<Snapshot, LoadError> {
        Err(LoadError::Timeout(Duration::from_secs(1)))
    }
}

#[tokio::test]
async fn json_holds_the_figures_as_integers() {
    let json = write(Office, &Options::default(), Format::Json)
        .await
        .unwrap();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let day = made_up::day();
    assert_eq!(value["period"], "24h");
    assert_eq!(value["totals"]["exchanges"], day.totals.exchanges);
    assert_eq!(
        value["totals"]["spend"]["nano_usd"],
        day.totals.spend.nano_usd.0
    );
    assert_eq!(value["exchanges"].as_array().unwrap().len(), EXCHANGES);
    assert_eq!(value["exchanges_complete"], false);
    assert_eq!(value["exchanges"][0]["seq"], day.exchanges[0].seq);
    assert_eq!(value["exchanges"][0]["decision"]["effect"], "permit");
    assert!(!value["refusals"].as_array().unwrap().is_empty());
}

#[test]
fn text_holds_every_view() {
    let mut app = App::new(made_up::noon());
    app.theme = ThemeName::Mono;
    app.utc = true;
    app.context = "Example Bank".into();
    app.simulated = true;
    let result = Ok(Arc::new(made_up::few()));
    app.update(Action::Loaded(Loaded {
        request: app.request(),
        at: app.now,
        result,
    }));
    insta::assert_snapshot!("text", text(&app));
}

#[tokio::test]
async fn a_store_that_is_down_is_an_error() {
    let error = write(Down, &Options::default(), Format::Text)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Load(LoadError::Timeout(_))));
}
