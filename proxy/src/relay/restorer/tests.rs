use super::*;
use crate::config::Limits;
use crate::relay::frame::Frames;
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_redaction::placeholder::MasterKey;
use tollgate_redaction::vault::VaultLimits;

const NAME: &str = "Zoë \"Zed\" O'Müller";
const MAIL: &str = "zoe@example.org";

struct Bench {
    vault: Vault,
    name: String,
    mail: String,
}

fn bench() -> Bench {
    let mut vault = Vault::new(
        &MasterKey::new([7; 32]).scope("caller"),
        VaultLimits::default(),
    );
    let name = vault.placeholder("PERSON", NAME).expect("fits").to_owned();
    let mail = vault.placeholder("EMAIL", MAIL).expect("fits").to_owned();
    Bench { vault, name, mail }
}

fn frames(api: Api) -> Frames {
    let kind = match api {
        Api::Ollama => "application/x-ndjson",
        Api::Bedrock => "application/vnd.amazon.eventstream",
        _ => "text/event-stream; charset=utf-8",
    };
    let kind = HeaderValue::from_static(kind);
    let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, kind)]);
    Frames::of(&headers, 1 << 20).expect("a stream")
}

/// Restores a stream of text given in chunks; returns what is sent.
fn restore(api: Api, vault: &Vault, chunks: &[&[u8]]) -> String {
    String::from_utf8(restore_bytes(api, vault, chunks)).expect("UTF-8")
}

fn restore_bytes(api: Api, vault: &Vault, chunks: &[&[u8]]) -> Vec<u8> {
    let limits = Limits::default();
    let context = Context {
        api,
        limits: &limits,
        vault,
        drop_usage: false,
        endpoint: "e",
        effect: "redact",
    };
    let mut restorer = StreamRestorer::new(&context);
    let mut parser = frames(api);
    let mut out = Vec::new();
    for chunk in chunks {
        parser.push(chunk);
        while let Some(frame) = parser.next_frame().expect("small") {
            restorer
                .frame(frame)
                .expect("valid")
                .out
                .iter()
                .for_each(|b| out.extend_from_slice(b));
        }
    }
    restorer
        .finish()
        .expect("valid")
        .iter()
        .for_each(|b| out.extend_from_slice(b));
    out
}

/// The data of all events that hold JSON.
fn events(stream: &str) -> Vec<Value> {
    stream
        .split("\n\n")
        .filter_map(|e| e.lines().find_map(|l| l.strip_prefix("data: ")))
        .filter_map(|d| serde_json::from_str(d).ok())
        .collect()
}

fn openai_stream(pieces: &[&str], arguments: &[&str]) -> String {
    let mut stream = String::from(": comment\n\n");
    let mut chunk = |delta: Value, finish: Value| {
        stream += &format!(
            "data: {}\n\n",
            json!({"id":"c","choices":[{"index":0,"delta":delta,"finish_reason":finish}]})
        );
    };
    chunk(json!({"role":"assistant","content":""}), Value::Null);
    for piece in pieces {
        chunk(json!({"content": piece}), Value::Null);
    }
    for piece in arguments {
        chunk(
            json!({"tool_calls":[{"index":0,"function":{"arguments":piece}}]}),
            Value::Null,
        );
    }
    chunk(json!({}), json!("stop"));
    stream
        + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\ndata: [DONE]\n\n"
}

fn openai_texts(stream: &str) -> (String, String) {
    let (mut content, mut arguments) = (String::new(), String::new());
    for event in events(stream) {
        let delta = &event["choices"][0]["delta"];
        content += delta["content"].as_str().unwrap_or("");
        arguments += delta["tool_calls"][0]["function"]["arguments"]
            .as_str()
            .unwrap_or("");
    }
    (content, arguments)
}

/// Cuts text at the places given, each taken modulo its length.
fn cut<'a>(text: &'a str, places: &[usize]) -> Vec<&'a str> {
    let mut at: Vec<usize> = places
        .iter()
        .map(|p| p % (text.len() + 1))
        .filter(|p| text.is_char_boundary(*p))
        .collect();
    at.sort_unstable();
    let mut from = 0;
    let mut parts = Vec::new();
    for place in at.into_iter().chain([text.len()]) {
        parts.push(&text[from..place]);
        from = place;
    }
    parts
}

