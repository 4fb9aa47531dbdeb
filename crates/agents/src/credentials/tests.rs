use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::inside::{self, Looked};
use super::{CredentialError, Moved, Private, check_place, check_tool};

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

    fn private<'a>(&'a self, state: &'a Path, moved: &'a Moved) -> Private<'a> {
        Private { home: &self.path, state, moved }
    }

    fn check(&self, path: &Path) -> Result<PathBuf, CredentialError> {
        let checked = check_tool(path, self.private(&self.path.join(".bot-bottle"), &Moved::default()));
        checked.map(|place| place.path().to_owned())
    }

    /// What is said of a tool when a variable has that value; `HOME` in it is the home.
    fn check_with(&self, below: &str, variable: &str, value: &str) -> Result<PathBuf, CredentialError> {
        let value = value.replace("HOME", self.path.to_str().unwrap());
        let moved = Moved::by(|asked| (asked == variable).then(|| value.clone().into()));
        let checked = check_tool(&self.path.join(below), self.private(&self.path.join(".bot-bottle"), &moved));
        checked.map(|place| place.path().to_owned())
    }

    fn refusal(&self, below: &str) -> String {
        self.check(&self.path.join(below)).unwrap_err().to_string()
    }

    fn shows(&self, below: &str) -> bool {
        self.check(&self.path.join(below)).unwrap() == self.path.join(below)
    }
}

#[test]
fn the_home_and_what_is_above_it_are_refused() {
    let home = Home::with(&["tools/x"]);
    for above in [home.path.as_path(), home.path.parent().unwrap(), Path::new("/"), Path::new("/tmp")] {
        let error = home.check(above).unwrap_err();
        assert!(matches!(error, CredentialError::Home { .. }), "{}: {error}", above.display());
    }
    assert!(home.shows("tools"));
}

