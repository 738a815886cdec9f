//! The same of every wire's stream: whatever the model's pieces and the network's chunks are, the
//! texts come out as if they had come whole.

use super::*;

/// A stream of the texts given in pieces: what the model says, and the arguments of its call.
type Script = fn(&[&str], &[&str]) -> String;
/// What a reader makes of a stream: the text, and the call's arguments.
type Read = fn(&str) -> (String, String);

fn sse(name: Option<&str>, data: &Value) -> String {
    name.map_or(String::new(), |name| format!("event: {name}\n")) + &format!("data: {data}\n\n")
}

fn joined(values: &[Value], pointer: &str) -> String {
    values
        .iter()
        .filter_map(|v| v.pointer(pointer)?.as_str())
        .collect()
}

fn lines(stream: &str) -> Vec<Value> {
    stream
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// Legacy completions have no calls: the second text is that of the second choice.
fn completions(pieces: &[&str], others: &[&str]) -> String {
    let mut stream = String::new();
    for (index, pieces) in [(0, pieces), (1, others)] {
        for piece in pieces {
            stream += &sse(
                None,
                &json!({"choices":[{"text":piece,"index":index,"finish_reason":null}]}),
            );
        }
    }
    for index in [0, 1] {
        stream += &sse(
            None,
            &json!({"choices":[{"text":"","index":index,"finish_reason":"stop"}]}),
        );
    }
    stream + "data: [DONE]\n\n"
}

fn read_completions(stream: &str) -> (String, String) {
    let of = |index: u64| {
        let events = events(stream);
        let own = events
            .into_iter()
            .filter(|e| e["choices"][0]["index"] == index);
        joined(&own.collect::<Vec<_>>(), "/choices/0/text")
    };
    (of(0), of(1))
}

/// As DeepSeek and OpenRouter stream it: reasoning first, then Mistral's content in chunks.
fn reasoning(pieces: &[&str], others: &[&str]) -> String {
    let mut stream = String::new();
    let mut delta = |delta: Value| {
        stream += &sse(None, &json!({"choices":[{"index":0,"delta":delta}]}));
    };
    for piece in pieces {
        delta(json!({"reasoning_content": piece}));
    }
    for piece in others {
        delta(json!({"content": [{"type": "text", "text": piece}]}));
    }
    stream + "data: [DONE]\n\n"
}

fn read_reasoning(stream: &str) -> (String, String) {
    let events = events(stream);
    let of = |pointer| joined(&events, pointer);
    (
        of("/choices/0/delta/reasoning_content"),
        of("/choices/0/delta/content/0/text"),
    )
}

/// The call comes whole, in an event with the end of the text.
fn gemini(pieces: &[&str], arguments: &[&str]) -> String {
    let mut stream = String::new();
    for piece in pieces {
        let content = json!({"role":"model","parts":[{"text":piece}]});
        stream += &sse(None, &json!({"candidates":[{"content":content,"index":0}]}))
            .replace('\n', "\r\n");
    }
    let args: Value = serde_json::from_str(&arguments.concat()).expect("JSON");
    let content = json!({"role":"model","parts":[{"functionCall":{"name":"mail","args":args}}]});
    stream += &sse(
        None,
        &json!({"candidates":[{"content":content,"index":0,"finishReason":"STOP"}],
        "usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3}}),
    );
    stream
}

fn read_gemini(stream: &str) -> (String, String) {
    let events = events(&stream.replace("\r\n", "\n"));
    let call = "/candidates/0/content/parts/0/functionCall/args";
    let args = events.iter().find_map(|e| e.pointer(call)).expect("a call");
    // Nothing is said behind the call.
    let last = events.last().and_then(|e| e.pointer(call));
    assert_eq!(last, Some(args));
    (
        joined(&events, "/candidates/0/content/parts/0/text"),
        args.to_string(),
    )
}

fn ollama(pieces: &[&str], arguments: &[&str]) -> String {
    let mut stream = String::new();
    let mut line = |data: Value| stream += &format!("{data}\n");
    for piece in pieces {
        line(json!({"model":"m","message":{"role":"assistant","content":piece},"done":false}));
    }
    let args: Value = serde_json::from_str(&arguments.concat()).expect("JSON");
    let call = json!([{"function":{"name":"mail","arguments":args}}]);
    line(
        json!({"model":"m","message":{"role":"assistant","content":"","tool_calls":call},"done":false}),
    );
    line(
        json!({"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop",
        "prompt_eval_count":7,"eval_count":3}),
    );
    stream
}

fn read_ollama(stream: &str) -> (String, String) {
    let lines = lines(stream);
    let call = "/message/tool_calls/0/function/arguments";
    let at = lines
        .iter()
        .position(|l| l.pointer(call).is_some())
        .expect("a call");
    assert_eq!(
        joined(&lines[at + 1..], "/message/content"),
        "",
        "text behind the call"
    );
    assert_eq!(lines.last().expect("lines")["done"], true);
    (
        joined(&lines, "/message/content"),
        lines[at].pointer(call).expect("a call").to_string(),
    )
}

/// The text of `/api/generate`, and its thoughts.
fn generate(pieces: &[&str], thoughts: &[&str]) -> String {
    let mut stream = String::new();
    let mut line = |key: &str, text: &str, done: bool| {
        stream += &format!("{}\n", json!({"model":"m",key:text,"done":done}));
    };
    thoughts
        .iter()
        .for_each(|piece| line("thinking", piece, false));
    pieces
        .iter()
        .for_each(|piece| line("response", piece, false));
    line("response", "", true);
    stream
}

fn read_generate(stream: &str) -> (String, String) {
    let lines = lines(stream);
    (joined(&lines, "/response"), joined(&lines, "/thinking"))
}

fn cohere(pieces: &[&str], arguments: &[&str]) -> String {
    let mut stream = String::new();
    let mut event = |kind: &str, index: Option<u64>, message: Value| {
        let mut data = json!({"type": kind, "delta": {"message": message}});
        if let Some(index) = index {
            data["index"] = index.into();
        }
        stream += &sse(Some(kind), &data);
    };
    event("message-start", None, json!({"role": "assistant"}));
    for piece in pieces {
        event("tool-plan-delta", None, json!({"tool_plan": piece}));
    }
    let call = |function: Value| json!({"tool_calls": {"function": function}});
    event(
        "tool-call-start",
        Some(0),
        call(json!({"name": "mail", "arguments": ""})),
    );
    for piece in arguments {
        event(
            "tool-call-delta",
            Some(0),
            call(json!({"arguments": piece})),
        );
    }
    event("tool-call-end", Some(0), json!({}));
    event(
        "content-start",
        Some(0),
        json!({"content": {"type": "text", "text": ""}}),
    );
    for piece in pieces {
        event(
            "content-delta",
            Some(0),
            json!({"content": {"text": piece}}),
        );
    }
    event("content-end", Some(0), json!({}));
    let usage = json!({"billed_units": {"input_tokens": 7, "output_tokens": 3}});
    stream
        + &sse(
            Some("message-end"),
            &json!({"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": usage}}),
        )
}

fn read_cohere(stream: &str) -> (String, String) {
    let events = events(stream);
    let at = |kind: &str| {
        events
            .iter()
            .position(|e| e["type"] == kind)
            .expect("an event")
    };
    let text = joined(&events, "/delta/message/content/text");
    // Each text ends before the next begins.
    let plan = joined(&events[..at("tool-call-start")], "/delta/message/tool_plan");
    assert_eq!(plan, text);
    assert_eq!(
        joined(&events[..at("content-end")], "/delta/message/content/text"),
        text
    );
    let of = &events[at("tool-call-start")..at("tool-call-end")];
    (
        text,
        joined(of, "/delta/message/tool_calls/function/arguments"),
    )
}

const WIRES: &[(&str, Api, Script, Read)] = &[
    ("completions", Api::OpenAi, completions, read_completions),
    ("reasoning", Api::OpenAi, reasoning, read_reasoning),
    ("gemini", Api::Gemini, gemini, read_gemini),
    ("ollama", Api::Ollama, ollama, read_ollama),
    ("generate", Api::Ollama, generate, read_generate),
    ("cohere", Api::Cohere, cohere, read_cohere),
];

proptest! {
    #[test]
    fn any_split_of_any_wire_restores_the_same(places in prop::collection::vec(any::<usize>(), 0..12), chunk_len in 1_usize..200) {
        let bench = bench();
        // It ends within what could be a placeholder, so that something is held back.
        let text = format!("Dear {}, [not a PERSON] we wrote to {}. [PERSON", bench.name, bench.mail);
        let wanted = format!("Dear {NAME}, [not a PERSON] we wrote to {MAIL}. [PERSON");
        let arguments = format!("{{\"to\":\"{}\",\"name\":\"{}\"}}", bench.mail, bench.name);
        for (wire, api, script, read) in WIRES {
            let stream = script(&cut(&text, &places), &cut(&arguments, &places));
            let chunks: Vec<&[u8]> = stream.as_bytes().chunks(chunk_len).collect();
            let out = restore(*api, &bench.vault, &chunks);
            // The network's chunks make no difference at all.
            prop_assert_eq!(&out, &restore(*api, &bench.vault, &[stream.as_bytes()]), "{}", wire);
            let (said, called) = read(&out);
            prop_assert_eq!(said, wanted.clone(), "{}", wire);
            if matches!(*wire, "completions" | "reasoning" | "generate") {
                prop_assert_eq!(called, format!("{{\"to\":\"{MAIL}\",\"name\":\"{NAME}\"}}"), "{}", wire);
            } else {
                let called: Value = serde_json::from_str(&called).expect("arguments stay JSON");
                prop_assert_eq!(called, json!({"to": MAIL, "name": NAME}), "{}", wire);
            }
        }
    }
}

#[test]
fn what_needs_no_change_is_passed_on_byte_for_byte_on_every_wire() {
    let bench = bench();
    for (wire, api, script, _) in WIRES {
        let stream = script(&["plain ", "words"], &["{\"a\":1.50e0}"]);
        assert_eq!(
            restore(*api, &bench.vault, &[stream.as_bytes()]),
            stream,
            "{wire}"
        );
    }
}

#[test]
fn a_thought_and_what_is_said_are_two_texts() {
    let bench = bench();
    let (a, b) = bench.name.split_at(5);
    let mut stream = String::new();
    for (thought, text) in [(true, a), (false, a), (false, b), (true, b)] {
        let part = match thought {
            true => json!({"text": text, "thought": true}),
            false => json!({"text": text}),
        };
        stream += &sse(None, &json!({"candidates":[{"content":{"parts":[part]}}]}));
    }
    let out = events(&restore(Api::Gemini, &bench.vault, &[stream.as_bytes()]));
    let of = |thought: bool| {
        let own = out
            .iter()
            .map(|e| &e["candidates"][0]["content"]["parts"][0]);
        let own = own.filter(|part| part["thought"].as_bool().unwrap_or(false) == thought);
        own.filter_map(|part| part["text"].as_str())
            .collect::<String>()
    };
    assert_eq!((of(true), of(false)), (NAME.to_owned(), NAME.to_owned()));
}

#[test]
fn a_text_in_parts_of_one_event_is_one_text() {
    let bench = bench();
    let (a, b) = bench.name.split_at(5);
    let parts = |texts: &[&str]| {
        let parts: Vec<Value> = texts.iter().map(|text| json!({"text": text})).collect();
        sse(None, &json!({"candidates":[{"content":{"parts":parts}}]}))
    };
    let stream = parts(&["Dear ", a]) + &parts(&[b, ", hello"]);
    let out = events(&restore(Api::Gemini, &bench.vault, &[stream.as_bytes()]));
    let said: String = out
        .iter()
        .flat_map(|e| {
            e["candidates"][0]["content"]["parts"]
                .as_array()
                .expect("parts")
                .clone()
        })
        .filter_map(|part| part["text"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(said, format!("Dear {NAME}, hello"));
}

#[test]
fn tokens_are_told_on_every_wire() {
    let bench = bench();
    for (wire, api, script, _) in WIRES {
        let stream = script(&["words"], &["{\"a\":1}"]);
        if !stream.contains(":7") {
            continue;
        }
        let limits = Limits::default();
        let context = Context {
            api: *api,
            limits: &limits,
            vault: &bench.vault,
            drop_usage: false,
            endpoint: "e",
            effect: "permit",
        };
        let mut restorer = StreamRestorer::new(&context);
        let mut parser = frames(*api);
        parser.push(stream.as_bytes());
        while let Some(frame) = parser.next_frame().expect("small") {
            restorer.frame(frame).expect("valid");
        }
        let told = restorer
            .usage
            .unwrap_or_else(|| panic!("{wire} told nothing"));
        assert_eq!((told.input, told.output), (7, 3), "{wire}");
    }
}

/// A message of Bedrock's, as text: `(kind, payload)`.
fn messages(stream: &[u8]) -> Vec<(String, Value)> {
    let mut parser = crate::eventstream::Parser::new(1 << 20);
    parser.push(stream);
    let mut messages = Vec::new();
    while let Some(message) = parser.next_message().expect("sound") {
        let kind = message.header(":event-type").expect("a kind").to_owned();
        messages.push((kind, serde_json::from_slice(message.data()).expect("JSON")));
    }
    assert!(parser.is_clean());
    messages
}

fn bedrock(pieces: &[&str], arguments: &[&str]) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut send = |kind: &str, data: Value| {
        let headers = [(":event-type", kind), (":message-type", "event")];
        let message = crate::eventstream::Message::new(&headers, data.to_string().as_bytes());
        stream.extend_from_slice(message.raw());
    };
    send("messageStart", json!({"role": "assistant", "p": "abc"}));
    for (index, pieces) in [(0, pieces), (1, pieces), (2, arguments)] {
        for piece in pieces {
            let delta = match index {
                0 => json!({"reasoningContent": {"text": piece}}),
                1 => json!({"text": piece}),
                _ => json!({"toolUse": {"input": piece}}),
            };
            send(
                "contentBlockDelta",
                json!({"contentBlockIndex": index, "delta": delta, "p": "ab"}),
            );
        }
        send(
            "contentBlockStop",
            json!({"contentBlockIndex": index, "p": "abcd"}),
        );
    }
    send("messageStop", json!({"stopReason": "tool_use"}));
    send(
        "metadata",
        json!({"usage": {"inputTokens": 7, "outputTokens": 3}}),
    );
    stream
}

proptest! {
    #[test]
    fn any_split_of_a_bedrock_stream_restores_the_same(places in prop::collection::vec(any::<usize>(), 0..12), chunk_len in 1_usize..200) {
        let bench = bench();
        let text = format!("Dear {}, we wrote to {}. [PERSON", bench.name, bench.mail);
        let arguments = format!("{{\"to\":\"{}\",\"name\":\"{}\"}}", bench.mail, bench.name);
        let stream = bedrock(&cut(&text, &places), &cut(&arguments, &places));
        let chunks: Vec<&[u8]> = stream.chunks(chunk_len).collect();
        let out = restore_bytes(Api::Bedrock, &bench.vault, &chunks);
        prop_assert_eq!(&out, &restore_bytes(Api::Bedrock, &bench.vault, &[&stream]));
        let out = messages(&out);
        // Each block is whole when it stops.
        let mut blocks = vec![String::new(); 3];
        let mut stopped = 0;
        for (kind, data) in &out {
            let index = data["contentBlockIndex"].as_u64().unwrap_or(0) as usize;
            match kind.as_str() {
                "contentBlockStop" => stopped += 1,
                "contentBlockDelta" => {
                    prop_assert_eq!(index, stopped);
                    for place in ["/delta/text", "/delta/reasoningContent/text", "/delta/toolUse/input"] {
                        blocks[index] += data.pointer(place).and_then(Value::as_str).unwrap_or("");
                    }
                }
                _ => {}
            }
        }
        let wanted = format!("Dear {NAME}, we wrote to {MAIL}. [PERSON");
        prop_assert_eq!(&blocks[..2], &[wanted.clone(), wanted]);
        let input: Value = serde_json::from_str(&blocks[2]).expect("input stays JSON");
        prop_assert_eq!(input, json!({"to": MAIL, "name": NAME}));
        prop_assert_eq!(out.last().expect("messages").0.as_str(), "metadata");
    }
}
