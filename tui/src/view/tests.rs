use super::*;
use crate::{
    action::{Action, Loaded},
    headless, made_up,
    source::LoadError,
    theme::ThemeName,
};
use proptest::prelude::*;
use std::{sync::Arc, time::Duration};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

fn app(snapshot: Option<Snapshot>) -> App {
    let mut app = App::new(made_up::noon());
    app.context = "Example Bank".into();
    app.utc = true;
    if let Some(snapshot) = snapshot {
        let result = Ok(Arc::new(snapshot));
        app.update(Action::Loaded(Loaded {
            request: app.request(),
            at: app.now,
            result,
        }));
    }
    app
}

fn fail(app: &mut App) {
    let later = app.now + Duration::from_secs(75);
    let result = Err(Arc::new(LoadError::Timeout(Duration::from_secs(15))));
    app.update(Action::Loaded(Loaded {
        request: app.request(),
        at: later,
        result,
    }));
}

/// The screen as text, drawn by a terminal that draws to memory.
fn screen(app: &App, (columns, rows): (u16, u16)) -> String {
    let mut app = app.clone();
    app.update(Action::Resize(columns, rows));
    let backend = ratatui::backend::TestBackend::new(columns, rows);
    let mut terminal = ratatui::Terminal::new(backend).unwrap();
    let frame = terminal
        .draw(|frame| {
            draw(&app, frame.area(), frame.buffer_mut());
        })
        .unwrap();
    headless::lines(frame.buffer).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_view_at_every_size() {
    let mut app = app(Some(made_up::day()));
    for view in View::EVERY {
        for size in SIZES {
            app.update(Action::Show(view));
            let name = format!("{}_{}x{}", view.title().to_lowercase(), size.0, size.1);
            insta::assert_snapshot!(name, screen(&app, size));
        }
    }
}

#[test]
fn one_exchange() {
    let mut app = app(Some(made_up::day()));
    let found = |exchange: &&Arc<crate::model::Exchange>| exchange.findings() > 4;
    let exchange = app.listed.iter().find(found).unwrap().clone();
    app.overlay = Some(Overlay::Detail(exchange));
    insta::assert_snapshot!("detail_80x24", screen(&app, SIZES[0]));
    insta::assert_snapshot!("detail_120x40", screen(&app, SIZES[1]));
    let refusal = app
        .listed
        .iter()
        .find(|exchange| exchange.is_refusal())
        .unwrap()
        .clone();
    app.overlay = Some(Overlay::Detail(refusal));
    insta::assert_snapshot!("detail_refusal_120x40", screen(&app, SIZES[1]));
}

#[test]
fn the_keys() {
    let mut app = app(None);
    app.update(Action::Help);
    insta::assert_snapshot!("help_80x24", screen(&app, SIZES[0]));
    insta::assert_snapshot!("help_120x40", screen(&app, SIZES[1]));
}

#[test]
fn nothing_happened() {
    let mut app = app(Some(made_up::nothing()));
    for view in View::EVERY {
        app.update(Action::Show(view));
        let name = format!("{}_empty", view.title().to_lowercase());
        insta::assert_snapshot!(name, screen(&app, SIZES[0]));
    }
}

#[test]
fn the_store_is_down() {
    let mut known = app(Some(made_up::day()));
    fail(&mut known);
    insta::assert_snapshot!("store_down_with_figures", screen(&known, SIZES[0]));
    let mut unknown = app(None);
    insta::assert_snapshot!("reading", screen(&unknown, SIZES[0]));
    fail(&mut unknown);
    insta::assert_snapshot!("store_down_without_figures", screen(&unknown, SIZES[0]));
}

#[test]
fn typing_simulated_paused_without_colour() {
    let mut app = app(Some(made_up::day()));
    app.simulated = true;
    app.theme = ThemeName::Mono;
    app.update(Action::Pause);
    app.update(Action::EditFilter);
    "team:研究 redact"
        .chars()
        .for_each(|c| app.update(Action::Type(c)));
    insta::assert_snapshot!("typing", screen(&app, SIZES[0]));
}

#[test]
fn escape_sequences_in_names_do_not_reach_the_terminal() {
    let mut snapshot = made_up::few();
    let mut exchange = snapshot.exchanges[0].as_ref().clone();
    exchange.record.team = "\u{1b}[31mred\u{7}\n".into();
    snapshot.exchanges[0] = Arc::new(exchange);
    let mut app = app(Some(snapshot));
    app.update(Action::Show(View::Exchanges));
    let screen = screen(&app, SIZES[1]);
    assert!(
        screen.chars().all(|c| c == '\n' || !c.is_control()),
        "{screen:?}"
    );
    assert!(screen.contains("[31mred"));
}

fn state() -> impl Strategy<Value = App> {
    let data = prop_oneof![
        Just(None),
        Just(Some(made_up::nothing())),
        Just(Some(made_up::few())),
    ];
    let overlay = 0..3u8;
    (
        data,
        0..View::EVERY.len(),
        overlay,
        any::<bool>(),
        any::<bool>(),
        0..60usize,
    )
        .prop_map(|(data, view, overlay, failed, typing, steps)| {
            let mut app = app(data);
            app.update(Action::Show(View::EVERY[view]));
            if failed {
                fail(&mut app);
            }
            if typing {
                app.update(Action::EditFilter);
                app.update(Action::Type('研'));
            }
            app.simulated = failed;
            match (
                overlay,
                app.snapshot()
                    .and_then(|data| data.exchanges.first().cloned()),
            ) {
                (1, _) => app.update(Action::Help),
                (2, Some(exchange)) => app.overlay = Some(Overlay::Detail(exchange)),
                _ => {}
            }
            (0..steps).for_each(|_| app.update(Action::Move(crate::action::Move::Down)));
            app
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_size_breaks_a_screen(app in state(), columns in 1u16..160, rows in 1u16..60) {
        let text = screen(&app, (columns, rows));
        prop_assert!(text.lines().count() <= usize::from(rows));
        prop_assert!(text.lines().all(|line| Span::raw(line).width() <= usize::from(columns)));
    }
}

#[test]
fn the_smallest_sizes() {
    let mut app = app(Some(made_up::few()));
    for view in View::EVERY {
        app.update(Action::Show(view));
        for columns in 1..30 {
            for rows in 1..12 {
                screen(&app, (columns, rows));
            }
        }
    }
}
