use super::*;
use http::HeaderValue;

fn wire_of(name: &str) -> Option<WireKind> {
    match name {
        "openai" | "mistral" => Some(WireKind::OpenAi),
        "claude" => Some(WireKind::Anthropic),
        "azure-eu" => Some(WireKind::Azure),
        "vertex" => Some(WireKind::Gemini),
        "gpu" => Some(WireKind::Ollama),
        "cohere" => Some(WireKind::Cohere),
        "aws" => Some(WireKind::Bedrock),
        _ => None,
    }
}

fn ask(method: &str, target: &str, headers: &[&'static str]) -> Result<Route, Refusal> {
    let mut map = HeaderMap::new();
    for name in headers {
        map.insert(*name, HeaderValue::from_static("x"));
    }
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    route(&method, &target.parse().expect("a URI"), &map, wire_of)
}

/// A target; then its wire, operation, prefix, model, and what is sent below the endpoint's URL.
type Row<'a> = (&'a str, WireKind, Operation, &'a str, &'a str, &'a str);

#[test]
fn every_path_has_its_wire() {
    use Operation::*;
    use WireKind::*;
    const POSTS: &[Row<'_>] = &[
        (
            "/v1/chat/completions",
            OpenAi,
            Chat,
            "",
            "",
            "/chat/completions",
        ),
        (
            "/openai/v1/chat/completions",
            OpenAi,
            Chat,
            "openai",
            "",
            "/chat/completions",
        ),
        (
            "/v1/completions",
            OpenAi,
            TextCompletion,
            "",
            "",
            "/completions",
        ),
        (
            "/mistral/v1/fim/completions",
            OpenAi,
            TextCompletion,
            "mistral",
            "",
            "/fim/completions",
        ),
        ("/v1/responses", OpenAi, Responses, "", "", "/responses"),
        ("/v1/embeddings", OpenAi, Embeddings, "", "", "/embeddings"),
        (
            "/v1/moderations",
            OpenAi,
            Moderations,
            "",
            "",
            "/moderations",
        ),
        (
            "/v1/messages?beta=true",
            Anthropic,
            Chat,
            "",
            "",
            "/messages?beta=true",
        ),
        (
            "/claude/v1/messages/count_tokens",
            Anthropic,
            CountTokens,
            "claude",
            "",
            "/messages/count_tokens",
        ),
        // An endpoint of that name does not stand in Azure's way, nor Azure in its.
        (
            "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
            Azure,
            Chat,
            "",
            "gpt-4o",
            "/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
        ),
        (
            "/openai/responses?api-version=2025-04-01-preview",
            Azure,
            Responses,
            "",
            "",
            "/responses?api-version=2025-04-01-preview",
        ),
        (
            "/azure-eu/openai/deployments/my.gpt/embeddings?api-version=2024-10-21",
            Azure,
            Embeddings,
            "azure-eu",
            "my.gpt",
            "/deployments/my.gpt/embeddings?api-version=2024-10-21",
        ),
        (
            "/azure-eu/openai/v1/responses",
            Azure,
            Responses,
            "azure-eu",
            "",
            "/v1/responses",
        ),
        (
            "/azure-eu/v1/chat/completions",
            Azure,
            Chat,
            "azure-eu",
            "",
            "/v1/chat/completions",
        ),
        (
            "/v1beta/models/gemini-2.5-flash:generateContent",
            Gemini,
            Chat,
            "",
            "gemini-2.5-flash",
            "/models/gemini-2.5-flash:generateContent",
        ),
        (
            "/v1/models/gemini-2.5-flash:countTokens",
            Gemini,
            CountTokens,
            "",
            "gemini-2.5-flash",
            "/models/gemini-2.5-flash:countTokens",
        ),
        (
            "/vertex/v1beta/models/g:streamGenerateContent?alt=sse",
            Gemini,
            Chat,
            "vertex",
            "g",
            "/models/g:streamGenerateContent?alt=sse",
        ),
        (
            "/v1beta/models/e:batchEmbedContents",
            Gemini,
            Embeddings,
            "",
            "e",
            "/models/e:batchEmbedContents",
        ),
        // Where it runs is the endpoint's to say.
        (
            "/v1beta1/projects/p-1/locations/us-central1/publishers/google/models/g:generateContent",
            Gemini,
            Chat,
            "",
            "g",
            "/models/g:generateContent",
        ),
        (
            "/vertex/v1/publishers/google/models/g:embedContent",
            Gemini,
            Embeddings,
            "vertex",
            "g",
            "/models/g:embedContent",
        ),
        ("/api/chat", Ollama, Chat, "", "", "/chat"),
        (
            "/gpu/api/generate",
            Ollama,
            TextCompletion,
            "gpu",
            "",
            "/generate",
        ),
        ("/api/embed", Ollama, Embeddings, "", "", "/embed"),
        ("/v2/chat", Cohere, Chat, "", "", "/chat"),
        ("/cohere/v2/rerank", Cohere, Rerank, "cohere", "", "/rerank"),
        (
            "/aws/model/eu.anthropic.claude-v1%3A0/converse-stream",
            Bedrock,
            Chat,
            "aws",
            "eu.anthropic.claude-v1:0",
            "/eu.anthropic.claude-v1%3A0/converse-stream",
        ),
        (
            "/model/meta.llama3/converse",
            Bedrock,
            Chat,
            "",
            "meta.llama3",
            "/meta.llama3/converse",
        ),
    ];
    const GETS: &[Row<'_>] = &[
        (
            "/v1/models?limit=20",
            OpenAi,
            Models,
            "",
            "",
            "/models?limit=20",
        ),
        (
            "/v1/models/meta-llama/Llama-3:free",
            OpenAi,
            Models,
            "",
            "meta-llama/Llama-3:free",
            "/models/meta-llama/Llama-3:free",
        ),
        (
            "/claude/v1/models",
            Anthropic,
            Models,
            "claude",
            "",
            "/models",
        ),
        ("/vertex/v1/models", Gemini, Models, "vertex", "", "/models"),
        (
            "/v1beta/models?pageSize=5",
            Gemini,
            Models,
            "",
            "",
            "/models?pageSize=5",
        ),
        (
            "/v1beta/models/gemini-2.5-flash",
            Gemini,
            Models,
            "",
            "gemini-2.5-flash",
            "/models/gemini-2.5-flash",
        ),
        (
            "/openai/models?api-version=2024-10-21",
            Azure,
            Models,
            "",
            "",
            "/models?api-version=2024-10-21",
        ),
        ("/api/tags", Ollama, Models, "", "", "/tags"),
    ];
    for (method, rows) in [("POST", POSTS), ("GET", GETS)] {
        for (target, wire, operation, prefix, model, below) in rows {
            let route = ask(method, target, &[]).unwrap_or_else(|e| panic!("{target}: {e}"));
            let found = (route.wire, route.operation, route.below.as_str());
            assert_eq!(found, (*wire, *operation, *below), "{target}");
            assert_eq!(route.prefix.as_deref().unwrap_or(""), *prefix, "{target}");
            assert_eq!(route.model().unwrap_or(""), *model, "{target}");
        }
    }
}

#[test]
fn what_no_wire_has_is_refused() {
    for (method, target, status) in [
        ("POST", "/", 404),
        ("POST", "/v1", 404),
        ("POST", "/v1/images/generations", 404),
        ("POST", "/elsewhere/v1/chat/completions", 404),
        ("POST", "/openai/deployments/gpt-4o/images/generations", 404),
        ("POST", "/openai/deployments/a%20b/chat/completions", 404),
        ("POST", "/openai/deployments/../chat/completions", 404),
        ("POST", "/v1beta/models/g:predict", 404),
        ("POST", "/v1beta/tunedModels/g:generateContent", 404),
        (
            "POST",
            "/v1beta/models/nora@brevlada.se:generateContent",
            404,
        ),
        (
            "POST",
            "/v1/projects/p/locations/l/publishers/anthropic/models/c:generateContent",
            404,
        ),
        (
            "POST",
            "/v1/projects/p@q/locations/l/publishers/google/models/g:generateContent",
            404,
        ),
        ("POST", "/v1beta/files", 404),
        ("POST", "/model/m/invoke", 404),
        ("POST", "/model/a/b/converse", 404),
        ("POST", "/model/a%2Fb/converse", 404),
        (
            "POST",
            "/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A1%3Aprompt/converse",
            404,
        ),
        ("POST", "/api/pull", 404),
        ("DELETE", "/api/delete", 404),
        ("POST", "/v2/chat/more", 404),
        ("GET", "/v1/models/../files", 404),
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/api/tags", 405),
        ("POST", "/v1beta/models", 405),
        ("POST", "/v1/chat/completions?note=x", 422),
        ("POST", "/v1/chat/completions?key=abc", 422),
        ("POST", "/v1beta/models/g:generateContent?key=a%40b", 422),
        // A stream as one array.
        ("POST", "/v1beta/models/g:streamGenerateContent", 422),
        (
            "POST",
            "/v1beta/models/g:streamGenerateContent?alt=json",
            422,
        ),
    ] {
        let refusal = ask(method, target, &[]).expect_err(target);
        assert_eq!(refusal.status, status, "{target}");
    }
}

#[test]
fn models_are_told_apart_by_headers() {
    for (headers, wire) in [
        (&["authorization"][..], WireKind::OpenAi),
        (&["x-api-key", "anthropic-version"], WireKind::Anthropic),
        (&["x-goog-api-key"], WireKind::Gemini),
    ] {
        assert_eq!(
            ask("GET", "/v1/models", headers).expect("a route").wire,
            wire
        );
    }
}

#[test]
fn a_key_in_the_query_goes_no_further() {
    let target = "/v1beta/models/g:streamGenerateContent?key=AIzaMadeUp&alt=sse";
    let route = ask("POST", target, &[]).expect("a route");
    assert_eq!(route.below, "/models/g:streamGenerateContent?alt=sse");
    assert_eq!(route.key.as_ref().map(Secret::expose), Some("AIzaMadeUp"));
    assert!(!format!("{route:?}").contains("AIzaMadeUp"));
}

#[test]
fn an_endpoints_own_name_for_the_model_goes_into_the_path() {
    let azure = "/openai/deployments/gpt-4o/chat/completions?api-version=1";
    for (target, expected) in [
        (
            "/v1beta/models/g:countTokens",
            "/models/my%20model:countTokens",
        ),
        (
            azure,
            "/deployments/my%20model/chat/completions?api-version=1",
        ),
        ("/v1/chat/completions", "/chat/completions"),
        ("/model/m%3A0/converse", "/my%20model/converse"),
    ] {
        let route = ask("POST", target, &[]).expect("a route");
        assert_eq!(route.below_with(Some("my model")), expected);
        assert_eq!(route.below_with(None), route.below);
    }
}

#[test]
fn a_refusal_without_a_route_is_worded_as_it_reads() {
    for (target, header, api) in [
        ("/v1/elsewhere", "authorization", Api::OpenAi),
        ("/v1/elsewhere", "anthropic-version", Api::Anthropic),
        ("/v1/elsewhere", "x-goog-api-key", Api::Gemini),
        ("/claude/elsewhere", "authorization", Api::Anthropic),
        ("/v1beta/elsewhere", "authorization", Api::Gemini),
        ("/vertex/v1/elsewhere", "authorization", Api::Gemini),
        ("/api/pull", "authorization", Api::Ollama),
        ("/model/m/invoke", "authorization", Api::Bedrock),
        ("/v2/elsewhere", "authorization", Api::Cohere),
        ("/azure-eu/elsewhere", "authorization", Api::OpenAi),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(header, HeaderValue::from_static("x"));
        let uri = target.parse().expect("a URI");
        assert_eq!(guess(&uri, &headers, wire_of), api, "{target}");
    }
}
