/// Follows the framing of HTTP/1 requests (RFC 9112) as their bytes pass by. Copies nothing but a line that is cut.
///
/// Whatever way the bytes are cut into pieces, the answer is the same.
#[derive(Debug)]
pub struct Framing {
    state: State,
    bounds: Bounds,
    /// The part of the present line that came in earlier pieces, without its end.
    line: Vec<u8>,
    head: Head,
}

/// How large a head may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes, the request line and line ends included.
    pub bytes: usize,
    /// Header fields.
    pub fields: usize,
}

/// What is ambiguous, forbidden or too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A line that ends without CR, or a CR elsewhere.
    #[error("a line does not end in CR LF")]
    LineEnd,
    /// NUL or another control character.
    #[error("a control character stands in the head")]
    Control,
    /// Not `METHOD target HTTP/1.x`.
    #[error("the request line is not `METHOD target HTTP/1.1`")]
    RequestLine,
    /// A target with characters that no URI has, even as browsers write them, or that is none (RFC 9112 §3.2).
    #[error("the request's target is no URI: percent-encode what is not a letter, digit or one of `-._~` in it")]
    Target,
    /// A fragment, which is no part of a target (RFC 9112 §3.2).
    #[error("the request's target holds a fragment (`#…`), which is never sent: remove it")]
    Fragment,
    /// A header line that goes on in the next (obs-fold, RFC 9112 §5.2).
    #[error("a header is folded over two lines")]
    Folded,
    /// No colon, an empty name, white space before the colon, or a name that is no token.
    #[error("a header's name is not a token followed by a colon")]
    FieldName,
    /// Two `Content-Length`, or one that is no number.
    #[error("`Content-Length` stands twice or is not a number")]
    Length,
    /// `Transfer-Encoding` that is not exactly `chunked`, twice, in HTTP/1.0, or beside `Content-Length`.
    #[error("`Transfer-Encoding` is something other than a single `chunked`, or stands beside `Content-Length`")]
    Encoding,
    /// None in HTTP/1.1, or several.
    #[error("there is not exactly one `Host`")]
    Host,
    /// A chunk's size line that is not a plain hexadecimal number, or data that does not end where it should.
    #[error("a chunk is not framed as size, data and line ends alone")]
    Chunk,
    /// A field among the trailers that frames or routes a message.
    #[error("a trailer frames or routes the message")]
    Trailer,
    /// A CONNECT that announces a body.
    #[error("a CONNECT announces a body")]
    ConnectBody,
    /// Larger than [`Bounds`].
    #[error("the head is larger than the limit")]
    TooLarge,
    /// The head was begun and not ended in time.
    #[error("the head did not arrive in time")]
    TooSlow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    RequestLine,
    Field,
    /// So many bytes of a body with a length.
    Body(u64),
    ChunkSize,
    /// So many bytes of a chunk.
    Chunk(u64),
    ChunkEnd,
    Trailer,
    /// Not HTTP any more.
    Tunnel,
}

