//! Embeddings: vectors that depend on nothing but the text, so that equal texts are equal.

use super::openai::refuse;
use super::{Shared, json, model_of, tokens};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json as value};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Dimensions unless the request asks for others (`text-embedding-3-small`).
const DIMENSIONS: usize = 1_536;
const DIMENSIONS_MAX: usize = 3_072;

pub(super) async fn embeddings(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return refuse("The body is not JSON.");
    };
    let inputs: Vec<&str> = match &request["input"] {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        _ => return refuse("Missing required parameter: 'input'."),
    };
    let dimensions = request["dimensions"]
        .as_u64()
        .map_or(DIMENSIONS, |n| n as usize)
        .clamp(1, DIMENSIONS_MAX);
    let packed = request["encoding_format"] == "base64";
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let vector = vector(text, dimensions);
            let embedding = if packed {
                let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
                Value::from(STANDARD.encode(bytes))
            } else {
                Value::from(vector)
            };
            value!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    let count: u64 = inputs.iter().map(|text| tokens::of(text)).sum();
    tokio::time::sleep(shared.latency.first).await;
    json(
        StatusCode::OK,
        &value!({
            "object": "list", "data": data, "model": model_of(&request),
            "usage": {"prompt_tokens": count, "total_tokens": count},
        }),
    )
}

/// A unit vector from the text's hash, stretched by hashing on.
pub(super) fn vector(text: &str, dimensions: usize) -> Vec<f32> {
    let mut block = Sha256::digest(text.as_bytes());
    let mut vector = Vec::with_capacity(dimensions + 32);
    while vector.len() < dimensions {
        vector.extend(block.iter().map(|byte| f32::from(*byte) - 127.5));
        block = Sha256::digest(block);
    }
    vector.truncate(dimensions);
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= length);
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_of_unit_length_and_depend_on_the_text() {
        let one = vector("a", 100);
        assert_eq!(one, vector("a", 100));
        assert_ne!(one, vector("b", 100));
        assert!((one.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-4);
    }
}
