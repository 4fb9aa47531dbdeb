/// What a request asks for, for the record: its method and its host, and nothing else. A path, a query, a header or user
/// information before an `@` may hold a secret, and the record is read by people.
pub(super) fn asked(head: &[u8]) -> String {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let host = match target.split_once("://") {
        Some((_scheme, rest)) => authority(rest),
        None if method == "CONNECT" => authority(target),
        None => lines.find_map(host_header).map(authority).unwrap_or_default(),
    };
    format!("{method} {host}").trim_end().to_owned()
}

fn authority(text: &str) -> &str {
    let end = text.find(['/', '?', '#']).unwrap_or(text.len());
    let authority = &text[..end];
    authority.rsplit_once('@').map_or(authority, |(_user, host)| host)
}

fn host_header(line: &str) -> Option<&str> {
    let (name, value) = line.split_once(':')?;
    name.trim().eq_ignore_ascii_case("host").then(|| value.trim())
}

#[cfg(test)]
mod tests {
    use super::asked;

    #[test]
    fn keeps_method_and_host_alone() {
        for (head, expected) in [
            ("CONNECT example.com:443 HTTP/1.1\r\n\r\n", "CONNECT example.com:443"),
            ("GET http://u:canary@example.com/canary?canary HTTP/1.1\r\n\r\n", "GET example.com"),
            ("GET http://example.com?canary HTTP/1.1\r\n\r\n", "GET example.com"),
            ("POST /canary HTTP/1.1\r\nX: canary\r\nhOsT:  api.example.com \r\n\r\n", "POST api.example.com"),
            ("POST /canary HTTP/1.1\r\n", "POST"),
            ("GET", "GET"),
            ("", ""),
        ] {
            assert_eq!(asked(head.as_bytes()), expected, "{head:?}");
        }
    }
}