/// A stream of the Responses API: a text and a call, in pieces and then whole.
fn responses_stream(pieces: &[&str], arguments: &[&str]) -> String {
    let mut stream = String::new();
    let mut event = |data: Value| {
        let kind = data["type"].as_str().expect("a type").to_owned();
        stream += &format!("event: {kind}\ndata: {data}\n\n");
    };
    let (text, call) = (pieces.concat(), arguments.concat());
    event(json!({"type": "response.created", "response": {"id": "resp_1", "output": []}}));
    for piece in pieces {
        event(
            json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": piece}),
        );
    }
    event(
        json!({"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": text}),
    );
    for piece in arguments {
        event(
            json!({"type": "response.function_call_arguments.delta", "output_index": 1, "delta": piece}),
        );
    }
    event(
        json!({"type": "response.function_call_arguments.done", "output_index": 1, "arguments": call}),
    );
    let message = json!({"type": "message", "content": [{"type": "output_text", "text": text}]});
    let call = json!({"type": "function_call", "name": "mail", "arguments": call});
    event(
        json!({"type": "response.completed", "response": {"id": "resp_1", "output": [message, call]}}),
    );
    stream
}

mod wires;

proptest! {
    #[test]
    fn any_split_of_a_responses_stream_restores_the_same(places in prop::collection::vec(any::<usize>(), 0..12), chunk_len in 1_usize..200) {
        let bench = bench();
        // It ends within what could be a placeholder, so that something is held back.
        let content = format!("Dear {}, we wrote to {}. [PERSON", bench.name, bench.mail);
        let arguments = format!("{{\"to\":\"{}\",\"name\":\"{}\"}}", bench.mail, bench.name);
        let stream = responses_stream(&cut(&content, &places), &cut(&arguments, &places));
        let chunks: Vec<&[u8]> = stream.as_bytes().chunks(chunk_len).collect();
        let out = events(&restore(Api::Responses, &bench.vault, &chunks));
        let pieces = |kind: &str| -> String {
            let of = out.iter().filter(|e| e["type"] == kind);
            of.map(|e| e["delta"].as_str().expect("a piece")).collect()
        };
        let wanted = format!("Dear {NAME}, we wrote to {MAIL}. [PERSON");
        let call = json!({"to": MAIL, "name": NAME});
        let json_of = |text: &str| serde_json::from_str::<Value>(text).expect("arguments stay JSON");
        prop_assert_eq!(pieces("response.output_text.delta"), wanted.clone());
        prop_assert_eq!(json_of(&pieces("response.function_call_arguments.delta")), call.clone());
        let done = |kind: &str| out.iter().find(|e| e["type"] == kind).expect("an event");
        prop_assert_eq!(&done("response.output_text.done")["text"], &json!(wanted));
        let whole = &done("response.completed")["response"]["output"];
        prop_assert_eq!(&whole[0]["content"][0]["text"], &json!(wanted));
        prop_assert_eq!(json_of(whole[1]["arguments"].as_str().expect("text")), call);
    }

    #[test]
    fn any_split_restores_the_same(places in prop::collection::vec(any::<usize>(), 0..12), chunk_len in 1_usize..200) {
        let bench = bench();
        let content = format!("Dear {}, [not a PERSON] we wrote to {}.", bench.name, bench.mail);
        let arguments = format!("{{\"to\":\"{}\",\"name\":\"{}\"}}", bench.mail, bench.name);
        let stream = openai_stream(&cut(&content, &places), &cut(&arguments, &places));
        let chunks: Vec<&[u8]> = stream.as_bytes().chunks(chunk_len).collect();
        let out = restore(Api::OpenAi, &bench.vault, &chunks);
        let (content, arguments) = openai_texts(&out);
        prop_assert_eq!(content, format!("Dear {NAME}, [not a PERSON] we wrote to {MAIL}."));
        let arguments: Value = serde_json::from_str(&arguments).expect("arguments stay JSON");
        prop_assert_eq!(arguments, json!({"to": MAIL, "name": NAME}));
        prop_assert!(out.ends_with("data: [DONE]\n\n"));
    }

    #[test]
    fn anthropic_blocks_at_any_split(places in prop::collection::vec(any::<usize>(), 0..12)) {
        let bench = bench();
        let text = format!("Hello {}", bench.name);
        let input = format!("{{\"to\": \"{}\"}}", bench.mail);
        let mut stream = String::new();
        let mut send = |name: &str, data: Value| stream += &format!("event: {name}\ndata: {data}\n\n");
        send("message_start", json!({"type":"message_start","message":{"id":"m","usage":{"input_tokens":9,"output_tokens":1}}}));
        for (index, (key, kind, whole)) in [("text", "text_delta", &text), ("partial_json", "input_json_delta", &input)].into_iter().enumerate() {
            send("content_block_start", json!({"type":"content_block_start","index":index,"content_block":{"type":"text"}}));
            for piece in cut(whole, &places) {
                send("content_block_delta", json!({"type":"content_block_delta","index":index,"delta":{"type":kind,key:piece}}));
            }
            send("content_block_stop", json!({"type":"content_block_stop","index":index}));
        }
        send("message_stop", json!({"type":"message_stop"}));
        let out = restore(Api::Anthropic, &bench.vault, &[stream.as_bytes()]);
        let all = events(&out);
        let joined = |key: &str| all.iter().filter_map(|e| e["delta"][key].as_str()).collect::<String>();
        prop_assert_eq!(joined("text"), format!("Hello {NAME}"));
        let input: Value = serde_json::from_str(&joined("partial_json")).expect("input stays JSON");
        prop_assert_eq!(input, json!({"to": MAIL}));
        // Every delta comes between its block's start and stop.
        let mut open = None;
        for event in &all {
            match event["type"].as_str() {
                Some("content_block_start") => open = event["index"].as_u64(),
                Some("content_block_stop") => open = None,
                Some("content_block_delta") => prop_assert_eq!(open, event["index"].as_u64()),
                _ => {}
            }
        }
    }
}

