//! What the set-up is doing: one line that changes on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

const REDRAW: Duration = Duration::from_millis(200);

/// Shows one component's way into the runtime directory on stderr.
pub struct Progress {
    label: String,
    terminal: bool,
    started: Instant,
    drawn: Option<Instant>,
    open: bool,
}

impl Progress {
    /// Starts the line of `label`.
    pub fn new(label: String) -> Progress {
        let terminal = io::stderr().is_terminal();
        Progress {
            label,
            terminal,
            started: Instant::now(),
            drawn: None,
            open: false,
        }
    }

    /// Says what is being done now, how far, if that is known, and since when. Cheap enough to be
    /// called for each chunk.
    pub fn tick(&mut self, doing: &str, done: u64, total: u64) {
        if !self.terminal || self.drawn.is_some_and(|drawn| drawn.elapsed() < REDRAW) {
            return;
        }
        self.drawn = Some(Instant::now());
        let share = match (done * 100).checked_div(total) {
            Some(percent) if done > 0 => format!(" {percent} % of"),
            _ => String::new(),
        };
        self.draw(&format!(
            "{doing}{share} {}, {} s",
            bytes(total),
            self.seconds()
        ));
    }

    /// A new step: always printed.
    pub fn step(&mut self, doing: &str) {
        self.drawn = None;
        if self.terminal {
            self.draw(doing)
        } else {
            eprintln!("{}: {doing}", self.label)
        }
    }

    /// The last word.
    pub fn done(mut self, result: &str) {
        self.step(result);
    }

    /// Seconds since the line started.
    pub fn seconds(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    fn draw(&mut self, text: &str) {
        self.open = true;
        let mut out = io::stderr().lock();
        // Return, clear to the end of the line. That the terminal is gone is no reason to stop.
        let _ = write!(out, "\r\x1b[K{}: {text}", self.label).and_then(|()| out.flush());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.open {
            eprintln!();
        }
    }
}

/// A size for people: decimal units, as disks and downloads are sold.
pub fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{} kB", count / 1_000),
        1_000_000..1_000_000_000 => format!("{} MB", count / 1_000_000),
        _ => format!(
            "{}.{} GB",
            count / 1_000_000_000,
            count % 1_000_000_000 / 100_000_000
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_short() {
        let shown: Vec<_> = [999, 1_000, 27_773_237, 1_250_000_000]
            .into_iter()
            .map(bytes)
            .collect();
        assert_eq!(shown, ["999 B", "1 kB", "27 MB", "1.2 GB"]);
    }
}
