//! Measures prompt and decode tokens/s of a model on this machine, through the engine's own
//! scheduler and sampler: by wall time, and by CPU time, which says more on a machine that is
//! shared (Linux only).
//!
//! ```text
//! cargo run --release -p tollgate-local-llm --example throughput -- MODEL.gguf
//! ```

use std::path::PathBuf;
use std::time::Instant;
use tollgate_local_llm::{
    Config, Engine, Event, Format, Generation, LlamaEngine, Prompt, Request, Sampling,
};

const PROMPT_WORDS: usize = 200;
const ANSWER_TOKENS: u32 = 64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or("usage: throughput MODEL")?;
    let threads: Vec<u32> = std::env::args()
        .skip(2)
        .map(|n| n.parse())
        .collect::<Result<_, _>>()?;
    println!("threads sequences | prompt tok/s wall  cpu | decode tok/s wall  cpu");
    for threads in if threads.is_empty() {
        vec![1, 2]
    } else {
        threads
    } {
        for sequences in [1, 4] {
            let config = Config {
                model: model.clone(),
                threads,
                slots: sequences,
                context_tokens: 1024,
                ..Config::default()
            };
            let engine = LlamaEngine::load(&config)?;
            run(&engine, sequences, 1, 8)?;
            let prompt = run(&engine, sequences, PROMPT_WORDS, 1)?.0;
            let decode = run(&engine, sequences, 1, ANSWER_TOKENS)?.1;
            println!(
                "{threads:>7} {sequences:>9} | {:>17.0} {:>4.0} | {:>17.0} {:>4.0}",
                prompt[0], prompt[1], decode[0], decode[1]
            );
        }
    }
    Ok(())
}

/// Prompt and generated tokens per second, all sequences together; each by wall and by CPU time.
fn run(
    engine: &LlamaEngine,
    sequences: u32,
    words: usize,
    tokens: u32,
) -> Result<([f64; 2], [f64; 2]), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (started, cpu_started) = (Instant::now(), cpu_seconds()?);
    let submit = |_| engine.submit(request(words, tokens)).map_err(Into::into);
    let running: Vec<Generation> = (0..sequences)
        .map(submit)
        .collect::<Result<_, Box<dyn std::error::Error>>>()?;
    let (mut prompt, mut generated) = (0, 0);
    for mut generation in running {
        prompt += generation.prompt_tokens;
        while let Some(event) = runtime.block_on(generation.next()) {
            if let Event::Done(done) = event {
                generated += done.usage.completion_tokens;
            }
        }
    }
    let seconds = [
        started.elapsed().as_secs_f64(),
        cpu_seconds()? - cpu_started,
    ];
    let rate = |tokens: u32| seconds.map(|seconds| f64::from(tokens) / seconds);
    Ok((rate(prompt), rate(generated)))
}

/// CPU time of this process so far, all threads.
fn cpu_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // After the name, which ends with a bracket, user and system time are fields 12 and 13, in
    // ticks of a hundredth of a second.
    let fields = stat
        .rsplit(") ")
        .next()
        .ok_or("no fields")?
        .split(' ')
        .skip(11)
        .take(2);
    Ok(fields.map(str::parse::<f64>).sum::<Result<f64, _>>()? / 100.0)
}

fn request(words: usize, tokens: u32) -> Request {
    Request {
        // Counting goes on for as long as it is let.
        prompt: Prompt::Text("one two three four five six seven ".repeat(words.div_ceil(7))),
        sampling: Sampling {
            temperature: Some(0.0),
            ..Sampling::default()
        },
        stop: Vec::new(),
        max_tokens: Some(tokens),
        format: Format::Text,
    }
}
