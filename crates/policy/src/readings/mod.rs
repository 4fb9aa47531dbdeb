//! What a path may mean to a server.
//!
//! A rule about paths protects only if the server behind reads the path as the rule does, and servers differ: whether `%2F`
//! is a separator, whether `\` is, whether `;x` belongs to a segment, whether `//` is `/`, when dot-segments are removed and
//! how often percent-encoding is undone ("path confusion"; CVE-2021-41773, CVE-2020-17523, CVE-2018-1271). So a path is read in
//! every way that some server could, and all readings must be allowed. What no reading could be trusted for is [`Paths::Odd`].

mod decoded;
mod reading;

use decoded::Decoded;
use reading::Reading;

/// What a raw path may mean.
pub(crate) enum Paths<'a> {
    /// The same to every server: the path itself.
    Plain(&'a [u8]),
    /// One of these.
    Several(Readings),
    /// Too odd to tell.
    Odd,
}

/// The readings of a path that is not plain. More than none; bounded by [`Readings::MAX`].
pub(crate) struct Readings {
    /// Each depth of decoding, with the ways in which its signs can be taken.
    ways: Vec<(Decoded, Vec<Reading>)>,
}

impl<'a> Paths<'a> {
    /// Longest path with something to interpret, in bytes: bounds what a request can cost.
    const MAX_LENGTH: usize = 2048;

    /// Every reading of `raw`, a path as it was sent, without query.
    pub fn of(raw: &'a str) -> Self {
        if is_plain(raw.as_bytes()) {
            return Self::Plain(raw.as_bytes());
        }
        if raw.len() > Self::MAX_LENGTH || !raw.starts_with('/') {
            return Self::Odd;
        }
        Readings::of(raw).map_or(Self::Odd, Self::Several)
    }
}

impl Readings {
    /// Most readings of one path. Each feature at least doubles them; honest paths have one or two.
    pub const MAX: usize = 64;

    fn of(raw: &str) -> Option<Self> {
        let once = Decoded::once(raw)?;
        let twice = once.again()?;
        let mut ways = Vec::with_capacity(2);
        for decoded in std::iter::once(once).chain(twice) {
            let readings = Reading::all(&decoded.signs()?, Self::MAX)?;
            ways.push((decoded, readings));
        }
        let count: usize = ways.iter().map(|(_, readings)| readings.len()).sum();
        (count <= Self::MAX).then_some(Self { ways })
    }

    /// The path in each reading: begins with `/`; a separator that was read as a character stands there as `%2F`, so that it
    /// equals nothing in a rule.
    pub fn iter(&self) -> impl Iterator<Item = Vec<u8>> {
        self.ways.iter().flat_map(|(decoded, readings)| readings.iter().map(|reading| reading.of(decoded)))
    }
}

/// Whether every server reads the path alike: segments of unreserved and other harmless characters (RFC 3986 §3.3), none of
/// them empty but the last, none of them dots, nor what could be.
fn is_plain(raw: &[u8]) -> bool {
    let Some(segments) = raw.strip_prefix(b"/") else { return false };
    let mut only_dots = true;
    let mut length = 0_usize;
    for &byte in segments {
        if byte == b'/' {
            if only_dots {
                // Empty, or dots.
                return false;
            }
            (only_dots, length) = (true, 0);
            continue;
        }
        if !HARMLESS[usize::from(byte)] || (byte == b':' && only_dots && length > 0) {
            return false;
        }
        only_dots &= matches!(byte, b'.' | b'+');
        length += 1;
    }
    !only_dots || length == 0
}

const HARMLESS: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        table[byte] = !matches!(byte as u8, b'%' | b'\\' | b';' | b'?' | b'#');
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests;
