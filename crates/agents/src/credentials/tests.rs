use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{CredentialError, check_place, check_tool};

struct Home {
    _guard: TempDir,
    path: PathBuf,
}

impl Home {
    fn with(entries: &[&str]) -> Self {
        let guard = TempDir::new().unwrap();
        let path = fs::canonicalize(guard.path()).unwrap().join("me");
        fs::create_dir(&path).unwrap();
        for entry in entries {
            let at = path.join(entry);
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            if entry.ends_with('/') { fs::create_dir_all(at).unwrap() } else { drop(fs::File::create(at).unwrap()) }
        }
        Self { _guard: guard, path }
    }

    fn refusal(&self, below: &str) -> String {
        check_tool(&self.path.join(below), &self.path).unwrap_err().to_string()
    }

    fn shows(&self, below: &str) -> bool {
        check_tool(&self.path.join(below), &self.path).unwrap() == self.path.join(below)
    }
}

#[test]
fn the_home_and_what_is_above_it_are_refused() {
    let home = Home::with(&["tools/x"]);
    for above in [home.path.as_path(), home.path.parent().unwrap(), Path::new("/"), Path::new("/tmp")] {
        let error = check_tool(above, &home.path).unwrap_err();
        assert!(matches!(error, CredentialError::Home { .. }), "{}: {error}", above.display());
    }
    assert!(home.shows("tools"));
}

#[test]
fn places_of_the_system_are_refused_with_all_that_is_below() {
    let home = Home::with(&[]);
    for place in ["/etc", "/etc/passwd", "/proc/self", "/sys", "/dev/null"] {
        let error = check_tool(Path::new(place), &home.path).unwrap_err();
        assert!(matches!(error, CredentialError::System { .. }), "{place}: {error}");
    }
}

#[test]
fn a_credential_what_lies_in_it_and_what_contains_it_are_refused_by_name() {
    let home = Home::with(&[
        ".ssh/keys/work",
        ".config/gh/hosts.yml",
        ".config/nvim/init.lua",
        ".cargo/credentials.toml",
        ".cargo/bin/x",
    ]);
    for (asked, named) in [
        (".ssh", ".ssh"),
        (".ssh/keys/work", ".ssh"),
        (".config", ".config/gh"),
        (".config/gh/hosts.yml", ".config/gh"),
        (".cargo", ".cargo/credentials.toml"),
    ] {
        let refusal = home.refusal(asked);
        assert!(refusal.contains(&format!("{}, which holds credentials", home.path.join(named).display())), "{asked}: {refusal}");
    }
    assert!(home.shows(".config/nvim"));
    assert!(home.shows(".cargo/bin"));
}

#[test]
fn a_link_to_a_credential_and_a_credential_that_is_a_link_are_refused() {
    let home = Home::with(&[".aws/credentials", "vault/gnupg/key", "tools/"]);
    symlink("../.aws", home.path.join("tools/innocent")).unwrap();
    symlink("vault/gnupg", home.path.join(".gnupg")).unwrap();
    assert!(home.refusal("tools/innocent").contains(".aws"));
    assert!(home.refusal("vault/gnupg/key").contains(".gnupg"));
    assert!(home.refusal("vault").contains(".gnupg"));
}

#[test]
fn private_keys_and_dotfiles_directly_in_a_folder_are_refused() {
    let home = Home::with(&["a/server.pem", "b/id_ed25519", "c/.npmrc", "d/.env", "e/id_ed25519.pub", "e/deep/x.pem"]);
    for (folder, named) in
        [("a", "server.pem"), ("b", "id_ed25519"), ("c", ".npmrc"), ("d", ".env"), ("a/server.pem", "server.pem")]
    {
        assert!(home.refusal(folder).contains(named), "{folder}");
    }
    assert!(home.shows("e"));
}

#[test]
fn a_program_inside_an_agents_folder_is_shown_but_nothing_beside_it() {
    let home = Home::with(&[".claude/local/node_modules/x/cli.js", ".claude/.credentials.json", ".claude/local/package.json"]);
    assert!(home.shows(".claude/local/node_modules"));
    assert!(home.refusal(".claude/local").contains(".claude"));
    assert!(home.refusal(".claude/.credentials.json").contains(".claude"));
}

#[test]
fn a_project_with_its_own_keys_may_be_a_workspace_but_not_a_tool() {
    let home = Home::with(&["project/.env", "project/test.pem"]);
    assert!(check_place(&home.path.join("project"), &home.path).is_ok());
    assert!(check_tool(&home.path.join("project"), &home.path).is_err());
}

#[test]
fn what_does_not_exist_is_said_so() {
    let home = Home::with(&[]);
    assert!(home.refusal("nothing").contains("nothing: No such file"));
}
