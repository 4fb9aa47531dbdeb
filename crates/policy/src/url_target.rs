use http::Uri;

use crate::{Host, HostError, Shown, Transport};

/// What a URL asks for: where to, and for what. Made to judge a request that nobody has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTarget {
    /// By its scheme.
    pub transport: Transport,
    /// The host.
    pub host: Host,
    /// The port, or the scheme's own.
    pub port: u16,
    /// The path as it would be sent; begins with `/`.
    pub path: String,
    /// What follows `?`, or nothing.
    pub query: String,
}

/// Why a text is no URL that can be judged. The text is not repeated: URLs hold passwords and tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not a URL.
    #[error("not a URL: write `https://HOST/PATH` or `http://HOST/PATH`, percent-encoded")]
    NotAUrl,
    /// A scheme that is not HTTP's.
    #[error("`{shown}` is not a scheme that is judged: write `https` or `http`", shown = Shown(.0))]
    Scheme(String),
    /// A user or password before the host.
    #[error("it holds a user or password before the host (`allowed@evil` leads to evil): write the host alone")]
    UserInfo,
    /// A fragment.
    #[error("it holds a fragment (`#…`), which is never sent: remove it")]
    Fragment,
    /// A port that does not exist.
    #[error("its port is not a number from 1 to 65535")]
    Port,
    /// No host that can be reached.
    #[error("{0}")]
    Host(#[from] HostError),
}

impl UrlTarget {
    /// Parses an absolute `http` or `https` URL (RFC 3986 §3, RFC 9110 §4.2).
    ///
    /// # Errors
    /// When it is none, or when it is written so that two readers could see two hosts in it.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.contains('#') {
            return Err(UrlError::Fragment);
        }
        let uri: Uri = text.parse().map_err(|_| UrlError::NotAUrl)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(UrlError::NotAUrl) };
        let transport = match scheme {
            "https" => Transport::Tls,
            "http" => Transport::Plain,
            other => return Err(UrlError::Scheme(other.to_owned())),
        };
        if authority.as_str().contains('@') {
            return Err(UrlError::UserInfo);
        }
        let host = authority.host();
        // The parser takes `example.org:`, `example.org:0443` and `example.org:65536` for hosts without a port.
        let port = match authority.as_str().strip_prefix(host) {
            Some("") => transport.default_port(),
            Some(rest) => rest.strip_prefix(':').and_then(port).ok_or(UrlError::Port)?,
            None => return Err(UrlError::NotAUrl),
        };
        Ok(Self {
            transport,
            host: Host::parse(host)?,
            port,
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
        })
    }
}

fn port(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::{UrlError, UrlTarget};
    use crate::Transport;

    #[test]
    fn urls() {
        let url = UrlTarget::parse("https://API.example.org/a%2fb/../c?x=y").unwrap();
        assert_eq!((url.transport, url.host.to_string().as_str(), url.port), (Transport::Tls, "api.example.org", 443));
        assert_eq!((url.path.as_str(), url.query.as_str()), ("/a%2fb/../c", "x=y"));
        let url = UrlTarget::parse("http://[::1]:8080").unwrap();
        assert_eq!(
            (url.transport, url.host.to_string().as_str(), url.port, url.path.as_str()),
            (Transport::Plain, "::1", 8080, "/")
        );
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for (text, error) in [
            ("https://allowed.example@evil.example/", UrlError::UserInfo),
            ("https://user:canary@a.example/", UrlError::UserInfo),
            ("https://a.example/#x", UrlError::Fragment),
            ("https://evil.example#@a.example/", UrlError::Fragment),
            ("ftp://a.example/", UrlError::Scheme("ftp".into())),
            ("a.example", UrlError::NotAUrl),
            ("/path", UrlError::NotAUrl),
            ("https:///x", UrlError::NotAUrl),
            ("https://a.example/a b", UrlError::NotAUrl),
            ("https://a.example:0/", UrlError::Port),
            ("https://a.example:0443/", UrlError::Port),
        ] {
            assert_eq!(UrlTarget::parse(text), Err(error), "{text}");
        }
        for bad in [
            "https://a.example:65536/",
            "https://a.example:/",
            "https://2130706433/",
            "https://a.example./",
            "https://a\\b/",
            "https://exаmple.org/",
        ] {
            let error = UrlTarget::parse(bad).unwrap_err();
            assert!(!matches!(error, UrlError::Fragment | UrlError::UserInfo), "{bad}: {error}");
        }
    }
}
