//! Which requests push with git.

/// Whether a request pushes, or begins to push, with git over HTTP: the smart protocol (gitprotocol-http(5)) asks for the
/// service `git-receive-pack`, the dumb one (WebDAV) needs `LOCK`, and Git LFS announces what it uploads in a batch.
///
/// `path` and `query` (without `?`) are as sent. Every reading that a server could make counts: an encoded letter, a
/// second `service` parameter or another case must not carry a push past the gate, so what only resembles a push is one.
/// An LFS batch that downloads cannot be told from one that uploads without its body, so it counts too.
pub fn is_git_push(method: &str, path: &str, query: &str) -> bool {
    let (path, query) = (folded(path), folded(query));
    let last = path.rsplit(['/', '\\']).map(without_parameters).find(|segment| !segment.is_empty()).unwrap_or_default();
    if last == "git-receive-pack" {
        return true;
    }
    // `&` and `;` separate parameters (both are in use), and some servers read `service[]=` and ` service=`.
    let asks = query.contains("git-receive-pack") || query.contains("git_receive_pack");
    if asks && path.contains("info/refs") {
        return true;
    }
    let batch = last == "batch" && path.contains("info/lfs/objects");
    batch && method.eq_ignore_ascii_case("POST")
}

fn without_parameters(segment: &str) -> &str {
    segment.split(';').next().unwrap_or(segment)
}

/// Decoded as often as there is something to decode (at most four times; deeper encoding means nothing to any server), in
/// lower case.
fn folded(text: &str) -> String {
    let mut text = text.to_ascii_lowercase();
    for _ in 0..4 {
        if !text.contains('%') {
            break;
        }
        text = decoded(&text).to_ascii_lowercase();
    }
    text
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(digit(*high) * 16 + digit(*low));
                rest = after;
            }
            _ => {
                out.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn digit(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        b'a'..=b'f' => hex - b'a' + 10,
        b'A'..=b'F' => hex - b'A' + 10,
        _ => 0,
    }
}
