//! The page: its head, its sections in order, its foot.

use super::data::Data;
use super::{Facts, Meta, format, parts, section};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The style, in the page itself: the report is one file.
pub(crate) const STYLE: &str = include_str!("style.css");

/// The whole page.
pub(super) fn render(data: &Data, facts: &Facts, meta: &Meta) -> String {
    let title = format!("Tollgate report, {}", format::period(data.period));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(data, meta))
                main {
                    (simulated_notice(data))
                    (section::summary::render(data, facts))
                    @if !data.is_empty() {
                        (section::spend::render(data))
                        (section::findings::render(data))
                        (section::routes::render(data, facts))
                        (section::decisions::render(data))
                        (section::tax::render(data))
                        @if let Some(tco) = &data.tco { (section::tco::render(tco)) }
                    }
                    (section::business_case::render(&facts.business_case))
                    (section::method::render(data, facts))
                }
                footer {
                    p { "Made by Tollgate " (meta.version) " on " (format::instant(meta.generated_at)) ". All times are UTC." }
                }
            }
        }
    }
    .into_string()
}

fn head(data: &Data, meta: &Meta) -> Markup {
    html! {
        header {
            p.brand { "Tollgate" }
            h1 { "Language-model traffic: what left, what stayed, what it cost" }
            p.period {
                @if !meta.organization.is_empty() { strong { (meta.organization) } " · " }
                (format::period(data.period))
            }
        }
    }
}

/// Told first, before any figure, when any of them holds simulated traffic.
fn simulated_notice(data: &Data) -> Markup {
    let (part, whole) = (data.overview.simulated_exchanges, data.overview.exchanges);
    html! {
        @if part > 0 {
            p.notice {
                (parts::simulated()) " "
                @if part == whole { "All " (format::counted(whole, "exchange")) " of this period" }
                @else { (format::count(part)) " of " (format::counted(whole, "exchange")) " in this period" }
                " went to simulated endpoints: no provider answered them and none of their cost was billed. They are labelled wherever they are in a figure."
            }
        }
    }
}