#[test]
fn what_needs_no_change_is_passed_on_byte_for_byte() {
    let bench = bench();
    let stream = openai_stream(&["plain ", "words"], &["{\"a\":1}"])
        .replace("\"id\":\"c\"", "\"id\" : \"c\" ,\"z\":1.0e0");
    assert_eq!(
        restore(Api::OpenAi, &bench.vault, &[stream.as_bytes()]),
        stream
    );
    let empty = Vault::new(
        &MasterKey::new([7; 32]).scope("caller"),
        VaultLimits::default(),
    );
    assert_eq!(restore(Api::OpenAi, &empty, &[stream.as_bytes()]), stream);
}

#[test]
fn a_placeholder_cut_by_the_end_is_given_out_as_it_is() {
    let bench = bench();
    let cut_off = &bench.name[..bench.name.len() - 3];
    let stream = openai_stream(&["Dear ", cut_off], &[]);
    let out = restore(Api::OpenAi, &bench.vault, &[stream.as_bytes()]);
    assert_eq!(openai_texts(&out).0, format!("Dear {cut_off}"));
    // It comes before the event that ends the choice.
    let all = events(&out);
    let finish = all
        .iter()
        .position(|e| e["choices"][0]["finish_reason"] == "stop")
        .expect("finishes");
    assert!(all[finish..].iter().all(|e| {
        e["choices"][0]["delta"]["content"]
            .as_str()
            .unwrap_or("")
            .is_empty()
    }));
}

#[test]
fn interleaved_choices_do_not_disturb_each_other() {
    let bench = bench();
    let (a, b) = bench.name.split_at(5);
    let (c, d) = bench.mail.split_at(4);
    let mut stream = String::new();
    for (index, piece) in [(0, a), (1, c), (0, b), (1, d)] {
        stream += &format!(
            "data: {}\n\n",
            json!({"choices":[{"index":index,"delta":{"content":piece}}]})
        );
    }
    stream += "data: [DONE]\n\n";
    let out = restore(Api::OpenAi, &bench.vault, &[stream.as_bytes()]);
    let of = |index: u64| {
        events(&out)
            .iter()
            .filter(|e| e["choices"][0]["index"] == index)
            .filter_map(|e| {
                e["choices"][0]["delta"]["content"]
                    .as_str()
                    .map(str::to_owned)
            })
            .collect::<String>()
    };
    assert_eq!((of(0), of(1)), (NAME.to_owned(), MAIL.to_owned()));
}

#[test]
fn a_usage_event_that_only_we_asked_for_is_read_and_not_passed_on() {
    let bench = bench();
    let limits = Limits::default();
    let context = Context {
        api: Api::OpenAi,
        limits: &limits,
        vault: &bench.vault,
        drop_usage: true,
        endpoint: "e",
        effect: "redact",
    };
    let mut restorer = StreamRestorer::new(&context);
    let mut parser = frames(Api::OpenAi);
    parser.push(openai_stream(&["words"], &[]).as_bytes());
    let mut out = Vec::new();
    while let Some(frame) = parser.next_frame().expect("small") {
        restorer
            .frame(frame)
            .expect("valid")
            .out
            .iter()
            .for_each(|b| out.extend_from_slice(b));
    }
    let out = String::from_utf8(out).expect("UTF-8");
    assert!(!out.contains("usage") && out.contains("words") && out.ends_with("data: [DONE]\n\n"));
    assert_eq!(restorer.usage.expect("told").input, 7);
}
