//! The real terminal: set up, drawn to, read, and restored however the program ends.

use crate::{Error, action::Action, app::App, keymap, view};
use crossterm::event::{self, Event, KeyEventKind};
use ratatui::{DefaultTerminal, layout::Size};
use std::{
    io::{self, IsTerminal},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;

/// How long the reading thread may take to notice that the screen was closed.
const NOTICE: Duration = Duration::from_millis(100);

/// The terminal in raw mode on its alternate screen, and its events. Dropping it restores the
/// terminal; so does a panic in any thread, before its message is printed.
pub struct Screen {
    terminal: DefaultTerminal,
    events: mpsc::UnboundedReceiver<io::Result<Event>>,
    closed: Arc<AtomicBool>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Screen {
    /// Takes the terminal over. Fails when there is none.
    pub fn open() -> Result<Screen, Error> {
        if !(io::stdout().is_terminal() && io::stdin().is_terminal()) {
            return Err(Error::NoTerminal);
        }
        let terminal = ratatui::try_init().map_err(Error::Terminal)?;
        let (send, events) = mpsc::unbounded_channel();
        let closed = Arc::new(AtomicBool::new(false));
        let noticed = Arc::clone(&closed);
        let reader = std::thread::spawn(move || read(&send, &noticed));
        Ok(Screen {
            terminal,
            events,
            closed,
            reader: Some(reader),
        })
    }

    /// The terminal's columns and rows.
    pub fn size(&self) -> Result<(u16, u16), Error> {
        let Size { width, height } = self.terminal.size().map_err(Error::Terminal)?;
        Ok((width, height))
    }

    /// Draws the state.
    pub fn draw(&mut self, app: &App) -> Result<(), Error> {
        let drawn = self.terminal.draw(|frame| {
            let area = frame.area();
            if let Some(place) = view::draw(app, area, frame.buffer_mut()) {
                frame.set_cursor_position(place);
            }
        });
        drawn.map(|_| ()).map_err(Error::Terminal)
    }

    /// The next action that a key or a change of size means. Nothing is lost when it is dropped.
    pub async fn next(&mut self, typing: bool) -> Result<Action, Error> {
        loop {
            let ended = || io::Error::new(io::ErrorKind::UnexpectedEof, "its input ended");
            let event = self.events.recv().await.unwrap_or_else(|| Err(ended()));
            let action = match event.map_err(Error::Terminal)? {
                Event::Key(key) if key.kind != KeyEventKind::Release => keymap::action(key, typing),
                Event::Resize(columns, rows) => Some(Action::Resize(columns, rows)),
                _ => None,
            };
            if let Some(action) = action {
                return Ok(action);
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            // It only ever fails by a panic, which has been printed already.
            let _ = reader.join();
        }
        ratatui::restore();
    }
}

/// Reads events until the screen is closed or the terminal is gone.
fn read(send: &mpsc::UnboundedSender<io::Result<Event>>, closed: &AtomicBool) {
    while !closed.load(Ordering::Relaxed) {
        let event = match event::poll(NOTICE) {
            Ok(false) => continue,
            Ok(true) => event::read(),
            Err(error) => Err(error),
        };
        let failed = event.is_err();
        if send.send(event).is_err() || failed {
            return;
        }
    }
}

/// The signals that ask a program to end.
pub struct Signals {
    #[cfg(unix)]
    each: [tokio::signal::unix::Signal; 3],
}

impl Signals {
    /// Begins to listen: from now on these signals do not kill the process.
    #[cfg(unix)]
    pub fn listen() -> Result<Signals, Error> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(Error::Terminal);
        Ok(Signals {
            each: [
                listen(SignalKind::terminate())?,
                listen(SignalKind::hangup())?,
                listen(SignalKind::interrupt())?,
            ],
        })
    }

    /// Waits for one of them.
    #[cfg(unix)]
    pub async fn next(&mut self) {
        let [terminate, hangup, interrupt] = &mut self.each;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
            _ = interrupt.recv() => {}
        }
    }

    /// Begins to listen.
    #[cfg(not(unix))]
    pub fn listen() -> Result<Signals, Error> {
        Ok(Signals {})
    }

    /// Waits for Ctrl-C.
    #[cfg(not(unix))]
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
