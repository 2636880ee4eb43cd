//! `list_depth`: whether a late page costs more than the first.

use super::{figure::Measured, fill::Filled, generator, setup::Setup};

/// Devices per page.
const PAGE_SIZE: &str = "1000";

/// How much slower than the first page's the p99 of the others may be.
const FACTOR: f64 = 1.5;

/// Walks through all pages.
///
/// The generator reads the first page again after each page, so that both are measured under the same conditions,
/// and counts the time until the head of the answer. The server has written the whole answer by then and the
/// client has read nothing of it: the time is that of the server, and a round trip on loopback.
///
/// # Errors
/// A page is refused.
pub async fn measure(setup: &Setup, filled: &mut Filled) -> anyhow::Result<Measured> {
    filled.house.start().await?;
    let found = generator::rest(setup, &filled.house, &[], &["list", "--page-size", PAGE_SIZE]).await?;
    filled.house.stop().await?;
    let (first, deep) = (found.get("list_first_p99")?, found.get("list_deep_p99")?);
    let note = format!(
        "p99 of {:.0} pages of {PAGE_SIZE} out of {} devices, until the head of the answer; p50 {:.2} ms, the \
         slowest {:.2} ms. The first page, read as often in between: p99 {first:.2} ms, p50 {:.2} ms; ratio of \
         the p99 {:.2} (promised: {FACTOR}). Processor time of the server per page {:.2} ms; until the last byte \
         is read p50 {:.2} ms.",
        found.get("list_pages")?,
        filled.devices,
        found.get("list_deep_p50")?,
        found.get("list_deep_max")?,
        found.get("list_first_p50")?,
        deep / first,
        found.get("list_cpu_per_call")?,
        found.get("list_whole_p50")?,
    );
    Ok(Measured { holds: deep <= FACTOR * first, ..Measured::new(deep, note) })
}
