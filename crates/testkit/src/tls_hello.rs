//! The first words of TLS as they stand on the wire, to offer what no library offers any more (RFC 8446, RFC 5246).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What a client offers. Nothing about it needs to be sensible.
#[derive(Debug, Clone)]
pub struct ClientHello {
    /// The server's name.
    pub name: &'static str,
    /// The version in the old place: 0x0300 is SSL 3.0, 0x0303 TLS 1.2.
    pub version: u16,
    /// The versions of `supported_versions`; without any the extension is left out.
    pub versions: Vec<u16>,
    /// Cipher suites.
    pub suites: Vec<u16>,
    /// Compression methods: 0 is none, 1 DEFLATE.
    pub compression: Vec<u8>,
    /// Groups for the key exchange.
    pub groups: Vec<u16>,
    /// Further extensions.
    pub more: Vec<(u16, Vec<u8>)>,
}

/// What a server says to that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerSaid {
    /// It goes on.
    Hello(ServerHello),
    /// A fatal alert (RFC 8446, section 6).
    Alert(u8),
    /// It closed the connection without a word.
    Closed,
}

/// What a server chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerHello {
    /// The version.
    pub version: u16,
    /// The suite.
    pub suite: u16,
    /// The compression method.
    pub compression: u8,
    /// Numbers of its extensions.
    pub extensions: Vec<u16>,
    /// Its random bytes.
    pub random: [u8; 32],
}

/// Number of `supported_versions`.
const SUPPORTED_VERSIONS: u16 = 43;
/// Number of `key_share`.
const KEY_SHARE: u16 = 51;

impl ClientHello {
    /// TLS 1.2 with these suites, sensible otherwise.
    pub fn tls12(name: &'static str, suites: &[u16]) -> Self {
        let groups = vec![0x001d, 0x0017, 0x0018];
        let (versions, compression) = (Vec::new(), vec![0]);
        Self { name, version: 0x0303, versions, suites: suites.to_vec(), compression, groups, more: Vec::new() }
    }

    /// TLS 1.3 with these suites. It brings no key, so that the server asks for one.
    pub fn tls13(name: &'static str, suites: &[u16]) -> Self {
        Self { versions: vec![0x0304], more: vec![(KEY_SHARE, vec![0, 0])], ..Self::tls12(name, suites) }
    }

    /// As it is sent.
    pub fn bytes(&self) -> Vec<u8> {
        let suites: Vec<u8> = self.suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
        let body = [
            &self.version.to_be_bytes()[..],
            &[7; 32],
            &[0],
            &vector(2, &suites),
            &vector(1, &self.compression),
            &vector(2, &self.extensions()),
        ]
        .concat();
        let message = [&[1][..], &vector(3, &body)].concat();
        // The record's own version is the old one of TLS 1.0, but for SSL 3.0 (RFC 5246, appendix E.1).
        let records =
            message.chunks(16_384).map(|part| [&[22][..], &self.version.min(0x0301).to_be_bytes(), &vector(2, part)].concat());
        records.collect::<Vec<_>>().concat()
    }

    fn extensions(&self) -> Vec<u8> {
        let numbers = |numbers: &[u16]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
        let mut extensions = vec![
            (0, vector(2, &[&[0][..], &vector(2, self.name.as_bytes())].concat())),
            (10, vector(2, &numbers(&self.groups))),
            (11, vector(1, &[0])),
            // ECDSA and RSA, with SHA-2 and with SHA-1.
            (13, vector(2, &numbers(&[0x0403, 0x0503, 0x0804, 0x0401, 0x0203, 0x0201]))),
        ];
        if !self.versions.is_empty() {
            extensions.push((SUPPORTED_VERSIONS, vector(1, &numbers(&self.versions))));
        }
        extensions.extend(self.more.clone());
        extensions.iter().flat_map(|(number, content)| [&number.to_be_bytes()[..], &vector(2, content)].concat()).collect()
    }
}

impl ServerSaid {
    /// Reads the server's first words.
    ///
    /// # Errors
    /// When it speaks something else.
    pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let mut head = [0; 5];
        match stream.read_exact(&mut head).await {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Self::Closed),
            read => read?,
        };
        let mut record = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
        stream.read_exact(&mut record).await?;
        let said = match (head[0], &record[..]) {
            (21, [2, alert]) => Some(Self::Alert(*alert)),
            (22, [2, _, _, _, hello @ ..]) => ServerHello::parse(hello).map(Self::Hello),
            _ => None,
        };
        said.ok_or_else(|| io::Error::other(format!("neither an alert nor a hello: {head:?} {record:?}")))
    }
}

impl ServerHello {
    fn parse(body: &[u8]) -> Option<Self> {
        let (version, rest) = body.split_first_chunk::<2>()?;
        let (random, rest) = rest.split_first_chunk::<32>()?;
        let (length, rest) = rest.split_first()?;
        let (chosen, rest) = rest.get(usize::from(*length)..)?.split_first_chunk::<3>()?;
        let (mut extensions, mut version, mut rest) =
            (Vec::new(), u16::from_be_bytes(*version), rest.get(2..).unwrap_or_default());
        while let Some((head, behind)) = rest.split_first_chunk::<4>() {
            let (number, length) = (u16::from_be_bytes([head[0], head[1]]), u16::from_be_bytes([head[2], head[3]]));
            let (content, behind) = behind.split_at_checked(usize::from(length))?;
            if let (SUPPORTED_VERSIONS, [high, low]) = (number, content) {
                version = u16::from_be_bytes([*high, *low]);
            }
            extensions.push(number);
            rest = behind;
        }
        let [high, low, compression] = *chosen;
        Some(Self { version, suite: u16::from_be_bytes([high, low]), compression, extensions, random: *random })
    }
}

/// A vector behind its length.
fn vector(bytes_of_length: usize, content: &[u8]) -> Vec<u8> {
    [&(content.len() as u64).to_be_bytes()[8 - bytes_of_length..], content].concat()
}