#[derive(Debug, Default)]
struct Head {
    bytes: usize,
    fields: usize,
    hosts: usize,
    length: Option<u64>,
    encoding: Encoding,
    version: Version,
    method: Method,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Encoding {
    #[default]
    Identity,
    Chunked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Version {
    #[default]
    Http11,
    Http10,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Method {
    #[default]
    Other,
    Connect,
}

impl Framing {
    /// Before the first request of a connection.
    pub fn new(bounds: Bounds) -> Self {
        Self { state: State::RequestLine, bounds, line: Vec::new(), head: Head::default() }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// At the first violation; nothing that is fed afterwards has a meaning.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), Violation> {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Tunnel => return Ok(()),
                State::Body(left) => self.skip(bytes, left, State::Body, State::RequestLine),
                State::Chunk(left) => self.skip(bytes, left, State::Chunk, State::ChunkEnd),
                State::RequestLine | State::Field | State::ChunkSize | State::ChunkEnd | State::Trailer => self.line(bytes)?,
            };
        }
        Ok(())
    }

    /// Whether a head has begun and not ended.
    pub fn is_in_head(&self) -> bool {
        match self.state {
            State::RequestLine => !self.line.is_empty(),
            State::Field => true,
            State::Body(_) | State::ChunkSize | State::Chunk(_) | State::ChunkEnd | State::Trailer | State::Tunnel => false,
        }
    }

    /// What follows is no HTTP.
    pub fn open(&mut self) {
        self.state = State::Tunnel;
    }

    fn skip<'a>(&mut self, bytes: &'a [u8], left: u64, more: fn(u64) -> State, then: State) -> &'a [u8] {
        let count = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let left = left - count as u64;
        self.state = if left == 0 { then } else { more(left) };
        &bytes[count..]
    }

    /// Takes the present line as far as it has come, and judges it when it is whole.
    fn line<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Violation> {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        let length = self.line.len() + part.len();
        if self.head.bytes + length > self.bounds.bytes {
            return Err(Violation::TooLarge);
        }
        let Some(end) = end else {
            self.line.extend_from_slice(part);
            return Ok(&[]);
        };
        self.head.bytes += length + 1;
        if self.line.is_empty() {
            self.judge(part)?;
        } else {
            self.line.extend_from_slice(part);
            let line = std::mem::take(&mut self.line);
            self.judge(&line)?;
        }
        Ok(&bytes[end + 1..])
    }

    fn judge(&mut self, line: &[u8]) -> Result<(), Violation> {
        let line = line.strip_suffix(b"\r").ok_or(Violation::LineEnd)?;
        self.state = match self.state {
            State::RequestLine => {
                // The line's length was counted before it was known to begin a head.
                self.head = Head { bytes: self.head.bytes, ..self.head.request_line(line)? };
                State::Field
            }
            State::Field if line.is_empty() => {
                let next = self.head.end()?;
                self.head.bytes = 0;
                next
            }
            State::Field => {
                self.head.field(line, self.bounds.fields)?;
                State::Field
            }
            State::ChunkSize => {
                self.head.bytes = 0;
                match chunk_size(line)? {
                    0 => State::Trailer,
                    size => State::Chunk(size),
                }
            }
            State::ChunkEnd if line.is_empty() => {
                self.head.bytes = 0;
                State::ChunkSize
            }
            State::ChunkEnd => return Err(Violation::Chunk),
            State::Trailer if line.is_empty() => {
                self.head.bytes = 0;
                State::RequestLine
            }
            State::Trailer => {
                self.head.trailer(line, self.bounds.fields)?;
                State::Trailer
            }
            state @ (State::Body(_) | State::Chunk(_) | State::Tunnel) => state,
        };
        Ok(())
    }
}

