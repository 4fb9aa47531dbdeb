use http::{HeaderMap, Method, Request, Uri};

use crate::RequestBody;

/// A request that may be sent once more when the connection ends before it is answered: one that asks and changes nothing
/// (RFC 9110 §9.2.2 lets a proxy repeat no other unasked), and has no body, for none is ever kept.
pub(super) struct Again(Box<(Method, Uri, HeaderMap)>);

impl Again {
    /// A copy of `request`, if it may be repeated.
    pub(super) fn of(request: &Request<RequestBody>) -> Option<Self> {
        let asks = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        let copy = || Self(Box::new((request.method().clone(), request.uri().clone(), request.headers().clone())));
        (asks && http_body::Body::is_end_stream(request.body())).then(copy)
    }

    /// The request.
    pub(super) fn request(self) -> Request<RequestBody> {
        let (method, uri, headers) = *self.0;
        let mut request = Request::new(RequestBody::whole(""));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        request
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::Again;
    use crate::RequestBody;

    #[test]
    fn only_what_asks_and_carries_nothing_is_repeated() {
        for (method, body, repeated) in [
            ("GET", "", true),
            ("HEAD", "", true),
            ("OPTIONS", "", true),
            ("GET", "body", false),
            ("POST", "", false),
            ("PUT", "", false),
            ("DELETE", "", false),
            ("get", "", false),
        ] {
            let request =
                Request::builder().method(method).uri("/path?q").header("a", "b").body(RequestBody::whole(body)).unwrap();
            let again = Again::of(&request).map(Again::request);
            assert_eq!(again.is_some(), repeated, "{method}");
            if let Some(again) = again {
                assert_eq!((again.method(), again.uri(), again.headers()), (request.method(), request.uri(), request.headers()));
            }
        }
    }
}
