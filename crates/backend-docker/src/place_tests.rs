use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::{By, Place, PlaceError, find};
use crate::settings::Settings;

fn settings(config: &Path) -> Settings {
    Settings { config: Some(config.to_owned()), ..Settings::default() }
}

fn context(config: &Path, name: &str, host: &str) {
    let folder = config.join("contexts/meta").join(format!("digest-of-{name}"));
    fs::create_dir_all(&folder).unwrap();
    let meta =
        format!(r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":false}}}}}}"#);
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    fs::write(folder.join("meta.json"), meta).unwrap();
}

#[test]
fn the_variable_comes_before_the_context() {
    let config = tempfile::tempdir().unwrap();
    context(config.path(), "work", "unix:///run/work.sock");
    let mut settings = settings(config.path());
    settings.context = Some("work".into());
    assert_eq!(find(&settings).unwrap(), Place { socket: "/run/work.sock".into(), by: By::Context("work".to_owned()) });
    settings.host = Some(OsString::from("unix:///run/variable.sock"));
    assert_eq!(find(&settings).unwrap().socket, Path::new("/run/variable.sock"));
}

#[test]
fn the_current_context_is_the_one_in_the_configuration() {
    let config = tempfile::tempdir().unwrap();
    context(config.path(), "rootless", "unix:///run/user/1000/docker.sock");
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    fs::write(config.path().join("config.json"), r#"{"auths":{},"currentContext":"rootless"}"#).unwrap();
    assert_eq!(find(&settings(config.path())).unwrap().socket, Path::new("/run/user/1000/docker.sock"));
    let mut missing = settings(config.path());
    missing.context = Some("nothing".into());
    assert!(matches!(find(&missing), Err(PlaceError::Context { name, .. }) if name == "nothing"));
}

#[test]
fn an_engine_elsewhere_is_refused() {
    let config = tempfile::tempdir().unwrap();
    for address in ["tcp://10.0.0.1:2375", "ssh://somebody@there", "unix://relative", "npipe:////./pipe/docker"] {
        let settings = Settings { host: Some(address.into()), ..settings(config.path()) };
        let error = find(&settings).unwrap_err();
        assert!(matches!(&error, PlaceError::Elsewhere { by, .. } if *by == By::Variable), "{error}");
        assert!(error.to_string().contains(address));
    }
}

#[test]
fn rootless_sockets_are_found_where_they_are() {
    let (config, run) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let socket = run.path().join("podman/podman.sock");
    fs::create_dir_all(socket.parent().unwrap()).unwrap();
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let settings = Settings { run: Some(run.path().to_owned()), ..settings(config.path()) };
    // A machine that has the system's engine finds that first.
    let found = find(&settings).unwrap().socket;
    assert!(found == socket || found == Path::new(super::SYSTEM), "{}", found.display());
}
