//! `start_1m`: how long a server takes to be ready over a large database.

use super::{api::Api, figure::Measured, fill::Filled, median, now};

/// How often it is started.
const RUNS: usize = 5;

/// Starts the server again and again; it is ready when it has answered the first page of the devices over TLS.
///
/// # Errors
/// It does not start.
pub async fn measure(filled: &mut Filled) -> anyhow::Result<Measured> {
    let house = &mut filled.house;
    house.start().await?;
    let api = Api::sign_in(house).await?;
    house.stop().await?;
    let (mut ready, mut listening) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let begun = now();
        house.start().await?;
        listening.push(begun.elapsed().as_secs_f64());
        api.first_page(house).await?;
        ready.push(begun.elapsed().as_secs_f64());
        house.stop().await?;
    }
    let note = format!(
        "Median of {RUNS} starts over {} devices and {} runs until the first page was answered over TLS, worst \
         {:.3} s; listening after {:.3} s. The files were in the cache of the system.",
        filled.devices,
        filled.runs,
        ready.iter().copied().fold(0.0, f64::max),
        median(&mut listening),
    );
    Ok(Measured::new(median(&mut ready), note))
}
