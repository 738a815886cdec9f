//! The state of the dashboard, and the one function that changes it. No I/O and no clock: what
//! happens comes in as an [`Action`], what is wanted of the store is read from
//! [`App::request`], so that every behaviour can be tested without a terminal.

use crate::{
    action::{Action, Loaded, Move},
    filter::Filter,
    model::{Exchange, Snapshot},
    period::Period,
    source::{Request, find},
    theme::{Theme, ThemeName},
    view,
};
use jiff::{Timestamp, tz::TimeZone};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

static UTC: TimeZone = TimeZone::UTC;

/// The views, one screen each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// Totals, the course of time, the most important of all else.
    #[default]
    Overview,
    /// The latest exchanges.
    Exchanges,
    /// Findings by entity.
    Findings,
    /// Where exchanges went.
    Routes,
    /// Spend by team and model.
    Spend,
    /// Decisions by rule.
    Rules,
}

impl View {
    /// In the order of their keys.
    pub const EVERY: [View; 6] = [
        View::Overview,
        View::Exchanges,
        View::Findings,
        View::Routes,
        View::Spend,
        View::Rules,
    ];

    /// Its name on the screen.
    pub fn title(self) -> &'static str {
        match self {
            View::Overview => "Overview",
            View::Exchanges => "Exchanges",
            View::Findings => "Findings",
            View::Routes => "Routes",
            View::Spend => "Spend",
            View::Rules => "Rules",
        }
    }

    /// The view of that name, in any case.
    pub fn named(name: &str) -> Option<View> {
        View::EVERY
            .into_iter()
            .find(|view| view.title().eq_ignore_ascii_case(name))
    }

    fn step(self, by: usize) -> View {
        View::EVERY[(self as usize + by) % View::EVERY.len()]
    }
}

/// What lies over the view.
#[derive(Clone, Debug, PartialEq)]
pub enum Overlay {
    /// The keys.
    Help,
    /// One exchange with all that is recorded of it.
    Detail(Arc<Exchange>),
}

/// A filter being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typing {
    /// What was typed so far.
    pub text: String,
    /// What is wrong with it.
    pub wrong: Option<String>,
    before: Filter,
}

/// The last answer of the store.
#[derive(Clone, Debug)]
pub struct Data {
    /// The answer.
    pub snapshot: Arc<Snapshot>,
    /// The period that it is about.
    pub period: Period,
    /// When it came.
    pub at: Timestamp,
}

/// The store cannot be read at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

/// The state of the dashboard.
#[derive(Clone, Debug)]
pub struct App {
    /// The view shown.
    pub view: View,
    /// How far back it looks.
    pub period: Period,
    /// Which exchanges are listed.
    pub filter: Filter,
    /// The filter line, while it is open.
    pub typing: Option<Typing>,
    /// What lies over the view.
    pub overlay: Option<Overlay>,
    /// How far the overlay is scrolled, in rows.
    pub scroll: usize,
    /// Whether the store is left alone.
    pub paused: bool,
    /// The colours.
    pub theme: ThemeName,
    /// Whether times are shown in UTC.
    pub utc: bool,
    /// The zone of local times.
    pub local: TimeZone,
    /// What is watched: the name of the organization or of the store.
    pub context: String,
    /// Whether all providers are simulated, as in the demo.
    pub simulated: bool,
    /// How often the store is read.
    pub every: Duration,
    /// The present.
    pub now: Timestamp,
    /// The terminal's columns and rows.
    pub size: (u16, u16),
    /// The last answer, if there was one.
    pub data: Option<Data>,
    /// Why there is no newer one.
    pub failure: Option<Failure>,
    /// Something to tell until the next key.
    pub notice: Option<String>,
    /// Whether to leave.
    pub quit: bool,
    /// The exchanges that match the filter, newest first.
    pub listed: Vec<Arc<Exchange>>,
    cursors: [usize; View::EVERY.len()],
    /// The exchange under the cursor once the cursor left the top: new exchanges push it down
    /// and the cursor goes with it.
    held: Option<Uuid>,
    lookup: Option<Uuid>,
    asked: u64,
}

