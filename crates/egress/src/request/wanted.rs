use http::header::{CONTENT_LENGTH, HOST, HeaderMap};
use http::uri::PathAndQuery;
use http::{Method, Request, Uri, Version};
use policy::{Code, Refusal, Shown, Transport};

use crate::connection::Entry;
use crate::place::{Authority, Place};
use crate::refusal;

/// Where a request wants to go, once every place that names it agrees.
pub(super) enum Wanted<'a> {
    /// Through a tunnel (CONNECT).
    Tunnel(Place),
    /// To the place that its connection is for.
    There(&'a Place),
    /// Where it says itself.
    Here(Place),
}

/// Reads it.
///
/// # Errors
/// When names disagree ([`Code::Authority`]), or the request could be read in two ways ([`Code::BadRequest`]).
pub(super) fn wanted<'a, B>(entry: &'a Entry, request: &Request<B>) -> Result<Wanted<'a>, Refusal> {
    let host = host(request.headers())?;
    one_length(request.headers())?;
    if request.method() != Method::CONNECT {
        path(request)?;
    }
    match (entry, request.method() == Method::CONNECT) {
        (Entry::Proxy, true) => connect(request.uri(), host).map(Wanted::Tunnel),
        (Entry::Proxy, false) => absolute(request.uri(), host).map(Wanted::Here),
        // Extended CONNECT (RFC 8441) is not offered either.
        (Entry::At(place), true) => Err(malformed(format!("a CONNECT inside a connection to {place}"))),
        (Entry::At(place), false) => {
            within(place, request, host)?;
            Ok(Wanted::There(place))
        }
    }
}

/// The one `Host`, if there is any. Threat: of two, one is judged and the other served.
fn host(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => Ok(None),
        (Some(host), None) => {
            host.to_str().map(Some).map_err(|_| malformed("`Host` holds something other than ASCII".to_owned()))
        }
        (Some(_), Some(_)) => Err(malformed("`Host` stands twice".to_owned())),
    }
}

/// HTTP/1 requests with two are refused before they come here. Threat: over HTTP/2 too, of two lengths one is kept and the other
/// is passed on to a server of HTTP/1.
fn one_length(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.get_all(CONTENT_LENGTH).iter().nth(1) {
        None => Ok(()),
        Some(_) => Err(malformed("`Content-Length` stands twice".to_owned())),
    }
}

/// Threat: a target that is a fragment alone (`http://host#x`, `:path: #x`) is written as an empty one, which every server takes
/// differently. Over HTTP/1 a `#` does not come here; over HTTP/2 the library cuts it off before anybody judges the path.
fn path<B>(request: &Request<B>) -> Result<(), Refusal> {
    let target = request.uri().path_and_query();
    match target.map(PathAndQuery::as_str) {
        None => Err(malformed("the request names no path".to_owned())),
        // Shown as `/`, and yet not the same.
        Some("/") if target != Some(&PathAndQuery::from_static("/")) => {
            Err(malformed("the request's target is a fragment (`#…`), which is never sent".to_owned()))
        }
        // RFC 9112 §3.2.4.
        Some("*") if request.method() != Method::OPTIONS => Err(malformed("`*` is for OPTIONS alone".to_owned())),
        Some(_) => Ok(()),
    }
}

/// `CONNECT host:port` (RFC 9110 §9.3.6); a `Host` beside it names the same.
fn connect(uri: &Uri, host: Option<&str>) -> Result<Place, Refusal> {
    if uri.scheme().is_some() || uri.path_and_query().is_some() {
        return Err(malformed("the target of a CONNECT is more than `host:port`".to_owned()));
    }
    let text = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let authority = parse(text)?;
    let port = authority.port.ok_or_else(|| malformed(format!("the CONNECT to {} names no port", authority.named)))?;
    let place = Place::new(Transport::Tls, authority.named, port);
    if let Some(host) = host {
        // Clients write it with the port and without, whatever the port is.
        let same = parse(host).is_ok_and(|host| host.named == place.named && host.port.is_none_or(|port| port == place.port));
        if !same {
            return Err(disagree(&place, "`Host`", host));
        }
    }
    Ok(place)
}

/// `GET http://host/path` (RFC 9112 §3.2.2); `Host` names the same.
fn absolute(uri: &Uri, host: Option<&str>) -> Result<Place, Refusal> {
    let Some(authority) = uri.authority() else {
        return Err(malformed(
            "a request to the proxy names no host: its target must begin with `http://`, or use CONNECT".to_owned(),
        ));
    };
    if uri.scheme_str() != Some("http") {
        return Err(malformed("a request to the proxy is for a scheme other than `http`: use CONNECT for `https`".to_owned()));
    }
    let authority = parse(authority.as_str())?;
    let port = authority.port.unwrap_or(Transport::Plain.default_port());
    let place = Place::new(Transport::Plain, authority.named, port);
    match host {
        Some(host) if !place.is(host) => Err(disagree(&place, "`Host`", host)),
        Some(_) | None => Ok(place),
    }
}

/// A request on a connection that is for one place already. Threat: domain fronting, on a reused or coalesced connection too.
fn within<B>(place: &Place, request: &Request<B>, host: Option<&str>) -> Result<(), Refusal> {
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    if let Some(scheme) = request.uri().scheme_str()
        && scheme != if place.transport == Transport::Tls { "https" } else { "http" }
    {
        return Err(malformed(format!("the request says `{}` on a connection to {place}", Shown(scheme))));
    }
    match (host, authority) {
        (None, None) if request.version() == Version::HTTP_10 => Ok(()),
        (None, None) => Err(malformed("the request names no host".to_owned())),
        (Some(host), _) if !place.is(host) => Err(disagree(place, "`Host`", host)),
        (_, Some(authority)) if !place.is(authority) => Err(disagree(place, "the request's target", authority)),
        (Some(_), _) | (None, Some(_)) => Ok(()),
    }
}

fn parse(text: &str) -> Result<Authority, Refusal> {
    Authority::parse(text).map_err(|error| malformed(error.to_string()))
}

fn disagree(place: &Place, who: &str, says: &str) -> Refusal {
    refusal::because(Code::Authority, format!("the request is to {place}, and {who} names {}", Shown(says)))
}

fn malformed(message: String) -> Refusal {
    refusal::because(Code::BadRequest, message)
}

#[cfg(test)]
#[path = "wanted_tests.rs"]
mod tests;
