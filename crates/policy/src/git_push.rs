//! Which requests push with git.

/// Whether a request pushes, or begins to push, with git over HTTP: the smart protocol (gitprotocol-http(5)) asks for the
/// service `git-receive-pack`, the dumb one (WebDAV) needs `LOCK`, and Git LFS announces what it uploads in a batch.
///
/// `path` and `query` (without `?`) are as sent. Every reading that a server could make counts: an encoded letter, a
/// second `service` parameter or another case must not carry a push past the gate, so what only resembles a push is one.
/// An LFS batch that downloads cannot be told from one that uploads without its body, so it counts too.
pub fn is_git_push(method: &str, path: &str, query: &str) -> bool {
    // Judged for every request: most hold none of the words and nothing that could hide one.
    let hides = |text: &str| text.contains('%') || ["receive", "info", "refs"].iter().any(|word| contains(text, word));
    if !hides(path) && !hides(query) {
        return false;
    }
    let (path, query) = (plain(&folded(path)), folded(query));
    let last = path.rsplit('/').next().unwrap_or_default();
    let refs = path.contains("info/refs");
    // Any mention in the query will do: `&` and `;` both separate parameters, and some servers read `service[]=` or take the
    // last of two.
    let smart = last == "git-receive-pack" || refs && (query.contains("git-receive-pack") || query.contains("git_receive_pack"));
    let dumb = method.eq_ignore_ascii_case("LOCK") && (refs || path.contains("/refs/"));
    let large = method.eq_ignore_ascii_case("POST") && last == "batch" && path.contains("info/lfs/objects");
    smart || dumb || large
}

fn contains(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

/// The segments that mean something, without parameters.
fn plain(path: &str) -> String {
    let segments = path.split(['/', '\\']).map(|segment| segment.split(';').next().unwrap_or(segment));
    segments.filter(|segment| !matches!(*segment, "" | ".")).fold(String::new(), |path, segment| path + "/" + segment)
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

#[cfg(test)]
mod tests {
    use super::is_git_push;

    #[test]
    fn pushes_in_every_spelling() {
        for (method, path, query) in [
            ("POST", "/me/repo.git/git-receive-pack", ""),
            ("POST", "/me/repo/git-receive-pack/", ""),
            ("POST", "/me/repo.git/git%2Dreceive%2dpack", ""),
            ("POST", "/me/repo.git/git%252dreceive-pack", ""),
            ("POST", "/me/repo.git/Git-Receive-Pack;x=1", ""),
            ("POST", "/me/repo.git%2fgit-receive-pack", ""),
            ("GET", "/me/repo.git/git-receive-pack", ""),
            ("GET", "/me/repo.git/info/refs", "service=git-receive-pack"),
            ("GET", "/me/repo.git/info%2frefs", "a=b&service=git%2Dreceive-pack"),
            ("GET", "/me/repo.git/info/refs", "service=git-upload-pack&service=git-receive-pack"),
            ("GET", "/me/repo.git/info/refs", "service[]=git-receive-pack"),
            ("GET", "/me/repo.git/INFO/REFS", "SERVICE=GIT-RECEIVE-PACK"),
            ("POST", "/me/repo.git/info/lfs/objects/batch", ""),
            ("post", "/me/repo.git/info/lfs/objects/batch/", "x"),
            ("POST", "/me/repo.git/info//lfs/.;x/objects\\batch", ""),
            ("GET", "/me/repo.git/info;x/./refs", "service=git-receive-pack"),
            ("LOCK", "/me/repo.git/info/refs", ""),
            ("LOCK", "/me/repo.git/refs/heads/main", ""),
        ] {
            assert!(is_git_push(method, path, query), "{method} {path}?{query}");
        }
    }

    #[test]
    fn reading_is_no_push() {
        for (method, path, query) in [
            ("GET", "/me/repo.git/info/refs", "service=git-upload-pack"),
            ("GET", "/me/repo.git/info/refs", ""),
            ("POST", "/me/repo.git/git-upload-pack", ""),
            ("GET", "/docs/git-receive-pack/options", ""),
            ("GET", "/search", "q=git-receive-pack"),
            ("GET", "/me/repo.git/info/lfs/objects/batch", ""),
            ("POST", "/v1/objects/batch", ""),
            ("GET", "/a%zzb%", "%"),
            ("LOCK", "/dav/file", ""),
        ] {
            assert!(!is_git_push(method, path, query), "{method} {path}?{query}");
        }
    }
}
