//! A whole answer: read to its end within a limit, restored by byte range.

use super::{Answer, Context, Fault, is, next_piece};
use crate::downstream::Downstream;
use crate::edit::Edits;
use crate::egress::Forwarded;
use crate::error::Refusal;
use crate::json::{self, Token};
use crate::wire::Role;
use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue};
use tollgate_redaction::restore::{Escape, escape_json, restore_all};

pub(super) async fn relay<'a>(
    context: &Context<'_>,
    mut forwarded: Forwarded<'a>,
    headers: Vec<(HeaderName, HeaderValue)>,
    down: &mut Downstream,
) -> Result<Answer<'a>, Refusal> {
    let status = forwarded.status();
    let body = collect(&mut forwarded, down, context.limits.answer_bytes_max).await?;
    let mut usage = None;
    let mut restored = 0;
    let mut last = body.clone();
    if is(forwarded.headers(), "application/json") {
        context.api.usage(&body, &mut usage);
        if !context.vault.is_empty() {
            (last, restored) = restore(context, &body)?;
        }
    } else if let (false, Ok(text)) = (context.vault.is_empty(), std::str::from_utf8(&body)) {
        // Not the wire's own answer: an error page, say, which may quote the request.
        let (text, n) = restore_all(context.vault, text, Escape::None);
        (last, restored) = (Bytes::from(text.into_owned()), n);
    }
    Ok(Answer {
        usage,
        streamed_text_bytes: None,
        restored,
        last,
        head: Some((status, headers)),
        forwarded,
    })
}

async fn collect(
    forwarded: &mut Forwarded<'_>,
    down: &mut Downstream,
    max: usize,
) -> Result<Bytes, Refusal> {
    let mut whole = BytesMut::new();
    while let Some(piece) = next_piece(forwarded, down).await? {
        if whole.len() + piece.len() > max {
            return Err(Refusal::upstream_malformed(format!(
                "The endpoint's answer is larger than {max} bytes."
            )));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// Restores every string of a JSON answer that is not structural; all other bytes stay.
fn restore(context: &Context<'_>, body: &Bytes) -> Result<(Bytes, u32), Refusal> {
    let mut edits = Edits::new();
    let mut restored = 0;
    let scanned = json::scan(body, &context.json_limits(), |event| -> Result<(), Fault> {
        if event.token != Token::String {
            return Ok(());
        }
        let escape = match context.api.answer_role(event.path) {
            Role::Text => Escape::None,
            Role::NestedJson => Escape::Json,
            Role::Structural | Role::Opaque | Role::Verbatim => return Ok(()),
        };
        let text = event.decode()?;
        let (text, n) = restore_all(context.vault, &text.content, escape);
        if n > 0 {
            let mut escaped = String::with_capacity(text.len() + 8);
            escape_json(&text, &mut escaped);
            edits.replace(event.range.clone(), escaped)?;
            restored += n;
        }
        Ok(())
    });
    scanned.map_err(|fault| {
        Refusal::upstream_malformed("The endpoint's answer is not valid JSON.").because(fault)
    })?;
    if edits.is_empty() {
        return Ok((body.clone(), 0));
    }
    Ok((
        edits
            .apply(body)
            .map_err(Fault::from)
            .map_err(|f| Refusal::upstream_malformed("").because(f))?,
        restored,
    ))
}
