use super::*;
use crate::{keymap, made_up, source::LoadError};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A dashboard that has read the made-up office.
fn open() -> App {
    let mut app = App::new(made_up::noon());
    app.update(answer(&app, made_up::day()));
    app
}

fn answer(app: &App, snapshot: Snapshot) -> Action {
    Action::Loaded(Loaded {
        request: app.request(),
        at: made_up::noon(),
        result: Ok(Arc::new(snapshot)),
    })
}

fn failure(app: &App) -> Action {
    Action::Loaded(Loaded {
        request: app.request(),
        at: made_up::noon(),
        result: Err(Arc::new(LoadError::Timeout(Duration::from_secs(15)))),
    })
}

/// Presses keys as on a keyboard; `⏎` is Enter, `⎋` is Escape, `⌫` is Backspace.
fn press(app: &mut App, keys: &str) {
    for key in keys.chars() {
        let code = match key {
            '⏎' => KeyCode::Enter,
            '⎋' => KeyCode::Esc,
            '⌫' => KeyCode::Backspace,
            '⇥' => KeyCode::Tab,
            key => KeyCode::Char(key),
        };
        let event = KeyEvent::new(code, KeyModifiers::NONE);
        if let Some(action) = keymap::action(event, app.typing.is_some()) {
            app.update(action);
        }
    }
}

fn under_cursor(app: &App) -> u64 {
    app.listed[app.cursor()].seq
}

#[test]
fn views_by_number_and_round_and_round() {
    let mut app = open();
    for (key, view) in "123456".chars().zip(View::EVERY) {
        press(&mut app, &key.to_string());
        assert_eq!(app.view, view);
    }
    press(&mut app, "⇥");
    assert_eq!(app.view, View::Overview);
    press(&mut app, "h");
    assert_eq!(app.view, View::Rules);
}

#[test]
fn the_period_is_part_of_the_request() {
    let mut app = open();
    press(&mut app, "]");
    assert_eq!(app.request().period, Period::Week);
    press(&mut app, "[[[[[");
    assert_eq!(app.request().period, Period::Minutes15);
}

#[test]
fn the_answer_to_an_old_question_is_not_shown() {
    let mut app = open();
    let late = answer(&app, made_up::few());
    press(&mut app, "]");
    app.update(late);
    assert_eq!(app.data.as_ref().unwrap().period, Period::Day);
    assert_eq!(
        app.snapshot().unwrap().totals.exchanges,
        made_up::day().totals.exchanges
    );
}

#[test]
fn a_filter_narrows_while_it_is_typed() {
    let mut app = open();
    let all = app.listed.len();
    press(&mut app, "/effect:block");
    assert_eq!(app.view, View::Exchanges);
    let blocked = app.listed.len();
    assert!(0 < blocked && blocked < all);
    assert!(app.listed.iter().all(|exchange| exchange.is_refusal()));
    press(&mut app, "⎋");
    assert_eq!((app.typing.as_ref(), app.listed.len()), (None, all));

    press(&mut app, "/effect:blok⌫⌫ock⏎");
    assert_eq!((app.typing.as_ref(), app.listed.len()), (None, blocked));
    press(&mut app, "⎋");
    assert_eq!(app.listed.len(), all);
}

#[test]
fn a_wrong_filter_is_said_and_stays_open() {
    let mut app = open();
    press(&mut app, "/colour:red⏎");
    let wrong = app.typing.as_ref().unwrap().wrong.as_ref().unwrap();
    assert!(wrong.contains("colour"), "{wrong}");
}

#[test]
fn the_cursor_stays_on_its_exchange_when_new_ones_come() {
    let mut app = open();
    press(&mut app, "2jjj");
    let seq = under_cursor(&app);
    let mut newer = made_up::day();
    let mut newest = newer.exchanges[0].as_ref().clone();
    newest.seq += 1;
    newest.record.exchange = Uuid::from_u128(7);
    newer.exchanges.insert(0, Arc::new(newest));
    app.update(answer(&app, newer.clone()));
    assert_eq!(under_cursor(&app), seq);
    assert_eq!(app.cursor(), 4);

    press(&mut app, "g");
    app.update(answer(&app, newer));
    assert_eq!(app.cursor(), 0);
}