impl Head {
    fn request_line(&self, line: &[u8]) -> Result<Self, Violation> {
        check_text(line)?;
        let mut words = line.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next()) else {
            return Err(Violation::RequestLine);
        };
        let version = match version {
            b"HTTP/1.1" => Version::Http11,
            b"HTTP/1.0" => Version::Http10,
            _ => return Err(Violation::RequestLine),
        };
        if method.is_empty() || !method.iter().all(|byte| is_token(*byte)) || target.is_empty() || target.contains(&b'\t') {
            return Err(Violation::RequestLine);
        }
        check_target(target)?;
        let method = if method == b"CONNECT" { Method::Connect } else { Method::Other };
        Ok(Self { version, method, ..Self::default() })
    }

    fn field(&mut self, line: &[u8], most: usize) -> Result<(), Violation> {
        let (name, value) = self.name_and_value(line, most)?;
        // Most names are told apart by their length alone.
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.hosts += 1,
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                let length = number(value).filter(|_| self.length.is_none()).ok_or(Violation::Length)?;
                self.length = Some(length);
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                let single = self.encoding == Encoding::Identity && value.eq_ignore_ascii_case(b"chunked");
                if !single || self.version == Version::Http10 {
                    return Err(Violation::Encoding);
                }
                self.encoding = Encoding::Chunked;
            }
            _ => {}
        }
        Ok(())
    }

    fn trailer(&mut self, line: &[u8], most: usize) -> Result<(), Violation> {
        const FORBIDDEN: [&[u8]; 6] = [b"content-length", b"transfer-encoding", b"host", b"connection", b"upgrade", b"trailer"];
        let (name, _) = self.name_and_value(line, most)?;
        if FORBIDDEN.iter().any(|forbidden| name.eq_ignore_ascii_case(forbidden)) { Err(Violation::Trailer) } else { Ok(()) }
    }

    fn name_and_value<'a>(&mut self, line: &'a [u8], most: usize) -> Result<(&'a [u8], &'a [u8]), Violation> {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return Err(Violation::Folded);
        }
        self.fields += 1;
        if self.fields > most {
            return Err(Violation::TooLarge);
        }
        let colon = line.iter().position(|byte| !is_token(*byte)).ok_or(Violation::FieldName)?;
        let (name, rest) = line.split_at(colon);
        let value = rest.strip_prefix(b":").filter(|_| !name.is_empty());
        let value = match (value, rest.first()) {
            (Some(value), _) => value,
            (None, Some(byte)) if is_control(*byte) => return Err(Violation::Control),
            (None, _) => return Err(Violation::FieldName),
        };
        check_text(value)?;
        Ok((name, value.trim_ascii()))
    }

    /// What follows the head.
    fn end(&mut self) -> Result<State, Violation> {
        let hosts = match self.version {
            Version::Http11 => 1..=1,
            Version::Http10 => 0..=1,
        };
        if !hosts.contains(&self.hosts) {
            return Err(Violation::Host);
        }
        self.fields = 0;
        match (self.method, self.encoding, self.length) {
            (Method::Other | Method::Connect, Encoding::Chunked, Some(_)) => Err(Violation::Encoding),
            (Method::Connect, Encoding::Chunked, None) | (Method::Connect, Encoding::Identity, Some(_)) => {
                Err(Violation::ConnectBody)
            }
            // The bytes that follow are the tunnel's; a refused CONNECT closes the connection.
            (Method::Connect, Encoding::Identity, None) => Ok(State::Tunnel),
            (Method::Other, Encoding::Chunked, None) => Ok(State::ChunkSize),
            (Method::Other, Encoding::Identity, None | Some(0)) => Ok(State::RequestLine),
            (Method::Other, Encoding::Identity, Some(length)) => Ok(State::Body(length)),
        }
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    let plain = (1..=19).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    plain.then(|| digits.iter().fold(0u64, |number, digit| number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))))
}

/// A size in hexadecimal and nothing else: extensions mean nothing to anybody but an attacker.
fn chunk_size(line: &[u8]) -> Result<u64, Violation> {
    let text = std::str::from_utf8(line).map_err(|_| Violation::Chunk)?;
    if !(1..=15).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Violation::Chunk);
    }
    u64::from_str_radix(text, 16).map_err(|_| Violation::Chunk)
}

/// Exactly what the server behind takes: it would answer anything else by itself, with a bare status. It takes what browsers and curl
/// leave as it is (`|`, `^`, `{`, `}`, `"` in a path, UTF-8), by the URL standard's states for paths and queries; what that standard
/// encodes (`<`, `>`, the grave accent) and bytes that are no text are refused, because two servers could read them differently; so is
/// a fragment, which the server behind would drop in silence, together with the path where there is nothing else.
fn check_target(target: &[u8]) -> Result<(), Violation> {
    /// Longest that `http::Uri` holds (its offsets have 16 bits).
    const LONGEST: usize = u16::MAX as usize - 1;
    if target.len() > LONGEST {
        return Err(Violation::TooLarge);
    }
    // Nearly all, without a copy.
    let is_plain = target[0] == b'/' && target.iter().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%?&=+,:@".contains(byte));
    match target.contains(&b'#') {
        false if is_plain || http::Uri::try_from(target).is_ok() => Ok(()),
        false => Err(Violation::Target),
        true => Err(Violation::Fragment),
    }
}

/// What may stand in a line: no control character but the tab.
fn check_text(text: &[u8]) -> Result<(), Violation> {
    match text.iter().find(|byte| is_control(**byte)) {
        None => Ok(()),
        Some(b'\r') => Err(Violation::LineEnd),
        Some(_) => Err(Violation::Control),
    }
}

fn is_control(byte: u8) -> bool {
    byte < 0x20 && byte != b'\t' || byte == 0x7f
}

/// A character of a token (RFC 9110 §5.6.2).
fn is_token(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let signs = b"!#$%&'*+-.^_`|~";
    let mut sign = 0;
    while sign < signs.len() {
        table[signs[sign] as usize] = true;
        sign += 1;
    }
    table
};

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
