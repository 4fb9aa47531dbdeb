use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use agents::credentials::{CredentialError, Moved, Private};
use bottle::{GuestPath, Tool};

use super::{WORKSPACE, Wanted, Workspace, WorkspaceError};

/// A home with a project in it.
fn home() -> (TempDir, PathBuf) {
    let guard = TempDir::new().unwrap();
    let home = fs::canonicalize(guard.path()).unwrap().join("me");
    for folder in [".bot-bottle/agents", ".ssh", "project/.git", "project/node_modules/x", "project/.bot-bottle/agents"] {
        fs::create_dir_all(home.join(folder)).unwrap();
    }
    for file in [".ssh/id_rsa", "project/.git/HEAD", "project/.env", "project/node_modules/x/y", "file"] {
        fs::File::create(home.join(file)).unwrap();
    }
    (guard, home)
}

fn validate(home: &Path, below: &str, exclude: &[&str]) -> Result<Workspace, WorkspaceError> {
    let exclude: Vec<String> = exclude.iter().map(ToString::to_string).collect();
    let at = GuestPath::parse(WORKSPACE).unwrap();
    let wanted = Wanted { host: &home.join(below), at: &at, exclude: &exclude, tools: &[] };
    within(&wanted, home, &home.join(".bot-bottle"))
}

fn within(wanted: &Wanted<'_>, home: &Path, state: &Path) -> Result<Workspace, WorkspaceError> {
    Workspace::validate(wanted, Private { home, state, moved: &Moved::default() })
}

#[test]
fn a_project_goes_whole_with_git_and_its_own_agents() {
    let (_guard, home) = home();
    let workspace = validate(&home, "project", &[]).unwrap();
    assert_eq!((workspace.census().files, workspace.host()), (3, home.join("project").as_path()));
    assert_eq!(validate(&home, "project", &["node_modules"]).unwrap().census().files, 2);
}

#[test]
fn links_that_lead_out_are_left_out_and_named() {
    let (_guard, home) = home();
    symlink("../.ssh/id_rsa", home.join("project/key")).unwrap();
    symlink("/etc/passwd", home.join("project/.git/users")).unwrap();
    symlink(".env", home.join("project/inside")).unwrap();
    let workspace = validate(&home, "project", &[]).unwrap();
    assert_eq!((workspace.census().links, workspace.census().left_out.count), (1, 2));
    assert_eq!(workspace.census().left_out.to_string(), "key, .git/users");
    for number in 0..5 {
        symlink("/etc/passwd", home.join(format!("project/.git/\x1b[2J{number}"))).unwrap();
    }
    let shown = validate(&home, "project", &[]).unwrap().census().left_out.to_string();
    assert_eq!(shown, "key, .git/\\u{1b}[2J0, .git/\\u{1b}[2J1, .git/\\u{1b}[2J2, .git/\\u{1b}[2J3 and 2 more");
}

#[test]
fn the_home_what_is_above_it_and_credentials_are_refused() {
    let (_guard, home) = home();
    for below in ["", "..", "/", ".ssh", "/etc"] {
        let error = validate(&home, below, &[]).unwrap_err();
        assert!(matches!(error, WorkspaceError::Place(_)), "{below}: {error}");
        assert!(error.to_string().contains("without --cwd"), "{error}");
    }
    assert!(matches!(validate(&home, "file", &[]), Err(WorkspaceError::NotAFolder(_))));
    symlink(&home, home.join("project/to-home")).unwrap();
    assert!(matches!(validate(&home, "project/to-home", &[]), Err(WorkspaceError::Place(_))));
}

#[test]
fn our_own_state_is_never_copied() {
    let (_guard, home) = home();
    assert!(validate(&home, ".bot-bottle/agents", &[]).is_err());
    let state = home.join("project/state");
    fs::create_dir(&state).unwrap();
    let at = GuestPath::parse(WORKSPACE).unwrap();
    let wanted = Wanted { host: &home.join("project"), at: &at, exclude: &[], tools: &[] };
    let error = within(&wanted, &home, &state).unwrap_err();
    assert!(matches!(error, WorkspaceError::Place(CredentialError::State { .. })), "{error}");
}

#[test]
fn an_exclusion_is_a_name_or_a_path_below_the_folder() {
    let (_guard, home) = home();
    for bad in ["", "/", "/etc", "a/", "./a", "a//b", "..", "a/../b"] {
        assert!(matches!(validate(&home, "project", &[bad]), Err(WorkspaceError::Exclude(_))), "{bad}");
    }
    let files = |exclude: &str| validate(&home, "project", &[exclude]).unwrap().census().files;
    assert_eq!((files("node_modules/x"), files("x"), files("x/y"), files(".git/HEAD")), (2, 2, 3, 2));
}

#[test]
fn the_bottles_own_places_are_refused() {
    let (_guard, home) = home();
    let sdk = home.join("sdk");
    fs::create_dir(&sdk).unwrap();
    let tools = [Tool::look(&sdk).unwrap()];
    let check = |at: &str| {
        let at = GuestPath::parse(at).unwrap();
        let wanted = Wanted { host: &home.join("project"), at: &at, exclude: &[], tools: &tools };
        within(&wanted, &home, &home.join(".bot-bottle"))
    };
    let refused = [
        "/",
        "/etc",
        "/etc/x",
        "/proc/x",
        "/usr",
        "/usr/bin",
        "/var/lib",
        "/home",
        "/home/node",
        "/tmp",
        "/opt",
        "/opt/bot-bottle/bin",
    ];
    let of_the_tool = [home.clone(), sdk.clone(), sdk.join("x")];
    for at in refused.into_iter().chain(of_the_tool.iter().map(|path| path.to_str().unwrap())) {
        let error = check(at).unwrap_err().to_string();
        assert!(error.starts_with("workspace.path: ") && error.contains(at), "{error}");
    }
    for at in
        ["/home/node/service", "/work", "/srv/app", "/opt/app", "/usr/src/app", "/var/www/site", "/tmp/x", "/home/me/project"]
    {
        assert_eq!(check(at).unwrap().at().to_string(), at);
    }
}

#[test]
fn what_cannot_be_read_comes_with_a_way_out() {
    let source = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    let error = WorkspaceError::from(bottle::tree::TreeError::Read { path: PathBuf::from("/p/data"), source });
    assert!(error.to_string().contains("reading /p/data") && error.to_string().ends_with("workspace.exclude"), "{error}");
}
