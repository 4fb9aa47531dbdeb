use super::decoded::{Byte, Decoded, Signs};

/// One way to read a decoded path: how deeply encoded each kind of sign may be and still be taken for the sign.
///
/// A limit of 0 takes none, 1 those that stood there as they are, 2 also encoded ones, 3 also those encoded twice.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    slashes: u8,
    backslashes: u8,
    /// From a `;` on, the rest of a segment is a parameter.
    parameters: u8,
    /// From `?` or `#` on, the rest is no path.
    ends: u8,
    /// Dot-segments are removed.
    dots: u8,
    repeated: Repeated,
}

/// What `//` is.
#[derive(Clone, Copy)]
enum Repeated {
    /// An empty segment.
    Kept,
    /// The same as `/`.
    Merged,
}

/// A segment and the greatest depth in it.
struct Segment {
    text: Vec<u8>,
    depth: u8,
}

impl Reading {
    /// Every way to read a path with these signs. `None`: more than `max`.
    pub fn all(signs: &Signs, max: usize) -> Option<Vec<Self>> {
        let mut all = vec![Self { slashes: 1, backslashes: 0, parameters: 0, ends: 0, dots: 0, repeated: Repeated::Kept }];
        all = Self::times(all, &signs.slashes.limits(1), |reading, slashes| Self { slashes, ..reading });
        all = Self::times(all, &signs.backslashes.limits(0), |reading, backslashes| Self { backslashes, ..reading });
        all = Self::times(all, &signs.semicolons.limits(0), |reading, parameters| Self { parameters, ..reading });
        all = Self::times(all, &signs.ends.limits(0), |reading, ends| Self { ends, ..reading });
        all = Self::times(all, &signs.dots.limits(0), |reading, dots| Self { dots, ..reading });
        let repeated: &[Repeated] = if signs.empty { &[Repeated::Kept, Repeated::Merged] } else { &[Repeated::Kept] };
        all = Self::times(all, repeated, |reading, repeated| Self { repeated, ..reading });
        // Six kinds with at most four limits each: 4096 small values at the very worst.
        (all.len() <= max).then_some(all)
    }

    fn times<T: Copy>(all: Vec<Self>, values: &[T], with: impl Fn(Self, T) -> Self + Copy) -> Vec<Self> {
        all.into_iter().flat_map(|reading| values.iter().map(move |value| with(reading, *value))).collect()
    }

    /// The path.
    pub fn of(self, decoded: &Decoded) -> Vec<u8> {
        let bytes = decoded.bytes();
        let end = bytes.iter().position(|byte| b"?#".contains(&byte.value) && byte.depth < self.ends).unwrap_or(bytes.len());
        let bytes = bytes.get(..end).unwrap_or(bytes);
        // The path begins with `/`, so the first piece is empty and no segment.
        let segments: Vec<Segment> = bytes.split(|byte| self.separates(byte)).skip(1).map(|bytes| self.segment(bytes)).collect();
        let last = segments.len().saturating_sub(1);
        let mut kept: Vec<Segment> = Vec::with_capacity(segments.len());
        for (index, segment) in segments.into_iter().enumerate() {
            let (is_last, removed) = (index == last, segment.depth < self.dots);
            match (segment.text.as_slice(), self.repeated) {
                (b"", Repeated::Merged) if !is_last => continue,
                // RFC 3986 §5.2.4: what leads to a folder ends in a slash.
                (b"." | b"..", _) if removed => {
                    if segment.text == b".." {
                        kept.pop();
                    }
                    if is_last {
                        kept.push(Segment { text: Vec::new(), depth: 0 });
                    }
                }
                (_, Repeated::Kept | Repeated::Merged) => kept.push(segment),
            }
        }
        if kept.is_empty() {
            return b"/".to_vec();
        }
        kept.iter().flat_map(|segment| std::iter::once(&b'/').chain(&segment.text).copied()).collect()
    }

    fn separates(self, byte: &Byte) -> bool {
        match byte.value {
            b'/' => byte.depth < self.slashes,
            b'\\' => byte.depth < self.backslashes,
            _ => false,
        }
    }

    fn segment(self, bytes: &[Byte]) -> Segment {
        let parameter = |byte: &Byte| byte.value == b';' && byte.depth < self.parameters;
        let bytes = bytes.split(parameter).next().unwrap_or(bytes);
        let mut text = Vec::with_capacity(bytes.len());
        for byte in bytes {
            match byte.value {
                b'/' => text.extend_from_slice(b"%2F"),
                value => text.push(value),
            }
        }
        Segment { text, depth: bytes.iter().map(|byte| byte.depth).max().unwrap_or_default() }
    }
}
