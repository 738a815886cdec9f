//! A stream's way back: each event as soon as it is whole.

use super::frame::{End, Frames};
use super::restorer::StreamRestorer;
use super::{Answer, Context, Fault, next_piece};
use crate::downstream::Downstream;
use crate::egress::Forwarded;
use crate::error::Refusal;
use bytes::BytesMut;
use http::{HeaderName, HeaderValue};
use std::time::Duration;

/// How long an upstream may take to close a stream whose last event it has sent.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) async fn relay<'a>(
    context: &Context<'_>,
    mut forwarded: Forwarded<'a>,
    headers: Vec<(HeaderName, HeaderValue)>,
    mut frames: Frames,
    down: &mut Downstream,
) -> Result<Answer<'a>, Refusal> {
    down.start(forwarded.status(), headers, None).await?;
    let mut restorer = StreamRestorer::new(context);
    // The last event and all behind it wait until the exchange is on record.
    let mut last = BytesMut::new();
    let mut ended = false;
    loop {
        let piece = match ended {
            false => next_piece(&mut forwarded, down).await?,
            true => {
                match tokio::time::timeout(CLOSE_TIMEOUT, next_piece(&mut forwarded, down)).await {
                    Ok(piece) => piece?,
                    Err(_) => break,
                }
            }
        };
        let Some(piece) = piece else { break };
        frames.push(&piece);
        let mut now = BytesMut::new();
        while let Some(frame) = frames.next_frame().map_err(malformed)? {
            let restored = restorer.frame(frame).map_err(malformed)?;
            let ends = restored.last && !ended;
            for (index, bytes) in restored.out.iter().enumerate() {
                // What was held back goes before the last event.
                let held = ended || ends && index + 1 == restored.out.len();
                if held {
                    last.extend_from_slice(bytes)
                } else {
                    now.extend_from_slice(bytes)
                }
            }
            ended |= ends;
        }
        down.send(now.freeze(), false).await?;
    }
    let mut rest = BytesMut::new();
    match frames.finish() {
        End::Clean => {}
        End::Frame(frame) => restorer
            .frame(frame)
            .map_err(malformed)?
            .out
            .iter()
            .for_each(|b| rest.extend_from_slice(b)),
        // A reader drops what has no blank line behind it, and so do we: it cannot be restored.
        End::Unfinished => {
            return Err(Refusal::upstream_malformed(
                "The endpoint's stream broke off within an event.",
            ));
        }
    }
    if !ended {
        restorer
            .finish()
            .map_err(malformed)?
            .iter()
            .for_each(|b| last.extend_from_slice(b));
    }
    last.unsplit(rest);
    let (usage, restored) = (restorer.usage, restorer.restored());
    Ok(Answer {
        usage,
        streamed_text_bytes: Some(restorer.text_bytes),
        restored,
        last: last.freeze(),
        head: None,
        forwarded,
    })
}

fn malformed(fault: Fault) -> Refusal {
    Refusal::upstream_malformed("The endpoint's stream is not what its wire allows.").because(fault)
}
