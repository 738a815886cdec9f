//! The `tollgate` binary: arguments, then configuration, then one call per subcommand.

mod analytics;
mod args;
mod clock;
mod config;
mod demo;
mod destination;
mod doctor;
mod exit;
mod keys_cmd;
mod ledger;
mod listen;
mod local_llm;
mod logging;
mod papers;
mod policy;
mod prices;
mod redactor;
mod report;
mod runtime;
mod scan;
mod serve;
mod setup;
mod siem;
mod store;
mod supervise;
mod tco;
mod top;

use args::{Arguments, Command, SetupArgs};
use clap::Parser;
use config::Config;
use exit::{Failure, Outcome};
use runtime::Runtime;
use std::io;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(arguments: Arguments) -> Outcome {
    let Arguments {
        config: file,
        command,
    } = arguments;
    logging::start(&command);
    let config = || Config::load(file.as_deref()).map_err(Failure::usage);
    match &command {
        Command::Serve(_) => serve::run(&config()?, file.as_deref()),
        Command::Demo(args) => demo::run(args),
        Command::Store(args) => store::run(args, &config()?),
        Command::LocalLlm(args) => local_llm::run(args, &config()?),
        Command::Top(args) => top::run(args, &config()?),
        Command::Scan(args) => scan::run(args, &config()?),
        Command::Report(args) => report::run(args, &config()?),
        Command::Papers(args) => papers::run(args, &config()?),
        Command::Tco(args) => tco::run(args, &config()?),
        Command::Policy(command) => policy::run(command, &config()?),
        Command::Ledger(command) => ledger::run(command, &config()?),
        Command::Keys(command) => {
            let config = config()?;
            match keys_cmd::run(command, &config.data.dir, &mut io::stdout().lock())? {
                Some(act) => ledger::note(&config, act),
                None => Ok(()),
            }
        }
        Command::Prices(command) => prices::run(command, &config()?),
        Command::Setup(args) => set_up(args),
        Command::Doctor(args) => doctor::run(args, Config::load(file.as_deref())),
    }
}

fn set_up(args: &SetupArgs) -> Outcome {
    setup::run(&Runtime::locate(), args.lock.as_deref(), args.verify).map_err(|error| {
        let help = error.help();
        Failure::new(error).help(help)
    })
}