#[test]
fn places_of_the_system_are_refused_with_all_that_is_below() {
    let home = Home::with(&[]);
    for place in ["/etc", "/etc/passwd", "/proc/self", "/sys", "/dev/null"] {
        let error = home.check(Path::new(place)).unwrap_err();
        assert!(matches!(error, CredentialError::System { .. }), "{place}: {error}");
        assert!(!error.to_string().contains(&format!("{place} is part of {place},")), "{error}");
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
        let holds = if asked == named { " holds credentials" } else { ", which holds credentials" };
        assert!(refusal.contains(&format!("{}{holds}", home.path.join(named).display())), "{asked}: {refusal}");
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
    assert!(check_place(&home.path.join("project"), home.private(&home.path.join(".bot-bottle"), &Moved::default())).is_ok());
    assert!(home.check(&home.path.join("project")).is_err());
}

#[test]
fn what_does_not_exist_is_said_so() {
    let home = Home::with(&[]);
    assert!(home.refusal("nothing").contains("nothing: No such file"));
}

#[test]
fn well_known_credentials_are_found_at_any_depth_that_is_looked_at() {
    for hidden in [
        "t/x/.ssh/config",
        "t/x/.env",
        "t/a/b/c/d/e/.netrc",
        "t/a/id_ed25519",
        "t/a/.codex/auth.json",
        "t/x/.kube/config",
        "t/x/.config/gh/hosts.yml",
        "t/a/node_modules.bak/.aws/credentials",
    ] {
        let home = Home::with(&[hidden, "t/bin/run"]);
        let refusal = home.refusal("t");
        assert!(refusal.contains("which holds credentials"), "{hidden}: {refusal}");
    }
    let home = Home::with(&["t/x/.ssh/keys/work", "t/x/.codex/log/y"]);
    assert!(home.refusal("t/x/.ssh/keys").contains("is part of"));
    assert!(home.shows("t/x/.codex"));
}

#[test]
fn names_that_installs_are_full_of_are_no_credentials_deep_in_a_tool() {
    let home = Home::with(&[
        "v/bin/node",
        "v/lib/node_modules/dotenv/tests/.env",
        "v/lib/node_modules/ssh2/test/fixtures/id_rsa",
        "v/lib/python3/site-packages/certifi/cacert.pem",
        "v/lib/python3/site-packages/paramiko/.ssh/id_rsa",
        "v/ssl/cert.pem",
        "v/share/auth.json",
        "v/docker/config.json",
        "v/.claude/settings.json",
    ]);
    assert!(home.shows("v"));
    assert!(home.shows("v/lib/node_modules/ssh2"));
}

#[test]
fn an_install_of_an_agent_costs_as_little_as_its_folders_without_packages() {
    let packages: Vec<String> = (0..2_000).map(|at| format!("v/lib/node_modules/p{at}/index.js")).collect();
    let mut entries: Vec<&str> = packages.iter().map(String::as_str).collect();
    entries.extend(["v/bin/node", "v/include/node/v8.h", "v/share/doc/x"]);
    let home = Home::with(&entries);
    // bin, include, lib, share; node, node, node_modules, doc; v8.h, x
    assert_eq!(inside::look(&home.path.join("v")).unwrap(), Looked { credential: None, entries: 10 });
}

#[test]
fn a_folder_with_more_in_it_than_can_be_looked_at_is_refused() {
    let home = Home::with(&["t/a/1", "t/a/2", "t/b/3"]);
    let tool = home.path.join("t");
    assert_eq!(inside::look_at_most(5, &tool).unwrap(), Looked { credential: None, entries: 5 });
    let error = inside::look_at_most(4, &tool).unwrap_err();
    assert!(matches!(&error, CredentialError::TooMany { path } if *path == tool), "{error}");
}

#[test]
fn links_in_a_tool_are_not_followed() {
    let home = Home::with(&[".ssh/id_rsa", "t/bin/run"]);
    symlink("../.ssh", home.path.join("t/keys")).unwrap();
    symlink("..", home.path.join("t/up")).unwrap();
    assert!(home.shows("t"));
}

#[test]
fn our_own_folder_is_refused_wherever_it_is() {
    let home = Home::with(&["work/bb/state/x/lock", "work/other/x"]);
    symlink("work/bb", home.path.join("link")).unwrap();
    let check =
        |below: &str, state: &str| check_tool(&home.path.join(below), home.private(&home.path.join(state), &Moved::default()));
    for (tool, state) in
        [("work", "work/bb"), ("work/bb", "work/bb"), ("work/bb/state", "work/bb"), ("work", "link"), ("link", "link")]
    {
        assert!(matches!(check(tool, state), Err(CredentialError::State { .. })), "{tool} {state}");
    }
    assert!(check("work/other", "work/bb").is_ok());
}

#[test]
fn credentials_that_a_variable_has_moved_are_refused_where_they_are() {
    let home =
        Home::with(&["k/gpg/x", "k/one", "k/two", "c/gh/y", "c/nvim/init.lua", "codex/packages/x/run", "codex/y", "t/run"]);
    for (tool, variable, value) in [
        ("k/gpg", "GNUPGHOME", "HOME/k/gpg"),
        ("k", "GNUPGHOME", "HOME/k/gpg"),
        ("k/two", "KUBECONFIG", "HOME/k/one:relative:HOME/k/two"),
        ("codex", "CLAUDE_CONFIG_DIR", "HOME/codex"),
        ("codex", "CODEX_HOME", "HOME/codex"),
        ("codex/y", "CODEX_HOME", "HOME/codex"),
        ("c", "XDG_CONFIG_HOME", "HOME/c"),
        ("c/gh", "XDG_CONFIG_HOME", "HOME/c"),
    ] {
        let error = home.check_with(tool, variable, value).unwrap_err().to_string();
        assert!(error.contains("holds credentials"), "{tool} {variable}: {error}");
        assert!(home.check_with(tool, variable, "").is_ok(), "{tool}");
    }
    for (tool, variable, value) in [
        ("codex/packages/x", "CODEX_HOME", "HOME/codex"),
        ("c/nvim", "XDG_CONFIG_HOME", "HOME/c"),
        ("t", "GNUPGHOME", "HOME"),
        ("t", "GNUPGHOME", "t"),
    ] {
        assert!(home.check_with(tool, variable, value).is_ok(), "{tool} {variable}");
    }
}

#[test]
fn other_peoples_homes_and_their_credentials_are_refused() {
    let home = Home::with(&[]);
    let theirs = Home::with(&[".ssh/id_rsa", ".claude/local/node_modules/x", ".claude/history", "project/x"]);
    let refused = |below: &str| super::refuse_others(&theirs.path.join(below), vec![theirs.path.clone()]);
    for (below, is_home) in [("", true), ("..", true), (".ssh", false), (".ssh/id_rsa", false), (".claude", false)] {
        let path = theirs.path.join(below).canonicalize().unwrap();
        match super::refuse_others(&path, vec![theirs.path.clone()]) {
            Err(CredentialError::Home { .. }) => assert!(is_home, "{below}"),
            Err(CredentialError::Inside { .. } | CredentialError::Contains { .. }) => assert!(!is_home, "{below}"),
            other => panic!("{below}: {other:?}"),
        }
    }
    assert!(refused("project").is_ok() && refused(".claude/local/node_modules/x").is_ok());
    // Everybody whom this machine knows; root at least.
    let people = fs::read_to_string(super::others::TABLE).unwrap();
    let homes = super::others::homes(&people, Path::new("/"), &home.path);
    for other in homes.iter().filter(|other| other.exists()) {
        let moved = Moved::default();
        let refused = check_place(other, home.private(&home.path.join(".bot-bottle"), &moved));
        assert!(refused.is_err(), "{}", other.display());
    }
}
