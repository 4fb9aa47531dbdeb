use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::Builder;
use hyper_util::rt::TokioIo;
use policy::{Code, Host, Transport};
use tokio::time::{Instant, timeout_at};

use super::Failure;
use super::dial::dial;
use super::no_answer::{no_answer, unwritable};
use super::resolve::Resolver;
use super::target::{Target, path_and_query};
use super::tls::{Offer, Tls};
use super::way::Way;
use crate::trust::TrustRoots;

/// The host's own few HTTPS requests, such as refreshing a login: one connection each, no redirect followed, certificates and
/// addresses checked as everywhere.
pub struct HttpsClient {
    resolver: Resolver,
    tls: Tls,
    way: Way,
    deadline: Duration,
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The status.
    pub status: StatusCode,
    /// The body, at most 1 MiB.
    pub body: Vec<u8>,
}

impl HttpsClient {
    /// Longest body that is sent, in bytes.
    pub const SENT_MAX: usize = 64 * 1024;
    /// Longest body that is taken, in bytes.
    pub const TAKEN_MAX: usize = 1024 * 1024;

    /// A client whose requests each end after `deadline`.
    pub fn new(roots: TrustRoots, deadline: Duration) -> Self {
        Self { resolver: Resolver::new(), tls: Tls::new(roots), way: Way::default(), deadline }
    }

    /// The same, connecting to `address` whatever the URL's host; the certificate must be the host's all the same.
    #[must_use]
    pub fn dialling(mut self, address: SocketAddr) -> Self {
        self.way.dial = Some(address);
        self
    }

    /// Posts `body` to `url`, an `https://` URL without user information.
    ///
    /// # Errors
    /// When the URL is none, the body is too long, the host cannot be reached as [`super::Upstreams`] would, or no whole
    /// answer of at most [`HttpsClient::TAKEN_MAX`] bytes comes in time.
    pub async fn post(&self, url: &str, headers: HeaderMap, body: Vec<u8>) -> Result<Posted, Failure> {
        let deadline = Instant::now() + self.deadline;
        let (target, uri) = parsed(url)?;
        if body.len() > Self::SENT_MAX {
            let message = format!("posting to {target}: {} bytes are more than the {} allowed", body.len(), Self::SENT_MAX);
            return Err(Failure::new(Code::TooLarge, message, "report this as a fault of bot-bottle"));
        }
        let request = request(&target, uri, headers, body)?;
        timeout_at(deadline, self.exchange(&target, request, deadline)).await.unwrap_or_else(|_| {
            let message = format!("posting to {target}: no answer in time");
            Err(Failure::new(Code::UpstreamUnreachable, message, "try again later"))
        })
    }

    async fn exchange(&self, target: &Target, request: Request<Full<Bytes>>, deadline: Instant) -> Result<Posted, Failure> {
        let addresses = self.resolver.resolve(target, &self.way, deadline).await?;
        let stream = dial(&addresses, target, deadline).await?;
        let stream = self.tls.handshake(stream, target, Offer::Http1, deadline).await?;
        let (mut sender, connection) =
            Builder::new().handshake(TokioIo::new(stream)).await.map_err(|error| no_answer(target, &error))?;
        let answering = async {
            let answer = sender.send_request(request).await.map_err(|error| no_answer(target, &error))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), Self::TAKEN_MAX).collect().await.map_err(|_| {
                let message = format!("posting to {target}: the answer broke off, or is longer than {} bytes", Self::TAKEN_MAX);
                Failure::new(Code::UpstreamProtocol, message, "try again later")
            })?;
            Ok(Posted { status, body: body.to_bytes().to_vec() })
        };
        // Driven here instead of by a task: when this future is dropped, nothing of the request is left.
        tokio::pin!(connection, answering);
        tokio::select! {
            answered = &mut answering => answered,
            // How it ended is told to the request on it.
            _ = &mut connection => answering.await,
        }
    }
}

fn parsed(url: &str) -> Result<(Target, Uri), Failure> {
    let wrong = |why: &str| Failure::new(Code::BadRequest, format!("posting: the URL {why}"), "write `https://HOST[:PORT]/PATH`");
    let uri: Uri = url.parse().map_err(|_| wrong("is none"))?;
    if uri.scheme() != Some(&http::uri::Scheme::HTTPS) {
        return Err(wrong("is not an `https://` one"));
    }
    let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
    if authority.as_str().contains('@') {
        return Err(wrong("holds user information"));
    }
    let host = Host::parse(authority.host()).map_err(|_| wrong("names no proper host"))?;
    let port = match authority.port_u16() {
        Some(port @ 1..) => port,
        None if authority.as_str() == authority.host() => Transport::Tls.default_port(),
        Some(0) | None => return Err(wrong("names no proper port")),
    };
    Ok((Target { host, port, transport: Transport::Tls }, uri))
}

fn request(target: &Target, uri: Uri, headers: HeaderMap, body: Vec<u8>) -> Result<Request<Full<Bytes>>, Failure> {
    let path = path_and_query(&uri).map_err(|_| unwritable(target))?;
    let mut request = Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from(path);
    *request.headers_mut() = headers;
    let host = HeaderValue::from_str(&target.authority()).map_err(|_| unwritable(target))?;
    request.headers_mut().insert(HOST, host);
    Ok(request)
}

#[cfg(test)]
#[path = "https_client_tests.rs"]
mod tests;
