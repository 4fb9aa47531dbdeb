use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::{Answer, Recorded};

/// Answers as a forge does for the repositories in `folder` (gitprotocol-http(5)): by `git http-backend`, the program that serves
/// git over HTTP. Whoever asks may also push.
///
/// # Panics
/// When a request has more of a body than is kept.
pub fn git_server(folder: &Path) -> impl Fn(&Recorded) -> Answer + Send + Sync + use<> {
    let folder: Arc<Path> = folder.into();
    move |_| {
        let folder = Arc::clone(&folder);
        Answer::after(move |request| answer(&folder, request))
    }
}

fn answer(folder: &Path, request: &Recorded) -> Answer {
    assert_eq!(request.body.start.len() as u64, request.body.len, "more of a body than is kept");
    let output = said(folder, request);
    let end = output.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(output.len());
    let (head, body) = (String::from_utf8_lossy(&output[..end]).into_owned(), output.get(end + 4..).unwrap_or_default());
    let mut answer = Answer::bytes(body.to_vec());
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        // CGI's way to say a status (RFC 3875, section 6.3.3).
        answer = match (name, value.get(..3).and_then(|status| status.parse().ok())) {
            ("Status", Some(status)) => answer.status(status),
            _ => answer.header(name, value),
        };
    }
    answer
}

#[allow(clippy::disallowed_methods, reason = "a server of a test's own")]
fn said(folder: &Path, request: &Recorded) -> Vec<u8> {
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("REMOTE_USER", "somebody")
        .env("REQUEST_METHOD", request.method.as_str())
        .env("PATH_INFO", request.uri.path())
        .env("QUERY_STRING", request.uri.query().unwrap_or_default())
        .env("CONTENT_LENGTH", request.body.len.to_string());
    for (variable, header) in
        [("CONTENT_TYPE", "content-type"), ("HTTP_CONTENT_ENCODING", "content-encoding"), ("GIT_PROTOCOL", "git-protocol")]
    {
        command.envs(request.header(header).map(|value| (variable, value)));
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    // One that answers before it has read all closes its end.
    let _ = child.stdin.take().unwrap().write_all(&request.body.start);
    child.wait_with_output().unwrap().stdout
}
