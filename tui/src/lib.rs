//! `tollgate top`: the compliance officer's dashboard in the terminal.
//!
//! It reads the analytics store and nothing else, so it runs wherever the store can be reached,
//! and it holds nothing but labels, counts, times and money: no text of a prompt is recorded, so
//! none can be shown.
//!
//! ```text
//!  keys ── keymap ──┐                                ┌── view ── terminal
//!  clock ───────────┼── Action ── App::update ── App ┤
//!  store ── source ─┘                                └── request ── source
//! ```
//!
//! One loop in [`run_source`] carries actions to [`app::App::update`], which is pure; the store is
//! read by a task of its own ([`source::keep_loading`]), so that a slow or dead store never
//! freezes the screen: the last figures stay, marked with their age and the reason.

pub mod action;
pub mod app;
mod chart;
pub mod filter;
mod format;
pub mod headless;
pub mod keymap;
pub mod model;
mod paint;
pub mod period;
pub mod source;
pub mod store;
mod table;
mod terminal;
pub mod theme;
pub mod view;

#[cfg(test)]
extern crate self as tollgate_tui;
#[cfg(test)]
mod made_up;

use crate::{
    action::Action,
    app::{App, View},
    period::Period,
    source::{LOAD_TIMEOUT, Pace, Source, keep_loading},
    store::Store,
    theme::ThemeName,
};
use jiff::{Timestamp, tz::TimeZone};
use std::{io, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    time::MissedTickBehavior,
};

pub use headless::{Format, snapshot};

/// How the dashboard starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often the store is read; at least 100 ms.
    pub refresh: Duration,
    /// The view shown first.
    pub view: View,
    /// How far it looks back first.
    pub period: Period,
    /// What is watched, shown beside the product's name.
    pub context: String,
    /// Whether to say on every screen that all providers are simulated.
    pub simulated: bool,
    /// The colours; absent: as the environment asks (`NO_COLOR`, `COLORFGBG`).
    pub theme: Option<ThemeName>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            refresh: Duration::from_secs(2),
            view: View::default(),
            period: Period::default(),
            context: String::new(),
            simulated: false,
            theme: None,
        }
    }
}

/// Why the dashboard cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Standard output or input is no terminal: use [`snapshot`] instead.
    #[error("the dashboard needs a terminal; without one, ask for --json or the text summary")]
    NoTerminal,
    /// The terminal could not be set up, drawn to or read.
    #[error("the terminal failed")]
    Terminal(#[source] io::Error),
    /// The task that reads the store ended.
    #[error("the task that reads the store ended unexpectedly")]
    SourceEnded,
    /// The store could not be read (headless only; the dashboard shows this and goes on).
    #[error("the figures cannot be read")]
    Load(#[source] source::LoadError),
    /// The figures could not be written as JSON.
    #[error("the figures cannot be written as JSON")]
    Json(#[source] serde_json::Error),
}

/// Runs the dashboard over the analytics store until the user quits or a signal ends it. The
/// terminal is restored in any case, a panic included.
pub async fn run(client: clickhouse::Client, options: Options) -> Result<(), Error> {
    run_source(Store::new(client), options).await
}

/// As [`run`], over any source of figures.
pub async fn run_source<S: Source>(source: S, options: Options) -> Result<(), Error> {
    let mut screen = terminal::Screen::open()?;
    let mut app = start(&options);
    let (columns, rows) = screen.size()?;
    app.update(Action::Resize(columns, rows));

    let pace = Pace {
        every: options.refresh.max(Duration::from_millis(100)),
        limit: LOAD_TIMEOUT,
    };
    let (ask, wanted) = watch::channel(app.request());
    let (loaded, mut answers) = mpsc::channel(1);
    let loading = tokio::spawn(keep_loading(source, pace, wanted, loaded, Timestamp::now));
    let mut signals = terminal::Signals::listen()?;
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);

    let result = loop {
        if let Err(error) = screen.draw(&app) {
            break Err(error);
        }
        let action = tokio::select! {
            key = screen.next(app.typing.is_some()) => match key {
                Ok(action) => action,
                Err(error) => break Err(error),
            },
            answer = answers.recv() => match answer {
                Some(answer) => Action::Loaded(answer),
                None => break Err(Error::SourceEnded),
            },
            _ = clock.tick() => Action::Tick(Timestamp::now()),
            () = signals.next() => Action::Quit,
        };
        app.update(action);
        if app.quit {
            break Ok(());
        }
        ask.send_if_modified(|asked| {
            let request = app.request();
            let changed = *asked != request;
            *asked = request;
            changed
        });
    };
    loading.abort();
    result
}

/// The state that the options ask for.
fn start(options: &Options) -> App {
    let mut app = App::new(Timestamp::now());
    app.view = options.view;
    app.period = options.period;
    app.context.clone_from(&options.context);
    app.simulated = options.simulated;
    app.every = options.refresh;
    app.local = TimeZone::system();
    app.theme = options
        .theme
        .unwrap_or_else(|| ThemeName::detect(|name| std::env::var(name).ok()));
    app
}
