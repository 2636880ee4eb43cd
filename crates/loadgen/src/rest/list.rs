//! Pages of devices: whether a late one costs more than the first.

use std::borrow::Cow;

use anyhow::Context as _;
use serde::Deserialize;
use tracing::info;

use super::{Load, caller::Caller, pace::Pace};
use crate::{agents::now, report::Report};

/// What is read of a page: where the next one is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    #[serde(borrow, default)]
    next_page_token: Cow<'a, str>,
}

/// Walks through the pages and reads the first one again after each, so that both are measured under the same
/// conditions. `list_first_…` are the times of the first page, `list_deep_…` those of all others, both until the
/// head of the answer, which is an upper bound of the time of the server; `list_whole_…` is until the last byte.
pub async fn walk(
    caller: &Caller,
    page_size: u32,
    pages: u32,
    load: Load,
    report: &mut Report,
) -> anyhow::Result<()> {
    let first_page = format!("/v1/devices?pageSize={page_size}");
    caller.open().await?;
    info!(page_size, "the walk begins");
    let (mut first, mut deep, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    let used = load.processor_time()?;
    let begun = now();
    let pace = Pace { begun, rate: load.rate };
    let mut token = String::new();
    let mut page = 0;
    while page < pages {
        pace.turn(2 * page as usize).await;
        let again = caller.get(&first_page).await?;
        first.push(again.head);
        let answer = match page {
            0 => again,
            _ => {
                pace.turn(2 * page as usize + 1).await;
                let answer = caller.get(&format!("{first_page}&pageToken={token}")).await?;
                deep.push(answer.head);
                answer
            }
        };
        whole.push(answer.whole);
        page += 1;
        token = next(&answer.body)?;
        if token.is_empty() {
            break;
        }
    }
    let took = begun.elapsed();
    let calls = first.len() + deep.len();
    report.count("list_pages", page as usize);
    report.rate("list_rate", calls, took);
    report.times("list_first", first);
    report.times("list_deep", deep);
    report.times("list_whole", whole);
    load.note_processor_time(used, calls, "list", report)
}

/// The token of the next page, ready for a query; empty on the last page.
fn next(body: &[u8]) -> anyhow::Result<String> {
    let page: Page<'_> = serde_json::from_slice(body).context("a page is not what it should be")?;
    Ok(page.next_page_token.bytes().map(encoded).collect())
}

/// A byte of a query value.
fn encoded(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found() {
        let table = [
            (r#"{"devices":[{"uuid":"x"}],"nextPageToken":"aB-_9"}"#, "aB-_9"),
            (r#"{"nextPageToken":"a+/=\u0020"}"#, "a%2B%2F%3D%20"),
            (r#"{"devices":[],"nextPageToken":""}"#, ""),
            ("{}", ""),
        ];
        for (body, token) in table {
            assert_eq!(next(body.as_bytes()).expect("a page"), token, "{body}");
        }
        next(b"<html>").expect_err("not a page");
    }
}
