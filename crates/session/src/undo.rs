use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use tokio::time::timeout;

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
/// The same when the person does not want to wait: closing a bottle takes well under a second where nothing is wrong.
const HASTE: Duration = Duration::from_secs(3);

impl Undo {
    /// Adds the undoing of something that has just been made; `what` is a phrase such as `closing bottle a-1`.
    pub fn push<E>(&mut self, what: impl Into<String>, step: impl Future<Output = Result<(), E>> + Send + 'static)
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.steps.push((what.into(), Box::pin(async move { step.await.map_err(Into::into) })));
    }

    /// Takes everything back, last made first. Goes on after errors. When `hurry` comes, steps are given up sooner.
    ///
    /// # Errors
    /// The first error; later ones are only counted.
    pub async fn unwind(mut self, hurry: impl Future<Output = ()>) -> Result<(), UndoError> {
        let mut first: Option<UndoError> = None;
        let (mut hurry, mut patience) = (pin!(hurry), PATIENCE);
        while let Some((what, mut step)) = self.steps.pop() {
            let outcome = tokio::select! {
                biased;
                outcome = timeout(patience, &mut step) => outcome,
                () = &mut hurry, if patience > HASTE => {
                    patience = HASTE;
                    timeout(patience, &mut step).await
                }
            };
            let outcome = outcome.unwrap_or_else(|_| Err(format!("it took longer than {} s", patience.as_secs()).into()));
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
        let error = undo.unwind(std::future::pending()).await.unwrap_err();
        assert_eq!(*log.lock().unwrap(), [5, 4, 2, 1]);
        assert_eq!(error.to_string(), "four: early (and 2 more)");
    }

    #[tokio::test(start_paused = true)]
    async fn who_hurries_waits_less_for_every_step() {
        let log = Arc::default();
        let mut undo = Undo::default();
        undo.push("one", step(&log, 1, Ok(())));
        undo.push("stuck too", std::future::pending::<Result<(), &str>>());
        undo.push("stuck", std::future::pending::<Result<(), &str>>());
        let start = tokio::time::Instant::now();
        let error = undo.unwind(async {}).await.unwrap_err();
        assert_eq!(error.to_string(), "stuck: it took longer than 3 s (and 1 more)");
        assert_eq!((start.elapsed().as_secs(), log.lock().unwrap().as_slice()), (6, &[1][..]));
    }
}
