//! The dashboard over a made-up office, to look at it without a gate or a store:
//! `cargo run -p tollgate-tui --example top`, with `--text` or `--json` for the output without a
//! terminal. Every tenth reading fails for a while, as if the store were down.

mod made_up;

use jiff::Timestamp;
use std::{error::Error, time::Duration};
use tollgate_tui::{
    Format, Options, headless,
    model::Snapshot,
    run_source,
    source::{LoadError, Request, Source, find},
};

struct Office {
    readings: u64,
}

impl Source for Office {
    async fn load(&mut self, request: &Request, now: Timestamp) -> Result<Snapshot, LoadError> {
        self.readings += 1;
        if self.readings % 10 > 7 {
            return Err(LoadError::Timeout(Duration::from_secs(15)));
        }
        let mut snapshot = made_up::office(640, now);
        snapshot.looked_up = request.lookup.and_then(|id| find(&snapshot.exchanges, id));
        Ok(snapshot)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options {
        context: "Example Bank".into(),
        simulated: true,
        ..Options::default()
    };
    let office = Office { readings: 0 };
    match std::env::args().nth(1).as_deref() {
        Some("--text") => {
            println!("{}", headless::write(office, &options, Format::Text).await?);
        }
        Some("--json") => {
            println!("{}", headless::write(office, &options, Format::Json).await?);
        }
        _ => run_source(office, options).await?,
    }
    Ok(())
}
