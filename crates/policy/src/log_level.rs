/// What the egress service logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LogLevel {
    /// 0: nothing but its start.
    #[default]
    Off,
    /// 1: refusals and warnings.
    Refusals,
    /// 2: every request and response.
    Everything,
}

/// Why a number is no log level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a log level: write 0 (nothing), 1 (refusals) or 2 (everything)")]
pub struct LogLevelError(i64);

impl TryFrom<i64> for LogLevel {
    type Error = LogLevelError;

    fn try_from(number: i64) -> Result<Self, LogLevelError> {
        match number {
            0 => Ok(Self::Off),
            1 => Ok(Self::Refusals),
            2 => Ok(Self::Everything),
            other => Err(LogLevelError(other)),
        }
    }
}