impl App {
    /// The state at the start.
    pub fn new(now: Timestamp) -> App {
        App {
            view: View::default(),
            period: Period::default(),
            filter: Filter::default(),
            typing: None,
            overlay: None,
            scroll: 0,
            paused: false,
            theme: ThemeName::default(),
            utc: false,
            local: TimeZone::UTC,
            context: String::new(),
            simulated: false,
            every: Duration::from_secs(2),
            now,
            size: (80, 24),
            data: None,
            failure: None,
            notice: None,
            quit: false,
            listed: Vec::new(),
            cursors: [0; View::EVERY.len()],
            held: None,
            lookup: None,
            asked: 0,
        }
    }

    /// What is wanted of the store.
    pub fn request(&self) -> Request {
        Request {
            period: self.period,
            lookup: self.lookup,
            paused: self.paused,
            asked: self.asked,
        }
    }

    /// The styles to draw with.
    pub fn theme(&self) -> &'static Theme {
        self.theme.theme()
    }

    /// The zone that times are shown in.
    pub fn zone(&self) -> &TimeZone {
        if self.utc { &UTC } else { &self.local }
    }

    /// The last answer of the store, if there was one.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.data.as_ref().map(|data| data.snapshot.as_ref())
    }

    /// The row under the cursor in the view shown.
    pub fn cursor(&self) -> usize {
        self.cursors[self.view as usize].min(self.rows().saturating_sub(1))
    }

    /// How many rows the cursor can visit in the view shown.
    fn rows(&self) -> usize {
        let Some(snapshot) = self.snapshot() else {
            return 0;
        };
        match self.view {
            View::Overview => 0,
            View::Exchanges => self.listed.len(),
            View::Findings => snapshot.entities.len(),
            View::Routes => snapshot.routes.len(),
            View::Spend => snapshot.teams.len() + snapshot.models.len(),
            View::Rules => snapshot.rules.len(),
        }
    }

    /// The state after `action`.
    pub fn update(&mut self, action: Action) {
        if !matches!(
            action,
            Action::Tick(_) | Action::Loaded(_) | Action::Resize(..)
        ) {
            self.notice = None;
        }
        match action {
            Action::Quit => self.quit = true,
            Action::Show(view) => self.show(view),
            Action::NextView => self.show(self.view.step(1)),
            Action::PreviousView => self.show(self.view.step(View::EVERY.len() - 1)),
            Action::Move(by) => self.step(by),
            Action::Open => self.open(),
            Action::Back => self.back(),
            Action::ShorterPeriod => self.period = self.period.shorter(),
            Action::LongerPeriod => self.period = self.period.longer(),
            Action::EditFilter => self.edit(),
            Action::Type(c) => self.retype(|text| text.push(c)),
            Action::Erase => self.retype(|text| {
                text.pop();
            }),
            Action::EraseWord => self.retype(|text| {
                let kept = text
                    .trim_end()
                    .rfind(char::is_whitespace)
                    .map_or(0, |at| at + 1);
                text.truncate(kept);
            }),
            Action::KeepFilter => self.keep(),
            Action::DropFilter => {
                if let Some(typing) = self.typing.take() {
                    self.filter_by(typing.before);
                }
            }
            Action::Pause => self.paused = !self.paused,
            Action::Refresh => self.asked += 1,
            Action::NextTheme => self.theme = self.theme.next(),
            Action::ToggleZone => self.utc = !self.utc,
            Action::Help => {
                self.scroll = 0;
                self.overlay = match self.overlay.take() {
                    Some(Overlay::Help) => None,
                    _ => Some(Overlay::Help),
                };
            }
            Action::Resize(columns, rows) => self.size = (columns, rows),
            Action::Tick(now) => self.now = now,
            Action::Loaded(loaded) => self.loaded(loaded),
        }
    }

    fn show(&mut self, view: View) {
        self.view = view;
        self.overlay = None;
    }

    fn step(&mut self, by: Move) {
        let page = usize::from(self.size.1).saturating_sub(6).max(1);
        let (at, last) = match self.overlay {
            Some(_) => (self.scroll, view::scroll_max(self)),
            None => (self.cursor(), self.rows().saturating_sub(1)),
        };
        let to = match by {
            Move::Up => at.saturating_sub(1),
            Move::Down => at + 1,
            Move::PageUp => at.saturating_sub(page),
            Move::PageDown => at + page,
            Move::First => 0,
            Move::Last => last,
        }
        .min(last);
        if self.overlay.is_some() {
            self.scroll = to;
            return;
        }
        self.cursors[self.view as usize] = to;
        if self.view == View::Exchanges {
            let held = self.listed.get(to).filter(|_| to > 0);
            self.held = held.map(|exchange| exchange.record.exchange);
        }
    }

    /// Enter: the exchange itself, or the exchanges behind a row.
    fn open(&mut self) {
        if self.overlay.is_some() {
            return;
        }
        let (at, Some(data)) = (self.cursor(), &self.data) else {
            return;
        };
        let snapshot = Arc::clone(&data.snapshot);
        let behind = match self.view {
            View::Overview => None,
            View::Exchanges => {
                self.scroll = 0;
                self.overlay = self.listed.get(at).cloned().map(Overlay::Detail);
                None
            }
            View::Findings => snapshot.entities.get(at).map(|row| ("entity", &row.entity)),
            View::Routes => snapshot.routes.get(at).map(|row| ("route", &row.endpoint)),
            View::Rules => snapshot.rules.get(at).map(|row| ("rule", &row.rule)),
            View::Spend => match at.checked_sub(snapshot.teams.len()) {
                None => snapshot.teams.get(at).map(|row| ("team", &row.name)),
                Some(at) => snapshot.models.get(at).map(|row| ("model", &row.name)),
            },
        };
        if let Some((field, value)) = behind {
            self.filter_by(Filter::exactly(field, value));
            self.show(View::Exchanges);
        }
    }

    fn back(&mut self) {
        if self.overlay.take().is_none() && self.view == View::Exchanges {
            self.filter_by(Filter::default());
        }
    }

    fn edit(&mut self) {
        self.show(View::Exchanges);
        let text = match self.filter.is_empty() {
            true => String::new(),
            false => format!("{} ", self.filter),
        };
        self.typing = Some(Typing {
            text,
            wrong: None,
            before: self.filter.clone(),
        });
    }

    fn retype(&mut self, change: impl FnOnce(&mut String)) {
        let Some(mut typing) = self.typing.take() else {
            return;
        };
        change(&mut typing.text);
        match typing.text.parse() {
            Ok(filter) => {
                typing.wrong = None;
                self.filter_by(filter);
            }
            Err(wrong) => typing.wrong = Some(wrong.to_string()),
        }
        self.typing = Some(typing);
    }

    fn keep(&mut self) {
        match self.typing.take() {
            Some(typing) if typing.wrong.is_some() => self.typing = Some(typing),
            Some(_) => {
                if let Some(id) = self.filter.exchange_id() {
                    self.filter_by(Filter::default());
                    match find(&self.listed, id) {
                        Some(exchange) => self.show_detail(exchange),
                        None => self.lookup = Some(id),
                    }
                }
            }
            None => {}
        }
    }

    fn show_detail(&mut self, exchange: Arc<Exchange>) {
        self.scroll = 0;
        self.overlay = Some(Overlay::Detail(exchange));
    }

    fn filter_by(&mut self, filter: Filter) {
        self.filter = filter;
        self.relist();
        self.cursors[View::Exchanges as usize] = 0;
        self.held = None;
    }

    /// Lists what matches the filter and puts the cursor back on the exchange it was on.
    fn relist(&mut self) {
        let Some(data) = &self.data else { return };
        let exchanges = data.snapshot.exchanges.iter();
        self.listed = exchanges
            .filter(|exchange| self.filter.matches(exchange))
            .cloned()
            .collect();
        let held = |id| {
            self.listed
                .iter()
                .position(|exchange| exchange.record.exchange == id)
        };
        self.cursors[View::Exchanges as usize] = self.held.and_then(held).unwrap_or(0);
    }

    fn loaded(&mut self, loaded: Loaded) {
        self.now = self.now.max(loaded.at);
        match loaded.result {
            // The answer to a question that nobody asks any more.
            Ok(_) if loaded.request.period != self.period => {}
            Ok(snapshot) => {
                self.failure = None;
                let found = snapshot.looked_up.clone();
                self.data = Some(Data {
                    snapshot,
                    period: loaded.request.period,
                    at: loaded.at,
                });
                self.relist();
                if let Some(id) = self.lookup
                    && loaded.request.lookup == self.lookup
                {
                    self.lookup = None;
                    match found {
                        Some(exchange) => self.show_detail(exchange),
                        None => self.notice = Some(format!("The store has no exchange {id}.")),
                    }
                }
            }
            Err(error) => {
                let since = self
                    .failure
                    .as_ref()
                    .map_or(loaded.at, |failure| failure.since);
                self.failure = Some(Failure {
                    reason: error.reason(),
                    since,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
