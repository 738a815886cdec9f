//! The `tollgate` binary: arguments, then configuration, then one call per subcommand.

mod args;
mod clock;
mod exit;
mod keys_cmd;
mod runtime;
mod setup;
mod supervise;

use args::{Arguments, Command};
use clap::Parser;
use exit::{Failure, Outcome};
use runtime::Runtime;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(arguments: Arguments) -> Outcome {
    let runtime = Runtime::locate();
    match arguments.command {
        Command::Setup(args) => {
            setup::run(&runtime, args.lock.as_deref(), args.verify).map_err(|error| {
                let help = error.help();
                Failure::new(error).help(help)
            })
        }
        Command::Keys(command) => keys_cmd::run(
            &command,
            std::path::Path::new("data"),
            &mut std::io::stdout().lock(),
        ),
        _ => Err(Failure::usage("later")),
    }
}