#[test]
fn the_cursor_stops_at_both_ends() {
    let mut app = open();
    press(&mut app, "2Gjjj");
    assert_eq!(app.cursor(), app.listed.len() - 1);
    press(&mut app, "gkk");
    assert_eq!(app.cursor(), 0);
    app.update(answer(&app, made_up::nothing()));
    press(&mut app, "jG⏎");
    assert_eq!((app.cursor(), app.overlay.as_ref()), (0, None));
}

#[test]
fn enter_opens_the_exchange_and_escape_closes_it() {
    let mut app = open();
    press(&mut app, "2j");
    let seq = under_cursor(&app);
    press(&mut app, "⏎");
    let Some(Overlay::Detail(exchange)) = &app.overlay else {
        panic!("nothing opened")
    };
    assert_eq!(exchange.seq, seq);
    press(&mut app, "GGjj");
    assert_eq!(app.scroll, view::scroll_max(&app));
    press(&mut app, "⎋");
    assert_eq!(app.overlay, None);
}

#[test]
fn enter_on_a_row_lists_the_exchanges_behind_it() {
    let mut app = open();
    press(&mut app, "3⏎");
    let row = &made_up::day().entities[0];
    assert_eq!(app.listed.len() as u64, row.exchanges);

    press(&mut app, "4⏎");
    assert_eq!(
        app.listed.len() as u64,
        made_up::day().routes[0].spend.exchanges
    );

    let teams = made_up::day().teams;
    for (at, team) in teams.iter().enumerate() {
        press(&mut app, &format!("5g{}⏎", "j".repeat(at)));
        assert_eq!(
            app.listed.len() as u64,
            team.spend.exchanges,
            "{}",
            team.name
        );
    }
    press(&mut app, "6G⏎");
    let rules = made_up::day().rules;
    assert_eq!(app.listed.len() as u64, rules.last().unwrap().decisions);
}

#[test]
fn an_id_finds_an_exchange_at_hand_or_asks_the_store() {
    let mut app = open();
    let known = app.listed[5].clone();
    press(&mut app, &format!("/{}⏎", known.record.exchange));
    assert_eq!(app.overlay, Some(Overlay::Detail(known)));
    assert_eq!(app.request().lookup, None);
    press(&mut app, "⎋");

    let old = Uuid::from_u128(42);
    press(&mut app, &format!("/{old}⏎"));
    assert_eq!(app.request().lookup, Some(old));
    app.update(answer(&app, made_up::day()));
    assert!(app.notice.as_ref().unwrap().contains(&old.to_string()));
    assert_eq!(app.request().lookup, None);

    press(&mut app, &format!("/{old}⏎"));
    let found = Snapshot {
        looked_up: Some(app.listed[0].clone()),
        ..made_up::day()
    };
    app.update(answer(&app, found));
    assert!(matches!(app.overlay, Some(Overlay::Detail(_))));
}

#[test]
fn a_failure_keeps_the_figures_and_remembers_since_when() {
    let mut app = open();
    app.update(failure(&app));
    app.update(Action::Tick(made_up::noon() + Duration::from_secs(60)));
    app.update(failure(&app));
    assert_eq!(app.failure.as_ref().unwrap().since, made_up::noon());
    assert!(app.snapshot().is_some());
    app.update(answer(&app, made_up::few()));
    assert_eq!(app.failure, None);
}

#[test]
fn pause_refresh_theme_zone_help_quit() {
    let mut app = open();
    let before = app.request();
    press(&mut app, "pr");
    assert!(app.request().paused && app.request().asked == before.asked + 1);
    press(&mut app, "tu?");
    assert_eq!((app.theme, app.utc), (ThemeName::Light, true));
    assert_eq!(app.overlay, Some(Overlay::Help));
    press(&mut app, "?q");
    assert!(app.overlay.is_none() && app.quit);
}
