use std::fmt;

use crate::{Headers, Shown};

/// A header that a request must carry, with one of the given values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderMatch {
    /// Its name.
    pub name: HeaderName,
    /// Values, one of which the header must equal. Not empty.
    pub values: Vec<HeaderValue>,
}

/// A header's name in lower case (a token, RFC 9110 §5.6.2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderName(String);

/// Why a text is no header name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a header name: write letters, digits and `-`, such as `X-Api-Version`", shown = Shown(.0))]
pub struct HeaderNameError(String);

/// A header's value: visible ASCII and inner spaces (RFC 9110 §5.5 without obsolete text).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderValue(String);

/// Why a text is no header value. The text itself is not repeated: it might be a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a header value: it is empty, longer than 1024 bytes, begins or ends with a space, or holds something other than visible ASCII"
)]
pub struct HeaderValueError;

impl HeaderMatch {
    /// Whether exactly one such header is there, with one of the values.
    ///
    /// Threat: of two headers with one name some servers take the first, some the last, some join them (RFC 9110 §5.3), so the
    /// one that is looked at might not be the one that counts.
    pub(crate) fn fits(&self, headers: &dyn Headers) -> bool {
        let mut sent = headers.values(self.name.as_str());
        match (sent.next(), sent.next()) {
            (Some(only), None) => self.values.iter().any(|value| value.as_str().as_bytes() == only),
            (_, Some(_)) | (None, None) => false,
        }
    }
}

impl HeaderName {
    /// Parses a name, folding its case.
    ///
    /// # Errors
    /// When it is empty, longer than 64 bytes, or no token.
    pub fn parse(text: &str) -> Result<Self, HeaderNameError> {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let ok = (1..=64).contains(&text.len()) && text.bytes().all(token);
        if ok { Ok(Self(text.to_ascii_lowercase())) } else { Err(HeaderNameError(text.to_owned())) }
    }

    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the header belongs to the connection or frames the message, so that nobody may set it from outside
    /// (RFC 9110 §7.6.1; request smuggling).
    pub fn is_framing(&self) -> bool {
        const FRAMING: [&str; 10] = [
            "connection",
            "content-length",
            "host",
            "keep-alive",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "expect",
        ];
        FRAMING.contains(&self.as_str())
    }
}

impl HeaderValue {
    /// Parses a value.
    ///
    /// # Errors
    /// When it could not stand in a header as it is.
    pub fn parse(text: &str) -> Result<Self, HeaderValueError> {
        let ok = (1..=1024).contains(&text.len()) && text.trim() == text && text.bytes().all(|b| (0x20..0x7f).contains(&b));
        if ok { Ok(Self(text.to_owned())) } else { Err(HeaderValueError) }
    }

    /// The value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{HeaderName, HeaderValue};

    #[test]
    fn names_are_tokens() {
        assert_eq!(HeaderName::parse("X-Api-Key").unwrap().as_str(), "x-api-key");
        for bad in ["", "a b", "a:b", "a\r\nb", "ä", &"a".repeat(65)] {
            assert!(HeaderName::parse(bad).is_err(), "{bad:?}");
        }
        assert!(HeaderName::parse("Transfer-Encoding").unwrap().is_framing());
        assert!(!HeaderName::parse("x-api-key").unwrap().is_framing());
    }

    #[test]
    fn values_cannot_end_the_header() {
        assert!(HeaderValue::parse("application/json; q=1").is_ok());
        for bad in ["", " a", "a ", "a\r\nX: y", "a\0", "ü"] {
            assert!(HeaderValue::parse(bad).is_err(), "{bad:?}");
        }
    }
}
