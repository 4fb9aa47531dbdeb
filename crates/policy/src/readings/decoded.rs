/// A path with its percent-encoding undone, once or twice. Each byte knows how deep it was encoded.
pub(super) struct Decoded {
    bytes: Vec<Byte>,
}

/// One byte of a decoded path.
#[derive(Clone, Copy)]
pub(super) struct Byte {
    pub value: u8,
    /// 0: stood there as it is; 1: encoded; 2: encoded twice.
    pub depth: u8,
}

/// At which depths there are signs that servers take differently.
#[derive(Default)]
pub(super) struct Signs {
    pub slashes: Depths,
    pub backslashes: Depths,
    pub semicolons: Depths,
    /// `?` and `#`.
    pub ends: Depths,
    /// Segments that are `.` or `..`.
    pub dots: Depths,
    /// Whether segments could be empty.
    pub empty: bool,
}

/// A set of depths.
#[derive(Default, Clone, Copy)]
pub(super) struct Depths([bool; 3]);

impl Depths {
    fn add(&mut self, depth: u8) {
        if let Some(seen) = self.0.get_mut(usize::from(depth)) {
            *seen = true;
        }
    }

    /// How far a server may go: it takes signs of a depth below the limit. Always `least`, and one more for each depth there is.
    pub fn limits(self, least: u8) -> Vec<u8> {
        let seen = (0_u8..).zip(self.0).filter(|(_, seen)| *seen).map(|(depth, _)| depth + 1);
        std::iter::once(least).chain(seen.filter(|limit| *limit > least)).collect()
    }
}

impl Decoded {
    /// Undoes percent-encoding once (RFC 3986 §2.1). `None`: an escape is broken, or the result is no text.
    pub fn once(raw: &str) -> Option<Self> {
        let mut bytes = Vec::with_capacity(raw.len());
        let mut rest = raw.as_bytes();
        while let Some((&value, tail)) = rest.split_first() {
            if value == b'%' {
                let (value, after) = escape(tail, |byte| *byte)?;
                bytes.push(Byte { value, depth: 1 });
                rest = after;
            } else {
                bytes.push(Byte { value, depth: 0 });
                rest = tail;
            }
        }
        Self { bytes }.checked()
    }

    /// Undoes what is encoded once more, if anything is. A `%` that begins no escape stays. `None`: the result is no text, or
    /// is encoded even deeper, which nobody does in good faith.
    pub fn again(&self) -> Option<Option<Self>> {
        let Some(twice) = self.deeper(2) else { return Some(None) };
        if twice.deeper(3).is_some() {
            return None;
        }
        twice.checked().map(Some)
    }

    fn deeper(&self, depth: u8) -> Option<Self> {
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut rest = self.bytes.as_slice();
        let mut found = false;
        while let Some((byte, tail)) = rest.split_first() {
            match escape(tail, |byte| byte.value).filter(|_| byte.value == b'%') {
                Some((value, after)) => {
                    bytes.push(Byte { value, depth });
                    rest = after;
                    found = true;
                }
                None => {
                    bytes.push(*byte);
                    rest = tail;
                }
            }
        }
        found.then_some(Self { bytes })
    }

    /// Threats: NUL ends a path early for C programs; control characters split log lines and headers; overlong UTF-8
    /// (`%c0%ae`) was a dot to old decoders; full-width signs become ASCII where a server applies compatibility forms.
    fn checked(self) -> Option<Self> {
        let text = String::from_utf8(self.bytes.iter().map(|byte| byte.value).collect()).ok()?;
        (!text.chars().any(|c| c.is_control() || turns_into_a_sign(c))).then_some(self)
    }

    pub fn bytes(&self) -> &[Byte] {
        &self.bytes
    }

    /// The signs in it. `None`: a dot-segment with parameters, or a segment that is neither `.` nor `..` and that some read as one.
    pub fn signs(&self) -> Option<Signs> {
        let mut signs = Signs::default();
        for byte in &self.bytes {
            match byte.value {
                b'/' => signs.slashes.add(byte.depth),
                b'\\' => signs.backslashes.add(byte.depth),
                b';' => signs.semicolons.add(byte.depth),
                b'?' | b'#' => signs.ends.add(byte.depth),
                _ => {}
            }
        }
        if self.has_dots_with_parameters() {
            return None;
        }
        // Split at every sign there is: whatever segment some reading has stands here too, or a longer one that is not dots.
        let segments: Vec<&[Byte]> = self.bytes.split(|byte| b"/\\;?#".contains(&byte.value)).collect();
        let last = segments.len().saturating_sub(1);
        for (index, segment) in segments.iter().enumerate() {
            let depth = segment.iter().map(|byte| byte.depth).max().unwrap_or_default();
            signs.empty |= segment.is_empty() && index > 0 && index < last;
            if !could_be_dots(segment) {
                continue;
            }
            match segment {
                [_] | [Byte { value: b'.', .. }, Byte { value: b'.', .. }] => signs.dots.add(depth),
                [..] => return None,
            }
        }
        Some(signs)
    }

    /// Threat: `/..;/` is no dot-segment to a proxy in front and one to the servlets behind it, and some remove dots both before
    /// and after the parameters. Nobody sends it in good faith.
    fn has_dots_with_parameters(&self) -> bool {
        self.bytes.split(|byte| b"/\\?#".contains(&byte.value)).any(|segment| {
            let name: Vec<u8> = segment.iter().map(|byte| byte.value).take_while(|value| *value != b';').collect();
            name.len() < segment.len() && matches!(name.as_slice(), b"." | b"..")
        })
    }
}

/// Whether a segment is dots to somebody: file systems drop dots and blanks at the end of a name (`+` is a blank to those who decode
/// forms), and take what follows a `:` for a stream of it; normalisers drop what is not to be seen.
fn could_be_dots(segment: &[Byte]) -> bool {
    let name = segment.iter().map(|byte| byte.value).take_while(|value| *value != b':').collect::<Vec<_>>();
    let is_nothing = |c: char| matches!(c, '.' | '+') || c.is_whitespace() || is_unseen(c);
    name.contains(&b'.') && String::from_utf8_lossy(&name).chars().all(is_nothing)
}

/// Characters without a glyph of their own (Unicode, Default_Ignorable_Code_Point, the common ones).
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}')
}

/// The byte that two hexadecimal digits stand for, and what follows them.
fn escape<T>(after: &[T], value: impl Fn(&T) -> u8) -> Option<(u8, &[T])> {
    let [high, low, rest @ ..] = after else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some((digit(value(high))? * 16 + digit(value(low))?, rest))
}

/// Characters whose compatibility form (Unicode NFKC), best fit in an old code page (the signs of yen and won are `\` in 932 and 949),
/// or form in a name (UTS #46: the ideographic full stop) is one of `. / \ % ;`, and what looks the same.
fn turns_into_a_sign(c: char) -> bool {
    const SIGNS: [char; 20] = [
        '\u{2024}', '\u{2025}', '\u{2026}', '\u{ff0e}', '\u{fe52}', '\u{ff0f}', '\u{2044}', '\u{2215}', '\u{ff3c}', '\u{fe68}',
        '\u{2216}', '\u{ff05}', '\u{ff1b}', '\u{a5}', '\u{20a9}', '\u{29f5}', '\u{29f8}', '\u{29f9}', '\u{3002}', '\u{ff61}',
    ];
    SIGNS.contains(&c)
}
