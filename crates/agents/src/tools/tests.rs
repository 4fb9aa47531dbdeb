use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{ToolError, resolve_tools};
use crate::Visible;
use crate::credentials::{Moved, Private};

fn home() -> (TempDir, PathBuf) {
    let guard = TempDir::new().unwrap();
    let home = fs::canonicalize(guard.path()).unwrap().join("me");
    fs::create_dir(&home).unwrap();
    (guard, home)
}

fn program(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::File::create(path).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn resolve(home: &Path, tools: &[&str]) -> Result<Visible, Vec<ToolError>> {
    let private = Private { home, state: &home.join(".bot-bottle"), moved: &Moved::default() };
    resolve_tools(&tools.iter().map(ToString::to_string).collect::<Vec<_>>(), private)
}

#[test]
fn folders_go_on_path_and_files_get_a_link() {
    let (_guard, home) = home();
    for path in ["sdk/bin/run", "flat/run", "data/readme", "one"] {
        program(&home.join(path));
    }
    fs::set_permissions(home.join("data/readme"), fs::Permissions::from_mode(0o644)).unwrap();
    symlink("one", home.join("other-name")).unwrap();
    let visible = resolve(&home, &["~/sdk", "~/flat", "~/data", "~/other-name"]).unwrap();
    assert_eq!(visible.path_entries, [home.join("sdk/bin"), home.join("flat")]);
    let shown: Vec<_> = visible.tools.iter().map(|tool| tool.path().strip_prefix(&home).unwrap().to_str().unwrap()).collect();
    assert_eq!(shown, ["sdk", "flat", "data", "one"]);
    let links: Vec<_> = visible.links.iter().map(|link| (link.at.to_string(), link.target.clone())).collect();
    assert_eq!(links, [("/opt/bot-bottle/bin/other-name".to_owned(), home.join("one"))]);
}

#[test]
fn every_problem_is_reported_at_once() {
    let (_guard, home) = home();
    program(&home.join(".ssh/id_rsa"));
    let errors = resolve(&home, &["~", "~/none\x1b[31m", "relative", "~root/x", "~/.ssh", "/etc"]).unwrap_err();
    let text: Vec<_> = errors.iter().map(ToString::to_string).collect();
    for (text, part) in
        text.iter().zip(["is a home folder", "none\\u{1b}[31m does not exist", "begin with /", "begin with /", ".ssh", "/etc"])
    {
        assert!(text.contains(part), "{text} lacks {part}");
    }
    assert_eq!(text.len(), 6);
}

#[test]
fn what_every_bottle_has_is_not_shown_twice() {
    let (_guard, home) = home();
    let visible = resolve(&home, &["/usr"]).unwrap();
    assert!(visible.tools.is_empty());
    assert_eq!(visible.path_entries, [Path::new("/usr/bin")]);
}
