//! `tollgate demo`: the main job on made-up traffic.
//!
//! ```text
//!  fixtures/demo ──▶ player ──HTTP──▶ gate (tollgate serve) ──HTTP──▶ simulated provider
//!                      │                │        └──▶ local model          │
//!                      │                └──▶ ledger ──▶ store              │
//!                      ▼                                  │                ▼
//!                    line  ◀──── facts, by exchange id ───┘           leak check
//! ```
//!
//! The gate is the real one, in a process of its own. What is printed of an exchange is read back
//! from the store by the id in the reply's header; nothing is guessed. The demo fails if a planted
//! value left, if a decision is not the expected one, or if an answer was not restored.

mod gate;
pub mod leak_checker;
mod line;
mod play;
mod prompts;
mod provider;
mod summary;

use crate::args::DemoArgs;
use crate::exit::{Failure, Outcome};
use gate::Gate;
use leak_checker::{Leak, LeakChecker};
use line::Style;
use play::{Fault, Reply};
use prompts::Prompt;
use provider::{Latency, Provider};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use summary::{Played, Summary};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tollgate_analytics::query::{self, Exchange};
use tollgate_proxy::keys;
use uuid::Uuid;

/// For a record to get from the ledger into the store.
const SHIP_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two looks for it.
const SHIP_POLL: Duration = Duration::from_millis(100);
/// Between two exchanges while the dashboard is open.
const REPLAY_PAUSE: Duration = Duration::from_millis(1_500);
/// For one answer; the local model is slow on a busy machine.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// Runs the demo.
///
/// # Errors
/// When something could not be started, or when a leak or anything unexpected was found.
pub fn run(args: &DemoArgs) -> Outcome {
    let prompts = prompts::load(Path::new(prompts::DIR)).map_err(Failure::new)?;
    let dir = directory(args.data.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        tokio::select! {
            ended = demo(args, &prompts, &dir) => ended,
            // What the demo has started ends with the future that is dropped here.
            _ = crate::supervise::child::shutdown() => Err(Failure::new("interrupted")),
        }
    })
}

/// The directory asked for, or a new one among the temporary files; only we can look into it.
fn directory(asked: Option<&Path>) -> Result<PathBuf, Failure> {
    let dir = match asked {
        Some(dir) => std::path::absolute(dir)?,
        None => std::env::temp_dir().join(format!("tollgate-demo-{}", Uuid::now_v7())),
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&dir)
        .map_err(|error| Failure::new(format!("{}: cannot be made: {error}", dir.display())))?;
    Ok(dir)
}

async fn demo(args: &DemoArgs, prompts: &[Prompt], dir: &Path) -> Outcome {
    let terminal = io::stdout().is_terminal();
    let style = Style { colour: terminal };
    let client = reqwest::Client::builder().timeout(ANSWER_TIMEOUT).build()?;
    if !args.json {
        eprintln!("starting store, local model, gate and simulated provider …");
    }
    let provider = Provider::start(Latency::default()).await?;
    // Before the gate: one that runs takes keys up a moment after they are made.
    let keys = create_keys(&dir.join("data"), prompts)?;
    let gate = Gate::start(dir, &provider, &client).await?;
    let store = store(&gate.data)?;

    let played = play_all(args, style, &client, &gate, &keys, &store, prompts).await?;
    let (leaks, received) = check_leaks(prompts, &provider, &gate)?;
    let planted = prompts.iter().map(|prompt| prompt.planted.len()).sum();
    let summary = Summary {
        played: &played,
        leaks: &leaks,
        planted,
        received,
    };
    if args.json {
        print(&json!({"summary": summary.json(), "data": gate.data}).to_string())?;
    } else {
        print(&format!("\n{}", summary.text(style)))?;
        print(&format!("  {:<15} {}", "data", dir.display()))?;
        let config = gate.config.display();
        print(&format!(
            "  {:<15} tollgate ledger verify --config {config}",
            "verify it"
        ))?;
    }
    let sound = summary.is_sound();

    if terminal && !args.once && !args.json {
        dashboard(&client, &gate, &keys, store, prompts).await?;
    }
    gate.stop().await?;
    match sound {
        true => Ok(()),
        false => Err(Failure::new(
            "the demo found what must not be; see the summary",
        )),
    }
}

/// A key for each team, by team.
fn create_keys(data: &Path, prompts: &[Prompt]) -> Result<BTreeMap<String, String>, Failure> {
    let teams: BTreeSet<&str> = prompts.iter().map(|prompt| prompt.team.as_str()).collect();
    let mut tokens = BTreeMap::new();
    for team in teams {
        // A data directory that is used again has keys of the last run, of which only hashes are
        // known: the new ones take other names.
        let name = format!("{team}-{}", &Uuid::now_v7().simple().to_string()[24..]);
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|error| Failure::new(error.to_string()))?;
        let new = keys::NewKey {
            name: &name,
            team,
            ..keys::NewKey::default()
        };
        let token = keys::create(data, new, random, crate::clock::now_s()).map_err(Failure::new)?;
        tokens.insert(team.to_string(), token);
    }
    Ok(tokens)
}

/// A client of the gate's own store.
fn store(data: &Path) -> Result<clickhouse::Client, Failure> {
    let found = crate::supervise::runfile::find(&data.join("run"), crate::store::NAME)?;
    let found = found.ok_or_else(|| Failure::new("the gate is ready, but names no store"))?;
    Ok(crate::analytics::embedded(found.address, &found.token))
}

