/// The stable code of the refusals made here.
pub(super) const CODE: &str = "egress.closed";

/// Why, for the agent and for the person.
pub const MESSAGE: &str = "this bottle reaches nothing: its session has no egress service";
const HINT: &str = "work with what is in the bottle; ask the person to do what needs the network outside of it";

/// A fatal TLS alert, access_denied(49) (RFC 8446 §6, record layer as in RFC 5246 §6.2.1): what a TLS client shows as
/// "access denied" rather than as a broken connection.
pub(super) const TLS_ALERT: [u8; 7] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 49];

/// The whole answer to anything that is not TLS: a 403 that a person can read even where the program did not speak HTTP.
pub(super) fn http() -> Vec<u8> {
    let body = serde_json::json!({ "code": CODE, "message": MESSAGE, "hint": HINT }).to_string() + "\n";
    let head = format!(
        "HTTP/1.1 403 Forbidden\r\nX-Bottle-Refusal: {CODE}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_body_is_json_of_the_announced_length() {
        let answer = String::from_utf8(super::http()).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 403 Forbidden\r\nX-Bottle-Refusal: egress.closed\r\n"), "{head}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["code"], "egress.closed");
        assert!(body["hint"].is_string() && body["message"].is_string());
    }
}
