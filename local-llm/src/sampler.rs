//! Chooses the next token from the model's logits.

use crate::config::Config;
use crate::request::{Format, Refusal, Sampling};
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::token::data::LlamaTokenData;
use llama_cpp_2::token::data_array::LlamaTokenDataArray;

/// How many of the last generated tokens the penalties look at.
const PENALTY_TOKENS: i32 = 1024;

/// A JSON object (RFC 8259) with little space between its tokens: a small model that is free to
/// indent may do nothing else.
const JSON_OBJECT: &str = r#"
root   ::= object
value  ::= object | array | string | number | "true" | "false" | "null"
object ::= "{" ws ( string ":" ws value ( "," ws string ":" ws value )* )? ws "}"
array  ::= "[" ws ( value ( "," ws value )* )? ws "]"
string ::= "\"" ( [^"\\\x00-\x1F\x7F] | "\\" ( ["\\/bfnrt] | "u" [0-9a-fA-F]{4} ) )* "\""
number ::= "-"? ( "0" | [1-9] [0-9]{0,15} ) ( "." [0-9]{1,15} )? ( [eE] [-+]? [0-9]{1,3} )?
ws     ::= | " " | "\n" [ \t]{0,8}
"#;

/// Chooses tokens for one request. Penalties look at generated tokens only, as OpenAI's do.
pub(crate) struct Sampler {
    chain: LlamaSampler,
    grammar: Option<LlamaSampler>,
}

impl Sampler {
    pub(crate) fn new(
        model: &LlamaModel,
        sampling: &Sampling,
        format: Format,
        config: &Config,
    ) -> Result<Self, Refusal> {
        let grammar = match format {
            Format::Text => None,
            Format::JsonObject => {
                let grammar = LlamaSampler::grammar(model, JSON_OBJECT, "root");
                Some(grammar.map_err(|_| Refusal::Unavailable)?)
            }
        };
        Ok(Self {
            chain: chain(model, sampling, config),
            grammar,
        })
    }

    /// The next token, from the logits at `index` of the batch just decoded.
    ///
    /// A grammar is asked about the chosen token alone, and about the whole vocabulary only if
    /// it refuses that one: most choices fit.
    pub(crate) fn next(&mut self, context: &LlamaContext<'_>, index: i32) -> Option<LlamaToken> {
        let mut candidates = context.token_data_array_ith(index);
        self.chain.apply(&mut candidates);
        let mut token = candidates.selected_token()?;
        if let Some(grammar) = &mut self.grammar {
            let alone = vec![LlamaTokenData::new(token, 1.0, 0.0)];
            let mut alone = LlamaTokenDataArray::new(alone, false);
            grammar.apply(&mut alone);
            if alone.data[0].logit() == f32::NEG_INFINITY {
                let mut candidates = context.token_data_array_ith(index);
                grammar.apply(&mut candidates);
                candidates
                    .data
                    .retain(|candidate| candidate.logit() > f32::NEG_INFINITY);
                if candidates.data.is_empty() {
                    return None;
                }
                self.chain.apply(&mut candidates);
                token = candidates.selected_token()?;
            }
        }
        Some(token)
    }

    /// Takes note of a token that the answer goes on with; never one that ends it, which
    /// llama.cpp's grammar answers with an abort. False if the grammar does not take it.
    pub(crate) fn accept(&mut self, token: LlamaToken) -> bool {
        self.chain.accept(token);
        self.grammar
            .as_mut()
            .is_none_or(|grammar| grammar.try_accept(token).is_ok())
    }
}

/// The order is llama.cpp's own: penalties, then the cuts, then temperature, then the draw.
fn chain(model: &LlamaModel, sampling: &Sampling, config: &Config) -> LlamaSampler {
    let temperature = sampling.temperature.unwrap_or(config.temperature);
    let top_p = sampling.top_p.unwrap_or(config.top_p);
    let repeat = sampling.repeat_penalty.unwrap_or(1.0);
    let frequency = sampling.frequency_penalty.unwrap_or(0.0);
    let presence = sampling.presence_penalty.unwrap_or(0.0);

    let mut steps = Vec::new();
    if repeat != 1.0 || frequency != 0.0 || presence != 0.0 {
        steps.push(LlamaSampler::penalties(
            model.n_vocab(),
            PENALTY_TOKENS,
            repeat,
            frequency,
            presence,
        ));
    }
    if temperature <= 0.0 {
        steps.push(LlamaSampler::greedy());
        return LlamaSampler::chain(steps, true);
    }
    if let Some(k) = sampling.top_k.filter(|&k| k > 0) {
        steps.push(LlamaSampler::top_k(i32::try_from(k).unwrap_or(i32::MAX)));
    }
    if top_p < 1.0 {
        steps.push(LlamaSampler::top_p(top_p, 1));
    }
    if let Some(p) = sampling.min_p.filter(|&p| p > 0.0) {
        steps.push(LlamaSampler::min_p(p, 1));
    }
    steps.push(LlamaSampler::temp(temperature));
    steps.push(LlamaSampler::dist(
        sampling.seed.unwrap_or_else(random_seed),
    ));
    LlamaSampler::chain(steps, true)
}

fn random_seed() -> u32 {
    uuid::Uuid::new_v4().as_u128() as u32
}
