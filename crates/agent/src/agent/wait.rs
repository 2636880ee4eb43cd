//! Waiting for a moment of the clock.

use std::{future::pending, time::Duration};

use guardhouse_model::{Environment, Timestamp};
use tokio::time::sleep;

/// How long is waited before the clock is asked again: it may be set, and the machine may sleep meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Waits until the clock has reached `due`; for ever when there is nothing to wait for.
pub(super) async fn until(environment: &Environment, due: Option<Timestamp>) {
    let Some(due) = due else { return pending().await };
    loop {
        let rest = environment.now().duration_until(due);
        match Duration::try_from(rest) {
            Ok(rest) if !rest.is_zero() => sleep(rest.min(LOOK_AGAIN)).await,
            // Reached, or behind us.
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use guardhouse_model::environment::{ManualClock, SeededEntropy};
    use tokio::time::{Instant, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_clock_counts() {
        let start = Timestamp::from_second(1_700_000_000).expect("in range");
        let clock = Arc::new(ManualClock::new(start));
        let environment = Environment::new(clock.clone(), Arc::new(SeededEntropy::new(1)));
        let begin = Instant::now();
        until(&environment, Some(start)).await;
        assert_eq!(begin.elapsed(), Duration::ZERO, "it is reached");

        let hour = Some(start + jiff::SignedDuration::from_hours(1));
        let waited = timeout(Duration::from_secs(90), until(&environment, hour)).await;
        assert!(waited.is_err(), "the clock stands");
        clock.advance(3_600);
        let begin = Instant::now();
        until(&environment, hour).await;
        assert_eq!(begin.elapsed(), Duration::ZERO);
        assert!(timeout(LOOK_AGAIN * 10, until(&environment, None)).await.is_err());
    }
}
