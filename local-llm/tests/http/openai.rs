//! OpenAI's wire: answers, streams, counts.

use crate::server::{CHAT, MESSAGES, MODEL, QUESTION, Server, chat, claude};
use serde_json::{Value, json};

#[tokio::test]
async fn a_question_is_answered_the_same_twice() {
    let server = Server::get().await;
    let body = chat(QUESTION, json!({}));
    let (status, first) = server.json(CHAT, &body).await;
    assert_eq!(status, 200, "{first}");
    assert_eq!(first["object"], "chat.completion");
    assert_eq!(first["model"], MODEL);
    let choice = &first["choices"][0];
    assert!(
        choice["message"]["content"]
            .as_str()
            .unwrap()
            .contains("is 4."),
        "{first}"
    );
    assert_eq!(choice["finish_reason"], "stop");
    // As llama.cpp's tokenizer counts the prompt that the template makes of it.
    assert_eq!(first["usage"]["prompt_tokens"], 37);
    let (_, second) = server.json(CHAT, &body).await;
    assert_eq!(first["choices"], second["choices"]);
    assert_ne!(first["id"], second["id"]);
}

#[tokio::test]
async fn a_seed_decides_and_another_decides_otherwise() {
    let server = Server::get().await;
    let mut answers = Vec::new();
    for seed in [7, 7, 8, 9] {
        let more = json!({"seed": seed, "temperature": 1.5, "top_p": 1.0, "max_tokens": 12});
        let (status, body) = server
            .json(CHAT, &chat("Invent a name for a ship.", more))
            .await;
        assert_eq!(status, 200, "{body}");
        answers.push(
            body["choices"][0]["message"]["content"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    assert_eq!(answers[0], answers[1]);
    assert!(
        answers[0] != answers[2] || answers[0] != answers[3],
        "{answers:?}"
    );
}

#[tokio::test]
async fn a_stream_says_what_the_whole_answer_says() {
    let server = Server::get().await;
    let body = chat(QUESTION, json!({}));
    let (_, whole) = server.json(CHAT, &body).await;
    let more = json!({"stream": true, "stream_options": {"include_usage": true}});
    let events = server.events(CHAT, &chat(QUESTION, more)).await;
    assert_eq!(events.last().unwrap().1, "[DONE]");
    let chunks: Vec<Value> = events[..events.len() - 1]
        .iter()
        .map(|(_, data)| serde_json::from_str(data).unwrap())
        .collect();
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let text: String = chunks
        .iter()
        .filter_map(|c| c["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(text, whole["choices"][0]["message"]["content"]);
    let (usage, rest) = chunks.split_last().unwrap();
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"], whole["usage"]);
    assert!(rest.iter().all(|chunk| chunk["usage"].is_null()));
    assert_eq!(rest.last().unwrap()["choices"][0]["finish_reason"], "stop");
    assert!(
        chunks
            .iter()
            .all(|c| c["object"] == "chat.completion.chunk" && c["id"] == chunks[0]["id"])
    );

    let events = server
        .events(
            CHAT,
            &chat("Say yes.", json!({"stream": true, "max_tokens": 2})),
        )
        .await;
    assert!(events.iter().all(|(_, data)| !data.contains("usage")));
}

#[tokio::test]
async fn tokens_are_counted_as_the_tokenizer_counts_them() {
    let server = Server::get().await;
    let before = (
        server.metric("tokens_total{kind=\"prompt\"}").await,
        server.metric("tokens_total{kind=\"completion\"}").await,
    );
    let (_, body) = server
        .json(CHAT, &chat("Count to ten.", json!({"max_tokens": 3})))
        .await;
    assert_eq!(body["choices"][0]["finish_reason"], "length");
    let usage = &body["usage"];
    assert_eq!(usage["completion_tokens"], 3);
    let prompt = usage["prompt_tokens"].as_u64().unwrap();
    assert_eq!(usage["total_tokens"], prompt + 3);
    assert_eq!(
        server.metric("tokens_total{kind=\"prompt\"}").await - before.0,
        prompt as f64
    );
    assert_eq!(
        server.metric("tokens_total{kind=\"completion\"}").await - before.1,
        3.0
    );

    // " ten" is one token of this vocabulary: each more of it counts one more.
    let (_, longer) = server
        .json(
            CHAT,
            &chat("Count to ten ten ten.", json!({"max_tokens": 1})),
        )
        .await;
    assert_eq!(longer["usage"]["prompt_tokens"], prompt + 2);
    let parts = json!([{"type": "text", "text": "Count to"}, {"type": "text", "text": " ten."}]);
    let (_, parts) = server
        .json(
            CHAT,
            &chat(
                "",
                json!({"messages": [{"role": "user", "content": parts}], "max_tokens": 1}),
            ),
        )
        .await;
    assert_eq!(parts["usage"]["prompt_tokens"], prompt);
    let system =
        json!([{"role": "system", "content": "x"}, {"role": "user", "content": "Count to ten."}]);
    let (_, short) = server
        .json(
            CHAT,
            &chat("", json!({"messages": system, "max_tokens": 1})),
        )
        .await;
    assert!(short["usage"]["prompt_tokens"].as_u64().unwrap() + 10 < prompt);
}

#[tokio::test]
async fn a_stop_sequence_ends_the_answer_and_is_not_in_it() {
    let server = Server::get().await;
    let (_, whole) = server.json(CHAT, &chat(QUESTION, json!({}))).await;
    let whole = whole["choices"][0]["message"]["content"]
        .as_str()
        .unwrap()
        .to_owned();
    let at = whole.find("math").unwrap();
    // It begins and ends within tokens.
    let stop = &whole[at - 2..at + 3];
    for stream in [false, true] {
        let body = chat(QUESTION, json!({"stop": [stop, "never"], "stream": stream}));
        let text = if stream {
            let events = server.events(CHAT, &body).await;
            let data = events
                .iter()
                .filter_map(|(_, data)| serde_json::from_str::<Value>(data).ok());
            data.filter_map(|d| {
                d["choices"][0]["delta"]["content"]
                    .as_str()
                    .map(String::from)
            })
            .collect()
        } else {
            let (_, answer) = server.json(CHAT, &body).await;
            assert_eq!(answer["choices"][0]["finish_reason"], "stop");
            answer["choices"][0]["message"]["content"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(text, whole[..at - 2], "stream: {stream}");
    }
    let body = claude(json!(QUESTION), json!({"stop_sequences": [stop]}));
    let (_, answer) = server.json(MESSAGES, &body).await;
    assert_eq!(answer["stop_reason"], "stop_sequence");
    assert_eq!(answer["stop_sequence"], stop);
}

#[tokio::test]
async fn json_mode_gives_json() {
    let server = Server::get().await;
    let more = json!({"response_format": {"type": "json_object"}, "max_tokens": 80, "stop": "}"});
    let (status, body) = server
        .json(
            CHAT,
            &chat("Describe a cat as JSON with name and age.", more),
        )
        .await;
    assert_eq!(status, 200, "{body}");
    let text = body["choices"][0]["message"]["content"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(text.trim_start().starts_with('{'), "{text}");
    if body["choices"][0]["finish_reason"] == "stop" {
        let closing = "}".repeat(text.matches('{').count() - text.matches('}').count());
        serde_json::from_str::<Value>(&format!("{text}{closing}")).expect(&text);
    }
}

#[tokio::test]
async fn text_is_completed() {
    let server = Server::get().await;
    let body =
        json!({"model": MODEL, "prompt": "one, two, three,", "max_tokens": 4, "temperature": 0});
    let (status, answer) = server.json("/v1/completions", &body).await;
    assert_eq!(status, 200, "{answer}");
    assert!(
        answer["choices"][0]["text"]
            .as_str()
            .unwrap()
            .contains("four"),
        "{answer}"
    );
    assert_eq!(answer["usage"]["prompt_tokens"], 6);
}
