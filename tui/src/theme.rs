//! Colours. Each effect has one colour, one sign and one fill everywhere. The colours follow the
//! Okabe-Ito palette, which people with any colour vision tell apart, in its nearest of the 256
//! terminal colours; the sign and the word stand beside the colour, so that nothing is said by
//! colour alone.

use ratatui::style::{Color, Modifier, Style};
use tollgate_analytics::record::Effect;

/// Which set of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThemeName {
    /// For a dark terminal.
    #[default]
    Dark,
    /// For a light terminal.
    Light,
    /// No colour: weight, reverse video and fills only.
    Mono,
}

impl ThemeName {
    /// The theme that the environment asks for: none when `NO_COLOR` holds anything
    /// (no-color.org) or the terminal is `dumb`; light when `COLORFGBG` tells a light background.
    pub fn detect(get: impl Fn(&str) -> Option<String>) -> ThemeName {
        let no_color = get("NO_COLOR").is_some_and(|value| !value.is_empty());
        if no_color || get("TERM").as_deref() == Some("dumb") {
            return ThemeName::Mono;
        }
        let background = get("COLORFGBG").and_then(|value| {
            value
                .rsplit(';')
                .next()
                .and_then(|last| last.parse::<u8>().ok())
        });
        match background {
            Some(7 | 15) => ThemeName::Light,
            _ => ThemeName::Dark,
        }
    }

    /// The next one, round and round.
    pub fn next(self) -> ThemeName {
        match self {
            ThemeName::Dark => ThemeName::Light,
            ThemeName::Light => ThemeName::Mono,
            ThemeName::Mono => ThemeName::Dark,
        }
    }

    /// Its styles.
    pub fn theme(self) -> &'static Theme {
        match self {
            ThemeName::Dark => &DARK,
            ThemeName::Light => &LIGHT,
            ThemeName::Mono => &MONO,
        }
    }
}

/// The styles of everything that is drawn.
#[derive(Debug)]
pub struct Theme {
    /// Which one this is.
    pub name: ThemeName,
    /// Ordinary text.
    pub text: Style,
    /// Labels, units, what matters less.
    pub dim: Style,
    /// Lines between panels.
    pub rule: Style,
    /// Titles of panels and headline figures.
    pub strong: Style,
    /// The product's name, the view shown, keys.
    pub accent: Style,
    /// The row under the cursor.
    pub selected: Style,
    /// Something to know: stale data, unpriced exchanges.
    pub warning: Style,
    /// Something broken.
    pub error: Style,
    /// A simulated endpoint.
    pub simulated: Style,
    /// Columns of the chart over time.
    pub chart: Style,
    effects: [Style; 4],
}

const PLAIN: Style = Style::new();
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);

const fn ink(color: u8) -> Style {
    PLAIN.fg(Color::Indexed(color))
}

static DARK: Theme = Theme {
    name: ThemeName::Dark,
    text: ink(252),
    dim: ink(245),
    rule: ink(239),
    strong: ink(255).add_modifier(Modifier::BOLD),
    accent: ink(117).add_modifier(Modifier::BOLD),
    selected: PLAIN.bg(Color::Indexed(237)).add_modifier(Modifier::BOLD),
    warning: ink(222),
    error: PLAIN
        .fg(Color::Indexed(231))
        .bg(Color::Indexed(166))
        .add_modifier(Modifier::BOLD),
    simulated: PLAIN.fg(Color::Indexed(233)).bg(Color::Indexed(175)),
    chart: ink(67),
    effects: [ink(36), ink(214), ink(74), ink(202)],
};

static LIGHT: Theme = Theme {
    name: ThemeName::Light,
    text: ink(235),
    dim: ink(242),
    rule: ink(250),
    strong: ink(232).add_modifier(Modifier::BOLD),
    accent: ink(25).add_modifier(Modifier::BOLD),
    selected: PLAIN.bg(Color::Indexed(253)).add_modifier(Modifier::BOLD),
    warning: ink(130),
    error: PLAIN
        .fg(Color::Indexed(231))
        .bg(Color::Indexed(160))
        .add_modifier(Modifier::BOLD),
    simulated: PLAIN.fg(Color::Indexed(231)).bg(Color::Indexed(132)),
    chart: ink(67),
    effects: [ink(29), ink(172), ink(31), ink(160)],
};

static MONO: Theme = Theme {
    name: ThemeName::Mono,
    text: PLAIN,
    dim: PLAIN,
    rule: PLAIN,
    strong: BOLD,
    accent: BOLD,
    selected: PLAIN.add_modifier(Modifier::REVERSED),
    warning: BOLD,
    error: BOLD.add_modifier(Modifier::REVERSED),
    simulated: PLAIN.add_modifier(Modifier::REVERSED),
    chart: PLAIN,
    effects: [PLAIN, PLAIN, BOLD, BOLD],
};

impl Theme {
    /// The colour of an effect.
    pub fn effect(&self, effect: Effect) -> Style {
        self.effects[effect as usize]
    }

    /// What an effect's part of a bar is drawn with. Without colour, the stricter the denser.
    pub fn fill(&self, effect: Effect) -> &'static str {
        match (self.name, effect) {
            (ThemeName::Mono, Effect::Permit) => "░",
            (ThemeName::Mono, Effect::Redact) => "▒",
            (ThemeName::Mono, Effect::Local) => "▓",
            _ => "█",
        }
    }
}

/// The sign of an effect: through, with placeholders, at home, nowhere.
pub fn sign(effect: Effect) -> &'static str {
    match effect {
        Effect::Permit => "→",
        Effect::Redact => "≈",
        Effect::Local => "⌂",
        Effect::Block => "✕",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(variables: &[(&str, &str)]) -> ThemeName {
        ThemeName::detect(|name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_is_heard() {
        assert_eq!(detect(&[]), ThemeName::Dark);
        assert_eq!(detect(&[("NO_COLOR", "")]), ThemeName::Dark);
        assert_eq!(
            detect(&[("NO_COLOR", "1"), ("COLORFGBG", "0;15")]),
            ThemeName::Mono
        );
        assert_eq!(detect(&[("COLORFGBG", "0;default;15")]), ThemeName::Light);
        assert_eq!(detect(&[("COLORFGBG", "15;0")]), ThemeName::Dark);
        assert_eq!(detect(&[("TERM", "dumb")]), ThemeName::Mono);
    }

    #[test]
    fn no_colour_means_no_colour() {
        for effect in crate::model::EFFECTS {
            assert_eq!(MONO.effect(effect).fg, None);
        }
        for style in [
            MONO.text,
            MONO.dim,
            MONO.error,
            MONO.simulated,
            MONO.selected,
        ] {
            assert_eq!((style.fg, style.bg), (None, None));
        }
    }

    #[test]
    fn effects_differ_in_every_theme() {
        for theme in [&DARK, &LIGHT, &MONO] {
            let shown = crate::model::EFFECTS
                .map(|effect| (theme.effect(effect), theme.fill(effect), sign(effect)));
            for (i, a) in shown.iter().enumerate() {
                for b in &shown[i + 1..] {
                    assert!(a.2 != b.2 && (a.0 != b.0 || a.1 != b.1), "{:?}", theme.name);
                }
            }
        }
    }
}
