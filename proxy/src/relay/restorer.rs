//! Restores a stream's events: pure, no I/O, so that it can be tested at every split.

use super::event::{self, Read, Text};
use super::frame::Frame;
use super::{Context, Fault};
use crate::edit::Edits;
use crate::json::JsonLimits;
use crate::wire::{Api, Delta};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Range;
use tollgate_analytics::record::Usage;
use tollgate_redaction::restore::{Escape, Restorer, escape_json, restore_all};
use tollgate_redaction::vault::Vault;

/// The state of a stream's restoration.
pub(super) struct StreamRestorer<'a> {
    api: Api,
    vault: &'a Vault,
    drop_usage: bool,
    limits: JsonLimits,
    /// By channel name, in name order.
    channels: BTreeMap<String, Channel>,
    restored: u32,
    /// Tokens, as far as the stream has told them.
    pub(super) usage: Option<Usage>,
    /// Bytes of the answer's text so far, tool calls included.
    pub(super) text_bytes: u64,
}

/// One text of a stream.
struct Channel {
    restorer: Restorer,
    /// The last event that carried a piece of it, if something is held back: the mould for one
    /// more.
    mould: Option<Mould>,
}

struct Mould {
    frame: Frame,
    data: Bytes,
    /// The channel's piece.
    own: Range<usize>,
    /// Pieces of other channels, which must not be said twice.
    others: Vec<Range<usize>>,
}

/// What is to be sent for one event.
pub(super) struct Restored {
    /// The events to send, as bytes, in order.
    pub(super) out: Vec<Bytes>,
    /// Whether the event was the stream's last.
    pub(super) last: bool,
}

impl<'a> StreamRestorer<'a> {
    pub(super) fn new(context: &Context<'a>) -> Self {
        StreamRestorer {
            api: context.api,
            vault: context.vault,
            drop_usage: context.drop_usage,
            limits: JsonLimits {
                bytes_max: context.limits.event_bytes_max,
                ..context.json_limits()
            },
            channels: BTreeMap::new(),
            restored: 0,
            usage: None,
            text_bytes: 0,
        }
    }

    /// Placeholders restored so far.
    pub(super) fn restored(&self) -> u32 {
        self.restored
            + self
                .channels
                .values()
                .map(|c| c.restorer.restored())
                .sum::<u32>()
    }

    /// Takes an event in its frame, gives what is to be sent for it.
    pub(super) fn frame(&mut self, frame: Frame) -> Result<Restored, Fault> {
        let data = frame.data().map(|data| Bytes::from(data.into_owned()));
        let Some(data) = data.filter(|d| !d.is_empty()) else {
            // A comment, a blank line: nothing to restore.
            return Ok(Restored {
                out: vec![frame.raw().clone()],
                last: false,
            });
        };
        let text = std::str::from_utf8(&data).map_err(|_| Fault::Utf8)?;
        if memchr::memmem::find(&data, self.api.usage_mark().as_bytes()).is_some() {
            self.api.usage(&data, &mut self.usage);
            if self.drop_usage && self.api.is_usage_only(&data) {
                return Ok(Restored {
                    out: Vec::new(),
                    last: false,
                });
            }
        }
        let Read { strings, ending } = event::read(self.api, frame.kind(), text, &self.limits)?;
        let last = ending == event::Ended::All;
        let texts = strings
            .iter()
            .filter(|string| !matches!(string.delta, Delta::Structural));
        self.text_bytes += texts.map(|string| string.content.len() as u64).sum::<u64>();
        if self.vault.is_empty() {
            return Ok(Restored {
                out: vec![frame.raw().clone()],
                last,
            });
        }

        let mut edits = Edits::new();
        for string in &strings {
            let mut restored = String::new();
            match string.delta {
                Delta::Structural => continue,
                Delta::Whole { json } => {
                    let (text, n) = restore_all(self.vault, &string.content, escape(json));
                    self.restored += n;
                    restored.push_str(&text);
                }
                Delta::Piece { json } => {
                    let channel = self
                        .channels
                        .entry(string.channel.clone())
                        .or_insert_with(|| Channel::new(json));
                    channel
                        .restorer
                        .push(self.vault, &string.content, &mut restored);
                    if ending.ends(&string.channel) {
                        channel.restorer.finish(self.vault, &mut restored);
                    }
                    let held = channel.restorer.pending() > 0;
                    channel.mould = held.then(|| Mould::of(&frame, &data, string, &strings));
                }
            }
            if restored != string.content {
                edits.replace(string.range.clone(), quoted(&restored))?;
            }
        }
        let mut out = Vec::new();
        for (_, channel) in self
            .channels
            .iter_mut()
            .filter(|(name, _)| ending.ends(name))
        {
            out.extend(channel.flush(self.vault)?);
        }
        out.push(match edits.is_empty() {
            true => frame.raw().clone(),
            false => frame.with_data(&edits.apply(&data)?).raw().clone(),
        });
        Ok(Restored { out, last })
    }

    /// Ends a stream that did not say that it ends: gives what was held back.
    pub(super) fn finish(&mut self) -> Result<Vec<Bytes>, Fault> {
        let mut out = Vec::new();
        for channel in self.channels.values_mut() {
            out.extend(channel.flush(self.vault)?);
        }
        Ok(out)
    }
}

impl Channel {
    fn new(json: bool) -> Self {
        Channel {
            restorer: Restorer::new(escape(json)),
            mould: None,
        }
    }

    /// One more event with what is held back.
    fn flush(&mut self, vault: &Vault) -> Result<Option<Bytes>, Fault> {
        let mut held = String::new();
        self.restorer.finish(vault, &mut held);
        match self.mould.take() {
            Some(mould) if !held.is_empty() => mould.cast(&held).map(Some),
            _ => Ok(None),
        }
    }
}

impl Mould {
    fn of(frame: &Frame, data: &Bytes, own: &Text, strings: &[Text]) -> Mould {
        let pieces = strings
            .iter()
            .filter(|s| matches!(s.delta, Delta::Piece { .. }));
        let others = pieces
            .filter(|s| s.range != own.range)
            .map(|s| s.range.clone())
            .collect();
        Mould {
            frame: frame.clone(),
            data: data.clone(),
            own: own.range.clone(),
            others,
        }
    }

    fn cast(self, text: &str) -> Result<Bytes, Fault> {
        let mut edits = Edits::new();
        edits.replace(self.own, quoted(text))?;
        for other in self.others {
            if !other.is_empty() {
                edits.replace(other, "")?;
            }
        }
        Ok(self
            .frame
            .with_data(&edits.apply(&self.data)?)
            .raw()
            .clone())
    }
}

fn escape(json: bool) -> Escape {
    if json { Escape::Json } else { Escape::None }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    escape_json(text, &mut out);
    out
}

#[cfg(test)]
mod tests;
