use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

type Step = Pin<Box<dyn Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send>>;

/// What has to be taken back, in the order it was made. Nothing runs until [`Undo::unwind`].
#[derive(Default)]
pub struct Undo {
    steps: Vec<(String, Step)>,
}

/// The first thing that could not be taken back, and how many more.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}{}", if *.more > 0 { format!(" (and {more} more)") } else { String::new() })]
pub struct UndoError {
    /// The step that failed first.
    pub what: String,
    /// Why.
    pub source: Box<dyn Error + Send + Sync>,
    /// How many later steps failed too.
    pub more: usize,
}

/// A step that does not end is given up after this long, so that one stuck thing cannot keep the others.
const PATIENCE: Duration = Duration::from_secs(30);

impl Undo {
    /// Adds the undoing of something that has just been made; `what` is a phrase such as `closing bottle a-1`.
    pub fn push<E>(&mut self, what: impl Into<String>, step: impl Future<Output = Result<(), E>> + Send + 'static)
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.steps.push((what.into(), Box::pin(async move { step.await.map_err(Into::into) })));
    }

    /// Takes everything back, last made first. Goes on after errors.
    ///
    /// # Errors
    /// The first error; later ones are only counted.
    pub async fn unwind(mut self) -> Result<(), UndoError> {
        let mut first: Option<UndoError> = None;
        while let Some((what, step)) = self.steps.pop() {
            let outcome = tokio::time::timeout(PATIENCE, step).await;
            let outcome = outcome.unwrap_or_else(|_| Err(format!("it took longer than {} s", PATIENCE.as_secs()).into()));
            match (outcome, &mut first) {
                (Ok(()), _) => {}
                (Err(_), Some(first)) => first.more += 1,
                (Err(source), None) => first = Some(UndoError { what, source, more: 0 }),
            }
        }
        first.map_or(Ok(()), Err)
    }
}

impl fmt::Debug for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.steps.iter().map(|(what, _)| what)).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::Undo;

    fn step(
        log: &Arc<Mutex<Vec<u8>>>,
        n: u8,
        outcome: Result<(), &'static str>,
    ) -> impl Future<Output = Result<(), &'static str>> + use<> {
        let log = Arc::clone(log);
        async move {
            log.lock().unwrap().push(n);
            outcome
        }
    }

    #[tokio::test(start_paused = true)]
    async fn runs_in_reverse_goes_on_after_errors_and_tells_the_first() {
        let log = Arc::default();
        let mut undo = Undo::default();
        undo.push("one", step(&log, 1, Ok(())));
        undo.push("two", step(&log, 2, Err("late")));
        undo.push("stuck", std::future::pending::<Result<(), &str>>());
        undo.push("four", step(&log, 4, Err("early")));
        undo.push("five", step(&log, 5, Ok(())));
        let error = undo.unwind().await.unwrap_err();
        assert_eq!(*log.lock().unwrap(), [5, 4, 2, 1]);
        assert_eq!(error.to_string(), "four: early (and 2 more)");
    }
}
