use std::time::Duration;

/// How often and how long. Every wait of this crate has its bound here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// A source is read, and a refresh tried, again no sooner than this after the last time.
    ///
    /// Threat: an agent that provokes refusals has the person's password manager ask again and again until it gets a yes, or
    /// has a login refreshed without end.
    pub(crate) again: Duration,
    /// A command has to have printed its credential.
    pub(crate) command: Duration,
    /// A login is refreshed when it holds no longer than this. Claude Code and Codex take five minutes too.
    pub(crate) early: Duration,
    /// The token endpoint has to have answered. Well below the minute after which Claude Code takes its lock for abandoned.
    pub(crate) answer: Duration,
    /// Another process has to be done with refreshing, when there is no token that still holds.
    pub(crate) lock: Duration,
    /// The same, while there is one to go on with.
    pub(crate) short_lock: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            again: Duration::from_secs(60),
            command: Duration::from_secs(30),
            early: Duration::from_secs(5 * 60),
            answer: Duration::from_secs(30),
            lock: Duration::from_secs(60),
            short_lock: Duration::from_secs(2),
        }
    }
}
