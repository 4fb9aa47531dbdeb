//! Which requests push with git.

use crate::Asked;
use crate::readings::Paths;

/// The service of a push, by its letters.
const SERVICE: &str = "gitreceivepack";

/// Whether a request pushes, or begins to push, with git over HTTP: the smart protocol (gitprotocol-http(5)) asks for the
/// service `git-receive-pack`, the dumb one (WebDAV) locks and puts refs, and Git LFS announces what it uploads in a batch.
///
/// `query` is as sent, without `?`. A path that means the same to every server is judged as it stands. In any other, and in every
/// query, the words alone count, wherever they stand and however they are encoded, spelled or cut: whatever a server could read as a
/// push holds them (`git-receive-pack%3f`, `;x`, `%00`, `info/./refs%3fservice=…`), so what only resembles a push is one.
/// An LFS batch that downloads cannot be told from one that uploads without its body, so it counts too.
pub fn is_git_push(asked: &Asked<'_>, query: &str) -> bool {
    // Judged for every request: most hold none of the words and nothing that could hide one.
    if !could_hold_words(asked.path) && !could_hold_words(query) {
        return false;
    }
    let plain = match Paths::of(asked.path) {
        Paths::Plain(_) => true,
        Paths::Several(_) | Paths::Odd => false,
    };
    let path = letters(asked.path);
    let names =
        |words: &[&str]| if plain { path.contains(&words.concat()) } else { words.iter().all(|word| path.contains(word)) };
    let reads = matches!(asked.method, "GET" | "HEAD") && asked.overriding().next().is_none();
    // Pages about the service have its name too, with something after it.
    let smart = if plain && reads { last(asked.path) == SERVICE } else { names(&[SERVICE]) };
    let begins = names(&["info", "refs"]) && letters(query).contains(SERVICE);
    let writes = |method: &str| ["LOCK", "PUT"].iter().any(|writing| method.eq_ignore_ascii_case(writing));
    let dumb = (writes(asked.method) || asked.overriding().any(|method| writes(&method)))
        && if plain { is_of_refs(asked.path) } else { REFS.iter().any(|words| names(words)) };
    let large = !reads && path.contains("lfs") && names(&["objects", "batch"]);
    smart || begins || dumb || large
}

/// Where refs are kept (gitrepository-layout(5)), as words of a path that servers may read differently.
const REFS: [[&str; 2]; 6] =
    [["info", "refs"], ["packed", "refs"], ["refs", "heads"], ["refs", "tags"], ["refs", "notes"], ["refs", "changes"]];

/// Whether a path that means the same to every server is that of a ref, or of a list of them.
fn is_of_refs(path: &str) -> bool {
    let segments: Vec<String> = path.split('/').filter(|segment| !segment.is_empty()).map(letters).collect();
    let is_below = segments.iter().rev().skip(1).any(|segment| segment == "refs");
    let is_list = match &segments[..] {
        [.., folder, last] if last == "refs" => folder == "info",
        [.., last] => last == "packedrefs",
        [] => false,
    };
    is_below || is_list
}

fn could_hold_words(text: &str) -> bool {
    let contains = |word: &str| text.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    !text.is_ascii() || text.contains('%') || ["receive", "refs", "batch"].into_iter().any(contains)
}

/// The letters of the last segment; a slash at the end changes nothing.
fn last(path: &str) -> String {
    letters(path.trim_end_matches('/').rsplit('/').next().unwrap_or_default())
}

/// The letters and digits of ASCII alone, in lower case, of a text that is decoded until there is nothing left to decode. Full-width
/// characters are the ones that they become where a server applies compatibility forms (Unicode NFKC).
fn letters(text: &str) -> String {
    let narrow = |c: char| match u32::from(c) {
        wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0).unwrap_or(c),
        _ => c,
    };
    // `to_lowercase` also knows the sign for kelvin, which is a `k` where case does not count.
    let decoded = decoded(text);
    let folded = decoded.chars().map(narrow).flat_map(char::to_lowercase);
    folded.filter(char::is_ascii_alphanumeric).collect()
}

