use policy::Code;

use super::Failure;
use super::target::Target;

/// What it means that a request got no answer. Says nothing in the other end's words.
pub(super) fn no_answer(target: &Target, error: &hyper::Error) -> Failure {
    let later = "try again later; if it stays so, tell the person";
    let upstream = |what: &str, hint: &str| Failure::new(Code::UpstreamProtocol, format!("{target} {what}"), hint);
    if error.is_user() {
        let message = format!("the body of the request to {target} ended early");
        return Failure::new(Code::BadRequest, message, "send the whole body, of the length that was announced");
    }
    if error.is_parse_too_large() {
        return upstream("answers with a head that is too large", later);
    }
    if error.is_parse() {
        return upstream("does not answer in HTTP", "check the port, and whether it speaks TLS");
    }
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return upstream("closed the connection before it answered", later);
    }
    upstream("broke the connection off before it answered", later)
}

/// A request that cannot be written down in the version of HTTP that the other end speaks.
pub(super) fn unwritable(target: &Target) -> Failure {
    Failure::new(
        Code::BadRequest,
        format!("the request to {target} has a target that cannot be forwarded"),
        "send a path that begins with `/`",
    )
}
