use std::os::unix::net::UnixListener;
use std::path::Path;

use bottle::Unavailable;

use crate::engine::Engine;
use crate::settings::Settings;

async fn refused(socket: &Path) -> Unavailable {
    let host = Some(format!("unix://{}", socket.display()).into());
    Engine::connect(&Settings { host, ..Settings::default() }).await.err().unwrap()
}

/// The clock stands still and jumps to whatever is waited for.
#[tokio::test(start_paused = true)]
async fn a_socket_that_takes_connections_and_says_nothing_is_given_up_soon() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("it's.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    let begun = tokio::time::Instant::now();
    let told = refused(&socket).await;
    assert!(begun.elapsed().as_secs() <= 10, "{:?}", begun.elapsed());
    assert!(told.missing.contains("(DOCKER_HOST): nothing was heard from it for 10 s"), "{told:?}");
    let quoted = format!("'{}'", socket.display().to_string().replace('\'', r"'\''"));
    assert!(told.hints[0].contains(&format!("--unix-socket {quoted} http")), "{told:?}");
    assert!(told.hints[1].starts_with("unset DOCKER_HOST"), "{told:?}");
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_told_with_who_named_it() {
    let told = refused(Path::new("/nope")).await;
    assert!(told.missing.starts_with("the engine at /nope (DOCKER_HOST): connecting to it: No such file"), "{told:?}");
    assert!(told.hints[0].starts_with("unset DOCKER_HOST"), "{told:?}");
}

#[tokio::test]
async fn what_answers_and_is_no_engine_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("other.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let talks = std::thread::spawn(move || {
        // The first connection only looks whether anybody is there.
        for _ in 0..2 {
            drop(std::io::Write::write_all(&mut listener.accept().unwrap().0, b"SSH-2.0-x\r\n"));
        }
    });
    let told = refused(&socket).await;
    talks.join().unwrap();
    assert!(told.hints[0].starts_with("curl ") && told.hints[1].starts_with("unset DOCKER_HOST"), "{told:?}");
}