/// Plays every prompt once and prints each as soon as the store has it.
async fn play_all(
    args: &DemoArgs,
    style: Style,
    client: &reqwest::Client,
    gate: &Gate,
    keys: &BTreeMap<String, String>,
    store: &clickhouse::Client,
    prompts: &[Prompt],
) -> Result<Vec<Played>, Failure> {
    if !args.json {
        print(&line::heading(style))?;
    }
    let (sender, mut replies) = mpsc::unbounded_channel();
    let player = async move {
        for prompt in prompts {
            let reply = play::send(client, &gate.url(), &keys[&prompt.team], prompt)
                .await
                .ok();
            if sender.send((prompt, reply)).is_err() {
                return;
            }
        }
    };
    let printer = async {
        let mut played = Vec::new();
        while let Some((prompt, reply)) = replies.recv().await {
            let (row, faults) = judge(store, prompt, reply).await?;
            print_one(args, style, prompt, row.as_ref(), &faults)?;
            played.push(Played {
                id: prompt.id.clone(),
                row,
                faults,
            });
        }
        Ok(played)
    };
    let ((), played) = tokio::join!(player, printer);
    played
}

/// Reads an exchange's row back and compares it with what is expected.
async fn judge(
    store: &clickhouse::Client,
    prompt: &Prompt,
    reply: Option<Reply>,
) -> Result<(Option<Exchange>, Vec<Fault>), Failure> {
    let Some((reply, id)) = reply.and_then(|reply| reply.exchange.map(|id| (reply, id))) else {
        return Ok((None, vec![Fault::NoReply]));
    };
    let started = Instant::now();
    loop {
        let late = started.elapsed() > SHIP_TIMEOUT;
        match query::exchange(store, id).await {
            Ok(Some(row)) => {
                let faults = play::faults(prompt, &reply, &row.effect);
                return Ok((Some(row), faults));
            }
            Ok(None) if late => return Ok((None, vec![Fault::Unrecorded])),
            Err(error) if late => return Err(error.into()),
            // A store that is new gets its tables a moment after it is up.
            Ok(None) | Err(_) => {}
        }
        sleep(SHIP_POLL).await;
    }
}

fn print_one(
    args: &DemoArgs,
    style: Style,
    prompt: &Prompt,
    row: Option<&Exchange>,
    faults: &[Fault],
) -> io::Result<()> {
    if args.json {
        let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
        let row = row.map(|row| {
            json!({
                "exchange": row.exchange, "started": row.started(), "team": row.team, "wire": row.wire,
                "model": row.model, "stream": row.stream, "findings": row.findings, "effect": row.effect,
                "rule": row.rule, "endpoint": row.endpoint, "jurisdiction": row.jurisdiction,
                "on_prem": row.on_prem, "simulated": row.simulated, "input_tokens": row.input_tokens,
                "output_tokens": row.output_tokens, "cost_standing": row.cost_standing,
                "cost_nano_usd": row.cost().map(|cost| cost.0), "gate_us": row.gate_us,
            })
        });
        return print(&json!({"prompt": prompt.id, "language": prompt.language, "exchange": row, "faults": faults}).to_string());
    }
    match row {
        Some(row) => print(&line::line(style, row, faults)),
        None => {
            let faults = faults
                .iter()
                .map(Fault::to_string)
                .collect::<Vec<_>>()
                .join("; ");
            print(&style.bad(&format!("! {}: {faults}", prompt.id)))
        }
    }
}

/// Searches everything that the provider received and everything that the gate wrote.
fn check_leaks(
    prompts: &[Prompt],
    provider: &Provider,
    gate: &Gate,
) -> Result<(Vec<Leak>, usize), Failure> {
    let planted = prompts.iter().flat_map(|prompt| {
        prompt.planted.iter().map(|planted| {
            (
                prompt.id.as_str(),
                planted.entity.as_str(),
                planted.value.as_str(),
            )
        })
    });
    let checker = LeakChecker::new(planted);
    let received = provider.received();
    let mut leaks = Vec::new();
    for (index, request) in received.iter().enumerate() {
        let place = format!("request {} at the provider", index + 1);
        leaks.extend(checker.search(&place, request.head.as_bytes()));
        leaks.extend(checker.search(&place, &request.body));
    }
    leaks.extend(checker.search("the gate's log", &std::fs::read(&gate.log)?));
    leaks.extend(checker.search_dir(&gate.data)?);
    Ok((leaks, received.len()))
}

/// The dashboard over the demo's store, while the prompts go round again, until the user leaves.
async fn dashboard(
    client: &reqwest::Client,
    gate: &Gate,
    keys: &BTreeMap<String, String>,
    store: clickhouse::Client,
    prompts: &[Prompt],
) -> Outcome {
    let replay = async {
        for prompt in prompts.iter().cycle() {
            // What comes of it shows in the dashboard.
            let _ = play::send(client, &gate.url(), &keys[&prompt.team], prompt).await;
            sleep(REPLAY_PAUSE).await;
        }
    };
    let options = tollgate_tui::Options {
        context: "demo".into(),
        simulated: true,
        ..tollgate_tui::Options::default()
    };
    tokio::select! {
        ended = tollgate_tui::run(store, options) => Ok(ended?),
        () = replay => Ok(()),
    }
}

/// A line on standard output, at once: the output may be a pipe.
fn print(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
