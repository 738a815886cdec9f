//! Which key means what: one table, read by the event loop and shown by `?`.

use crate::{
    action::{Action, Move},
    app::View,
};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Keys that mean the same.
pub struct Binding {
    /// The keys.
    pub keys: &'static [KeyCode],
    /// How they are written on the help screen.
    pub shown: &'static str,
    /// What they do, in the words of the help screen.
    pub does: &'static str,
    /// What they mean.
    pub action: Action,
}

use KeyCode::{
    BackTab, Backspace, Char, Down, End, Enter, Esc, Home, Left, PageDown, PageUp, Right, Tab, Up,
};

const fn bind(
    keys: &'static [KeyCode],
    shown: &'static str,
    does: &'static str,
    action: Action,
) -> Binding {
    Binding {
        keys,
        shown,
        does,
        action,
    }
}

/// Every key outside the filter line.
pub static BINDINGS: &[Binding] = &[
    bind(&[Char('1')], "1", "overview", Action::Show(View::Overview)),
    bind(
        &[Char('2')],
        "2",
        "exchanges",
        Action::Show(View::Exchanges),
    ),
    bind(
        &[Char('3')],
        "3",
        "findings by entity",
        Action::Show(View::Findings),
    ),
    bind(&[Char('4')], "4", "routes", Action::Show(View::Routes)),
    bind(&[Char('5')], "5", "spend", Action::Show(View::Spend)),
    bind(&[Char('6')], "6", "rules", Action::Show(View::Rules)),
    bind(
        &[Tab, Right, Char('l')],
        "Tab → l",
        "next view",
        Action::NextView,
    ),
    bind(
        &[BackTab, Left, Char('h')],
        "⇧Tab ← h",
        "previous view",
        Action::PreviousView,
    ),
    bind(&[Up, Char('k')], "↑ k", "up", Action::Move(Move::Up)),
    bind(&[Down, Char('j')], "↓ j", "down", Action::Move(Move::Down)),
    bind(&[PageUp], "PgUp", "a screen up", Action::Move(Move::PageUp)),
    bind(
        &[PageDown, Char(' ')],
        "PgDn Space",
        "a screen down",
        Action::Move(Move::PageDown),
    ),
    bind(
        &[Home, Char('g')],
        "Home g",
        "first row",
        Action::Move(Move::First),
    ),
    bind(
        &[End, Char('G')],
        "End G",
        "last row",
        Action::Move(Move::Last),
    ),
    bind(&[Enter], "Enter", "open the exchange", Action::Open),
    bind(
        &[Esc, Backspace],
        "Esc",
        "close; drop the filter",
        Action::Back,
    ),
    bind(&[Char('/')], "/", "filter; find by id", Action::EditFilter),
    bind(
        &[Char('[')],
        "[",
        "look back less far",
        Action::ShorterPeriod,
    ),
    bind(&[Char(']')], "]", "look back farther", Action::LongerPeriod),
    bind(&[Char('p')], "p", "pause, resume", Action::Pause),
    bind(&[Char('r')], "r", "read the store now", Action::Refresh),
    bind(&[Char('u')], "u", "local time, UTC", Action::ToggleZone),
    bind(
        &[Char('t')],
        "t",
        "dark, light, no colour",
        Action::NextTheme,
    ),
    bind(&[Char('?')], "?", "these keys", Action::Help),
    bind(&[Char('q')], "q", "quit", Action::Quit),
];

/// What a key means, if anything. While a filter is typed, keys are text.
pub fn action(key: KeyEvent, typing: bool) -> Option<Action> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    if control && matches!(key.code, Char('c' | 'C')) {
        return Some(Action::Quit);
    }
    if typing {
        return match key.code {
            Enter => Some(Action::KeepFilter),
            Esc => Some(Action::DropFilter),
            Char('w' | 'u') if control => Some(Action::EraseWord),
            Backspace => Some(Action::Erase),
            Char(c) if !control && !key.modifiers.contains(KeyModifiers::ALT) => {
                Some(Action::Type(c))
            }
            _ => None,
        };
    }
    if control || key.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    BINDINGS
        .iter()
        .find(|binding| binding.keys.contains(&key.code))
        .map(|binding| binding.action.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    #[test]
    fn no_key_means_two_things() {
        let mut seen = Vec::new();
        for key in BINDINGS.iter().flat_map(|binding| binding.keys) {
            assert!(!seen.contains(key), "{key:?} is bound twice");
            seen.push(*key);
        }
    }

    #[test]
    fn every_key_means_what_the_table_says() {
        for binding in BINDINGS {
            for key in binding.keys {
                let meant = action(plain(*key), false).unwrap();
                assert_eq!(format!("{meant:?}"), format!("{:?}", binding.action));
            }
        }
    }

    #[test]
    fn typing_takes_keys_as_text() {
        assert!(matches!(
            action(plain(Char('q')), true),
            Some(Action::Type('q'))
        ));
        assert!(matches!(action(plain(Esc), true), Some(Action::DropFilter)));
        assert!(matches!(
            action(plain(Enter), true),
            Some(Action::KeepFilter)
        ));
        assert!(action(plain(Up), true).is_none());
    }

    #[test]
    fn control_c_always_quits_and_other_controls_do_nothing() {
        for typing in [false, true] {
            let key = KeyEvent::new(Char('c'), KeyModifiers::CONTROL);
            assert!(matches!(action(key, typing), Some(Action::Quit)));
        }
        assert!(action(KeyEvent::new(Char('q'), KeyModifiers::CONTROL), false).is_none());
    }
}
