//! How a command ends: 0 when it did its work, 1 when it could not, 2 when it was called or
//! configured wrongly.

use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitCode;

/// What every subcommand returns.
pub type Outcome = Result<(), Failure>;

/// Why a command ended without having done its work.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    error: Box<dyn Error + Send + Sync>,
    help: Option<String>,
}

impl Failure {
    /// The command was called or configured wrongly: exit code 2.
    pub fn usage(error: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure {
            code: 2,
            error: error.into(),
            help: None,
        }
    }

    /// The command could not do its work: exit code 1. Any error becomes one by `?`.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure {
            code: 1,
            error: error.into(),
            help: None,
        }
    }

    /// Adds what the reader can do about it.
    pub fn help(mut self, text: impl Into<String>) -> Failure {
        self.help = Some(text.into());
        self
    }

    /// Prints the error with its causes on stderr. A reader of our output who left (`| head`) is
    /// no error.
    pub fn report(&self) -> ExitCode {
        if self.is_broken_pipe() {
            return ExitCode::SUCCESS;
        }
        eprintln!("{self}");
        ExitCode::from(self.code)
    }

    fn is_broken_pipe(&self) -> bool {
        let mut cause: Option<&(dyn Error + 'static)> = Some(&*self.error);
        while let Some(error) = cause {
            if error
                .downcast_ref()
                .is_some_and(|e: &io::Error| e.kind() == io::ErrorKind::BrokenPipe)
            {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "error: {}", self.error)?;
        let mut cause = self.error.source();
        while let Some(error) = cause {
            write!(out, "\n  caused by: {error}")?;
            cause = error.source();
        }
        match &self.help {
            Some(help) => write!(out, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::new(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not write the report")]
    struct Outer(#[source] io::Error);

    #[test]
    fn prints_each_cause_once_and_the_help_last() {
        let failure = Failure::from(Outer(io::Error::other("the disk is full"))).help("free space");
        assert_eq!(
            failure.to_string(),
            "error: could not write the report\n  caused by: the disk is full\nhelp: free space"
        );
        assert_eq!(failure.report(), ExitCode::from(1));
        assert_eq!(Failure::usage("no such option").report(), ExitCode::from(2));
    }

    #[test]
    fn a_reader_who_left_is_no_error() {
        let failure = Failure::from(Outer(io::ErrorKind::BrokenPipe.into()));
        assert_eq!(failure.report(), ExitCode::SUCCESS);
    }
}
