/// What a TLS client says of itself before anything is encrypted (RFC 8446 §4.1.2), as far as it counts here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientHello {
    /// The server's name (RFC 6066 §3), as sent.
    pub name: Option<String>,
    /// Application protocols (RFC 7301 §3.1), as sent.
    pub alpn: Vec<Vec<u8>>,
    /// Whether the true name may be encrypted (RFC 9849, extension 0xfe0d): the name above is then the outer one.
    pub encrypted: bool,
}

/// What has been read of a ClientHello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hello {
    /// Too little yet.
    Undecided,
    /// All of it.
    Whole(ClientHello),
    /// It is none.
    Malformed(Malformed),
}

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The layers do not nest.
    #[error("a length or a type is wrong")]
    Framing,
    /// Larger than what is read of one.
    #[error("it is larger than 32 KiB")]
    TooLarge,
    /// Two names, an empty one, or one that is not of printable ASCII. Threat: two readers that choose differently.
    #[error("it names the server in a way that can be read in two ways")]
    Name,
    /// An extension stands twice (RFC 8446 §4.2 forbids it). Threat: two readers that choose differently.
    #[error("an extension stands twice")]
    Twice,
}

/// Most bytes that are read of a ClientHello. Post-quantum ones have about 2 KiB.
pub const MAX: usize = 32 * 1024;

/// Reads a ClientHello from the records that a connection begins with, which may be cut anywhere (RFC 8446 §5.1).
/// Total: any bytes give an answer.
pub fn client_hello(bytes: &[u8]) -> Hello {
    match message(bytes) {
        Ok(Some(body)) => match parse(&body) {
            Ok(hello) => Hello::Whole(hello),
            Err(malformed) => Hello::Malformed(malformed),
        },
        Ok(None) if bytes.len() >= MAX => Hello::Malformed(Malformed::TooLarge),
        Ok(None) => Hello::Undecided,
        Err(malformed) => Hello::Malformed(malformed),
    }
}

/// The body of the first handshake message, put together from its records; `None` while some of it is missing.
fn message(mut bytes: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
    let mut message = Vec::new();
    loop {
        let Some((header, rest)) = bytes.split_first_chunk::<5>() else {
            return if starts_like_handshake(bytes) { Ok(None) } else { Err(Malformed::Framing) };
        };
        if !starts_like_handshake(header) {
            return Err(Malformed::Framing);
        }
        let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
        // Threat: empty fragments cost the reader and say nothing (RFC 8446 §5.1 forbids them).
        if length == 0 || length > 1 << 14 {
            return Err(Malformed::Framing);
        }
        let taken = length.min(rest.len());
        message.extend_from_slice(&rest[..taken]);
        if message.len() > MAX {
            return Err(Malformed::TooLarge);
        }
        if let Some(body) = whole(&message)? {
            return Ok(Some(body));
        }
        if taken < length {
            return Ok(None);
        }
        bytes = &rest[taken..];
    }
}

fn starts_like_handshake(header: &[u8]) -> bool {
    header.first().is_none_or(|kind| *kind == 22) && header.get(1).is_none_or(|major| *major == 3)
}

fn whole(message: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
    const CLIENT_HELLO: u8 = 1;
    if message.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
        return Err(Malformed::Framing);
    }
    let Some((header, rest)) = message.split_first_chunk::<4>() else { return Ok(None) };
    let length = usize::from(header[1]) << 16 | usize::from(header[2]) << 8 | usize::from(header[3]);
    if length > MAX {
        return Err(Malformed::TooLarge);
    }
    Ok(rest.get(..length).map(<[u8]>::to_vec))
}

fn parse(body: &[u8]) -> Result<ClientHello, Malformed> {
    const SERVER_NAME: u16 = 0;
    const ALPN: u16 = 16;
    const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;

    let mut body = Reader(body);
    body.take(2 + 32)?;
    body.short_vector()?;
    body.vector()?;
    body.short_vector()?;
    let mut hello = ClientHello::default();
    if body.0.is_empty() {
        return Ok(hello);
    }
    let mut extensions = Reader(body.vector()?);
    body.end()?;
    let mut seen = Vec::new();
    while !extensions.0.is_empty() {
        let kind = extensions.number()?;
        let content = Reader(extensions.vector()?);
        if seen.contains(&kind) {
            return Err(Malformed::Twice);
        }
        seen.push(kind);
        match kind {
            SERVER_NAME => hello.name = Some(server_name(content)?),
            ALPN => hello.alpn = protocols(content)?,
            ENCRYPTED_CLIENT_HELLO => hello.encrypted = true,
            _ => {}
        }
    }
    Ok(hello)
}

/// Exactly one name of type host_name (RFC 6066 §3).
fn server_name(mut content: Reader<'_>) -> Result<String, Malformed> {
    let mut list = Reader(content.vector()?);
    content.end()?;
    let kind = list.take(1)?;
    let name = list.vector()?;
    let printable = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    if kind != [0] || !list.0.is_empty() || !printable {
        return Err(Malformed::Name);
    }
    Ok(String::from_utf8_lossy(name).into_owned())
}

fn protocols(mut content: Reader<'_>) -> Result<Vec<Vec<u8>>, Malformed> {
    let mut list = Reader(content.vector()?);
    content.end()?;
    let mut protocols = Vec::new();
    while !list.0.is_empty() {
        protocols.push(list.short_vector()?.to_vec());
    }
    Ok(protocols)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed::Framing)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u16, Malformed> {
        let (number, rest) = self.0.split_first_chunk::<2>().ok_or(Malformed::Framing)?;
        self.0 = rest;
        Ok(u16::from_be_bytes(*number))
    }

    /// Bytes with a length of two bytes before them.
    fn vector(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.number()?;
        self.take(usize::from(length))
    }

    /// Bytes with a length of one byte before them.
    fn short_vector(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.take(1)?.first().copied().unwrap_or(0);
        self.take(usize::from(length))
    }

    fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed::Framing) }
    }
}

#[cfg(test)]
#[path = "client_hello_tests.rs"]
mod tests;
