//! All that can happen to the dashboard.

use crate::{
    app::View,
    model::Snapshot,
    source::{LoadError, Request},
};
use jiff::Timestamp;
use std::sync::Arc;

/// One thing that happened: a key's meaning, the clock, new data. [`crate::app::App::update`]
/// turns the state before it into the state after it.
#[derive(Clone, Debug)]
pub enum Action {
    /// Leave the dashboard.
    Quit,
    /// Show a view.
    Show(View),
    /// Show the view to the right, round and round.
    NextView,
    /// Show the view to the left, round and round.
    PreviousView,
    /// Move the cursor or scroll.
    Move(Move),
    /// Open the exchange under the cursor.
    Open,
    /// Close what lies on top; else drop the filter.
    Back,
    /// Look back less far.
    ShorterPeriod,
    /// Look back farther.
    LongerPeriod,
    /// Begin to type a filter.
    EditFilter,
    /// Type a character of the filter.
    Type(char),
    /// Erase the last character of the filter.
    Erase,
    /// Erase the last word of the filter.
    EraseWord,
    /// Keep the filter typed.
    KeepFilter,
    /// Give up typing: the filter is as before.
    DropFilter,
    /// Stop or resume reading the store.
    Pause,
    /// Read the store now.
    Refresh,
    /// The next theme.
    NextTheme,
    /// Local time or UTC.
    ToggleZone,
    /// Show or hide the keys.
    Help,
    /// The terminal has another size, in columns and rows.
    Resize(u16, u16),
    /// Time went by.
    Tick(Timestamp),
    /// The store was read, or could not be.
    Loaded(Loaded),
}

/// How far the cursor moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// One screen up.
    PageUp,
    /// One screen down.
    PageDown,
    /// To the first row.
    First,
    /// To the last row.
    Last,
}

/// The answer to a [`Request`].
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What was asked for.
    pub request: Request,
    /// When the answer came.
    pub at: Timestamp,
    /// The answer.
    pub result: Result<Arc<Snapshot>, Arc<LoadError>>,
}
