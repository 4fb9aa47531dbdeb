use std::time::{Duration, Instant};

/// How often the condition is looked at.
const PAUSE: Duration = Duration::from_millis(5);

/// Waits until `condition` holds; at most `bound`, which only ends a test that would hang. For what gives no signal of its
/// own: where there is an end of file, an exit or a line of output to wait for, wait for that.
///
/// # Panics
/// When the bound passes: the test has failed.
pub async fn wait_until(what: &str, bound: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + bound;
    while !condition().await {
        assert!(Instant::now() < end, "{what}: not within {bound:?}");
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::wait_until;
    use std::time::Duration;

    #[tokio::test]
    async fn looks_until_it_holds() {
        let mut looks = 0;
        wait_until("three looks", Duration::from_secs(60), async || {
            looks += 1;
            looks == 3
        })
        .await;
        assert_eq!(looks, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "never: not within 0ns")]
    async fn fails_at_the_bound() {
        wait_until("never", Duration::ZERO, async || false).await;
    }
}
