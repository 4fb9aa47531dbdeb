use http::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderValue, SEC_WEBSOCKET_EXTENSIONS, TRANSFER_ENCODING, UPGRADE};
use http::{Method, Request, Version};
use policy::{Code, Refusal};

use super::headers::has_token;
use crate::refusal;

/// Whether a request wants another protocol on its connection (RFC 9110 §7.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    None,
    /// RFC 6455.
    WebSocket,
}

/// Reads it, before headers of the connection are removed.
///
/// # Errors
/// When it is a protocol that is not offered. A client that offers HTTP/2 (h2c) is simply answered in HTTP/1.1, as RFC 9110
/// allows. Threat: what follows an upgrade is no longer read as requests.
pub(super) fn change<B>(request: &Request<B>) -> Result<Change, Refusal> {
    let headers = request.headers();
    let asked = headers.get_all(CONNECTION).iter().any(|value| has_token(value, "upgrade"));
    let mut protocols = headers.get_all(UPGRADE).iter();
    match (protocols.next(), protocols.next()) {
        (None, _) => Ok(Change::None),
        (Some(_), _) if !asked || request.version() != Version::HTTP_11 => Ok(Change::None),
        (Some(only), None) if only.as_bytes().eq_ignore_ascii_case(b"h2c") => Ok(Change::None),
        (Some(only), None) if only.as_bytes().eq_ignore_ascii_case(b"websocket") && request.method() == Method::GET => {
            if announces_body(headers) {
                return Err(refusal::because(Code::BadRequest, "a request for WebSocket announces a body".to_owned()));
            }
            Ok(Change::WebSocket)
        }
        (Some(_), _) => Err(refusal::plain(Code::Upgrade)),
    }
}

/// Threat: where the body ends, the other protocol begins; two servers that count differently hide a request in between.
fn announces_body(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING) || headers.get_all(CONTENT_LENGTH).iter().any(|length| length != "0")
}

/// Puts the wish back after headers of the connection were removed. Extensions are not offered: compressed frames could not
/// be looked into.
pub(super) fn ask_for_web_socket(headers: &mut HeaderMap) {
    say_web_socket(headers);
}

/// Names the protocol in a request or an answer, without extensions: an answer has none that were not offered (RFC 6455 §9.1).
pub(super) fn say_web_socket(headers: &mut HeaderMap) {
    headers.remove(SEC_WEBSOCKET_EXTENSIONS);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

/// Whether a 101 agrees to it.
pub(super) fn is_web_socket(headers: &HeaderMap) -> bool {
    headers.get(UPGRADE).is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

#[cfg(test)]
mod tests {
    use http::{Request, Version};

    use super::{Change, change};

    fn request(method: &str, upgrades: &[&str], connection: &str) -> Request<()> {
        let request = Request::builder().method(method).header("connection", connection);
        upgrades.iter().fold(request, |request, upgrade| request.header("upgrade", *upgrade)).body(()).unwrap()
    }

    #[test]
    fn web_socket_alone_is_offered() {
        assert_eq!(change(&request("GET", &["WebSocket"], "keep-alive, Upgrade")), Ok(Change::WebSocket));
        assert_eq!(change(&request("GET", &["h2c"], "Upgrade, HTTP2-Settings")), Ok(Change::None));
        assert_eq!(change(&request("GET", &["websocket"], "close")), Ok(Change::None));
        for (method, upgrades) in [
            ("GET", &["tls/1.0"][..]),
            ("POST", &["websocket"]),
            ("GET", &["websocket, h2c"]),
            ("GET", &["h2c", "websocket"]),
            ("GET", &["raw"]),
        ] {
            assert!(change(&request(method, upgrades, "upgrade")).is_err(), "{upgrades:?}");
        }
        for (name, value) in [("content-length", "5"), ("transfer-encoding", "chunked")] {
            let mut with_body = request("GET", &["websocket"], "upgrade");
            with_body.headers_mut().insert(name, value.parse().unwrap());
            assert_eq!(change(&with_body).unwrap_err().code, policy::Code::BadRequest);
        }
        let mut two = request("GET", &["websocket"], "upgrade");
        *two.version_mut() = Version::HTTP_2;
        assert_eq!(change(&two), Ok(Change::None));
    }
}
