use std::time::Duration;

use policy::Shown;

/// What a bottle may use at most; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// Memory, in bytes.
    pub memory: Option<u64>,
    /// Processor time, in cores: 1.5 is one and a half.
    pub cpus: Option<f64>,
    /// Processes and threads.
    pub pids: Option<u64>,
    /// What may be written to the bottle's private layer, in bytes.
    pub disk: Option<u64>,
    /// How long the bottle may live.
    pub time: Option<Duration>,
}

/// Why a text is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a size: write a number of bytes, or one with K, M, G, T or KiB, MiB, GiB, TiB (powers of 1024), such as `512M` or `1.5GiB`", shown = Shown(.0))]
pub struct ByteSizeError(String);

/// Why a text is no span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a span of time: write numbers with s, m, h or d, the largest first, such as `90m` or `1h30m`", shown = Shown(.0))]
pub struct TimeSpanError(String);

/// Parses a size into bytes: `536870912`, `512M`, `1.5GiB`. Units are powers of 1024 in every spelling, as in cgroups, Docker
/// and systemd; `MB` is refused because half of the world reads it otherwise. What does not fit is as large as can be.
///
/// # Errors
/// When the text is none.
pub fn parse_bytes(text: &str) -> Result<u64, ByteSizeError> {
    let error = || ByteSizeError(text.to_owned());
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let (number, unit) = text.split_at(digits);
    let shift = match unit.strip_suffix("iB").unwrap_or(unit) {
        "" if unit.is_empty() => 0,
        "K" | "k" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err(error()),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty()
        || fraction.is_empty()
        || fraction.len() > 3
        || fraction.contains('.')
        || (shift == 0 && number.contains('.'))
    {
        return Err(error());
    }
    let whole: u64 = whole.parse().unwrap_or(u64::MAX);
    let thousandths: u64 = format!("{fraction:0<3}").parse().map_err(|_| error())?;
    let unit = 1u64 << shift;
    Ok(whole.saturating_mul(unit).saturating_add(thousandths * unit / 1000))
}

/// Parses a span of time: `45s`, `90m`, `1h30m`, `2d`. What does not fit is as long as can be.
///
/// # Errors
/// When the text is none, is zero, or repeats a unit.
pub fn parse_time(text: &str) -> Result<Duration, TimeSpanError> {
    let error = || TimeSpanError(text.to_owned());
    let mut seconds = 0u64;
    let mut last = u64::MAX;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 {
            return Err(error());
        }
        let count: u64 = rest[..digits].parse().unwrap_or(u64::MAX);
        let mut after = rest[digits..].chars();
        let unit = match after.next() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            Some(_) | None => return Err(error()),
        };
        if unit >= last {
            return Err(error());
        }
        last = unit;
        seconds = seconds.saturating_add(count.saturating_mul(unit));
        rest = after.as_str();
    }
    if seconds == 0 { Err(error()) } else { Ok(Duration::from_secs(seconds)) }
}

#[cfg(test)]
mod tests {
    use super::{parse_bytes, parse_time};

    #[test]
    fn sizes() {
        for (text, bytes) in
            [("0", 0), ("4096", 4096), ("1k", 1024), ("512M", 512 << 20), ("2GiB", 2 << 30), ("1.5G", 3 << 29), ("1T", 1 << 40)]
        {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for huge in ["99999999999999999999", "99999999999T", "18446744073709551615.9G"] {
            assert_eq!(parse_bytes(huge), Ok(u64::MAX), "{huge}");
        }
        for bad in ["", "G", "1 G", "1MB", "1GB", "-1", "1.G", ".5G", "1.5", "1.0001G", "1.2.3G", "1iB", "1e9", "1_0", "１G"] {
            assert!(parse_bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times() {
        for (text, seconds) in [("45s", 45), ("90m", 5400), ("1h30m", 5400), ("2d", 172_800), ("1d1h1m1s", 90_061)] {
            assert_eq!(parse_time(text).map(|t| t.as_secs()), Ok(seconds), "{text}");
        }
        for bad in ["", "0s", "90", "m", "1m1h", "1m1m", "-1s", "1.5h", "1w", "s"] {
            assert!(parse_time(bad).is_err(), "{bad}");
        }
        for huge in ["99999999999999999999s", "9999999999999999d", "9999999999999999d1h"] {
            assert_eq!(parse_time(huge).map(|t| t.as_secs()), Ok(u64::MAX), "{huge}");
        }
    }
}
