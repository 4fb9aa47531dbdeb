/// Whose paths are recorded. Method, host, status and bytes always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LogLevel {
    /// 0: nobody's.
    #[default]
    Off,
    /// 1: of what was refused.
    Refusals,
    /// 2: of what passed too.
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