/// Undoes percent-encoding of any depth, and `%uXXXX`, which ASP.NET reads. Each escape is undone once it is complete, so that the work
/// is proportional to the length, however deep it goes.
fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text.as_bytes() {
        out.push(byte);
        while let Some((at, c)) = escape_at_end(&out) {
            out.truncate(at);
            out.extend_from_slice(&c);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The escape that a text ends with: where it begins, and the bytes that it stands for.
fn escape_at_end(text: &[u8]) -> Option<(usize, Vec<u8>)> {
    let number = |digits: &[u8]| digits.iter().try_fold(0, |n, digit| Some(n * 16 + char::from(*digit).to_digit(16)?));
    match text {
        [before @ .., b'%', high, low] => Some((before.len(), vec![u8::try_from(number(&[*high, *low])?).ok()?])),
        [before @ .., b'%', b'u' | b'U', a, b, c, d] => {
            let character = char::from_u32(number(&[*a, *b, *c, *d])?)?;
            Some((before.len(), character.to_string().into_bytes()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::is_git_push;
    use crate::{Asked, Headers, Host, Transport};

    struct Header(Option<(&'static str, &'static str)>);

    impl Headers for Header {
        fn values<'a>(&'a self, name: &str) -> Box<dyn Iterator<Item = &'a [u8]> + 'a> {
            let value = self.0.filter(|(own, _)| *own == name);
            Box::new(value.map(|(_, value)| value.as_bytes()).into_iter())
        }
    }

    fn pushes(method: &str, path: &str, query: &str, header: Option<(&'static str, &'static str)>) -> bool {
        let host = Host::parse("forge.example").unwrap();
        let headers = Header(header);
        is_git_push(&Asked { transport: Transport::Tls, host: &host, port: 443, method, path, headers: &headers }, query)
    }

    #[test]
    fn pushes_in_every_spelling() {
        for (method, path, query) in [
            ("POST", "/me/repo.git/git-receive-pack", ""),
            ("POST", "/me/repo/git-receive-pack/", ""),
            ("POST", "/me/repo.git/git%2Dreceive%2dpack", ""),
            ("POST", "/me/repo.git/git%252dreceive-pack", ""),
            ("POST", "/me/repo.git/git%u002dreceive-pack", ""),
            ("POST", "/me/repo.git/git\u{ff0d}receive-pack", ""),
            ("POST", "/me/repo.git/git-receive-pac\u{212a}", ""),
            ("POST", "/me/repo.git/Git-Receive-Pack;x=1", ""),
            ("POST", "/me/repo.git%2fgit-receive-pack", ""),
            ("POST", "/me/repo.git/git-receive-pack:$DATA", ""),
            ("GET", "/me/repo.git/git-receive-pack", ""),
            ("GET", "/me/repo.git/git-receive-pack.", ""),
            ("GET", "/me/repo.git/info/refs", "service=git-receive-pack"),
            ("GET", "/me/repo.git/info%2frefs", "a=b&service=git%2Dreceive-pack"),
            ("GET", "/me/repo.git/info/refs", "service=git-upload-pack&service=git-receive-pack"),
            ("GET", "/me/repo.git/info/refs", "service[]=git-receive-pack"),
            ("GET", "/me/repo.git/info/refs", "service=git%u002dreceive-pack"),
            ("GET", "/me/repo.git/info/refs", "ser%76ice=git+receive+pack"),
            ("GET", "/me/repo.git/INFO/REFS", "SERVICE=GIT-RECEIVE-PACK"),
            ("GET", "/me/repo.git/info/x/../refs", "service=git-receive-pack"),
            ("GET", "/me/repo.git/info/refs%3fservice=git-receive-pack", ""),
            ("GET", "/me/repo.git/info/refs%23", "service=git-receive-pack"),
            ("POST", "/me/repo.git/info/lfs/objects/batch", ""),
            ("post", "/me/repo.git/info/lfs/objects/batch/", "x"),
            ("POST", "/api/lfs/repo/objects/batch", ""),
            ("POST", "/me/repo.git/info/lfs/objects/batch%20", ""),
            ("POST", "/me/repo.git/info//lfs/.;x/objects\\batch", ""),
            ("GET", "/me/repo.git/info;x/./refs", "service=git-receive-pack"),
            ("LOCK", "/me/repo.git/info/refs", ""),
            ("LOCK", "/me/repo.git/refs/heads/main", ""),
            ("PUT", "/me/repo.git/refs%2ftags/v1", ""),
            ("LOCK", "/me/repo.git/refs/notes/commits", ""),
            ("PUT", "/me/repo.git/refs/changes/01/1/1", ""),
            ("PUT", "/me/repo.git/packed-refs", ""),
            ("PUT", "/me/repo.git/packed%2drefs", ""),
        ] {
            assert!(pushes(method, path, query, None), "{method} {path}?{query}");
        }
    }

    #[test]
    fn whatever_follows_or_hides_it_is_nothing_to_rely_on() {
        for after in [
            "%3f",
            "%23",
            "%00",
            "%20",
            "%09",
            "%0d%0a",
            "%253f",
            "%25253f",
            "%252500",
            "%ef%bc%8f",
            "%c0%ae",
            "%ff",
            "%",
            "%zz",
            "?",
            "#",
            ";x",
            "%3bx",
            "\\",
            "%5c",
            "//",
            "/.",
            "/./",
            "/x/..",
            "/%2e",
            "/..;/",
            "...",
            "%2e",
            ".%20",
            "/%20",
            "\u{ad}",
            "%a0x",
        ] {
            let path = format!("/me/repo.git/git-receive-pack{after}");
            for method in ["POST", "GET"] {
                assert!(pushes(method, &path, "", None), "{method} {path}");
            }
        }
    }

    #[test]
    fn a_get_that_is_taken_for_a_post_is_one() {
        let header = Some(("x-http-method-override", "POST"));
        assert!(pushes("GET", "/me/repo.git/info/lfs/objects/batch", "", header));
        assert!(pushes("GET", "/me/repo.git/git-receive-pack:", "", header));
        let header = Some(("x-http-method-override", "PUT"));
        assert!(pushes("POST", "/me/repo.git/refs/heads/main", "", header));
    }

    #[test]
    fn reading_is_no_push() {
        for (method, path, query) in [
            ("GET", "/me/repo.git/info/refs", "service=git-upload-pack"),
            ("GET", "/me/repo%20x.git/info/refs", "service=git-upload-pack"),
            ("GET", "/me/repo.git/info/refs", ""),
            ("POST", "/me/repo.git/git-upload-pack", ""),
            ("GET", "/docs/git-receive-pack/options", ""),
            ("GET", "/docs/git-receive-pack.html", ""),
            ("GET", "/search", "q=git-receive-pack"),
            ("GET", "/search%20", "q=git%2Dreceive-pack"),
            ("GET", "/me/repo.git/info/lfs/objects/batch", ""),
            ("POST", "/v1/objects/batch", ""),
            ("POST", "/v1/re%20ceive/git%2Dpack", ""),
            ("PUT", "/me/prefs", ""),
            ("PUT", "/user/prefs/tags", ""),
            ("PUT", "/info/prefs", ""),
            ("GET", "/a%zzb%", "%"),
            ("LOCK", "/dav/file", ""),
        ] {
            assert!(!pushes(method, path, query, None), "{method} {path}?{query}");
        }
    }

    #[test]
    fn encoding_without_end_is_undone_in_one_pass() {
        let path = format!("/r/git%{}2dreceive-pack", "25".repeat(1 << 20));
        assert!(pushes("GET", &path, "", None));
    }

    proptest! {
        /// However its letters are encoded and what stands between its segments.
        #[test]
        fn no_encoding_hides_a_push(depths in prop::collection::vec(0..4_usize, 16), before in "(/|//|/\\./|%2f|%252F|/x/\\.\\./|;/|\\\\)", after in "(|/|%3f|%23x|%00|;x|/\\.)") {
            let encoded: String = "git-receive-pack".bytes().zip(depths).map(|(byte, depth)| match depth {
                0 => char::from(byte).to_string(),
                deep => format!("%{}{byte:02x}", "25".repeat(deep - 1)),
            }).collect();
            let path = format!("/me/r.git{before}{encoded}{after}");
            prop_assert!(pushes("POST", &path, "", None) && pushes("GET", &path, "", None), "{path}");
        }
    }
}
