use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use tempfile::TempDir;

use super::{FindError, Found, Shell, find};
use crate::credentials::{Moved, Private};

/// A home with programs in it, and the `PATH` that its person has.
struct Person {
    _guard: TempDir,
    home: PathBuf,
    path: Vec<String>,
}

impl Person {
    fn new() -> Self {
        let guard = TempDir::new().unwrap();
        let home = fs::canonicalize(guard.path()).unwrap().join("me");
        fs::create_dir(&home).unwrap();
        Self { _guard: guard, home, path: Vec::new() }
    }

    /// Puts a folder of the home on `PATH`.
    fn on_path(mut self, below: &str) -> Self {
        self.path.push(self.home.join(below).to_str().unwrap().to_owned());
        self
    }

    fn program(self, below: &str, content: &str) -> Self {
        let path = self.home.join(below);
        self.file_at(below, content);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    fn file(self, below: &str, content: &str) -> Self {
        self.file_at(below, content);
        self
    }

    #[allow(clippy::disallowed_methods, reason = "a test's own files need no atomic writer")]
    fn file_at(&self, below: &str, content: &str) {
        let path = self.home.join(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content.replace("HOME", self.home.to_str().unwrap())).unwrap();
    }

    fn link(self, below: &str, target: &str) -> Self {
        let path = self.home.join(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target.replace("HOME", self.home.to_str().unwrap()), path).unwrap();
        self
    }

    fn find(&self, name: &str) -> Result<Found, FindError> {
        let path = self.path.join(":");
        let (state, moved) = (self.home.join(".bot-bottle"), Moved::default());
        let private = Private { home: &self.home, state: &state, moved: &moved };
        find(OsStr::new(name), Shell { path: OsStr::new(&path), private })
    }

    /// Tools, links and `PATH` entries, with the home written `~`.
    fn sees(&self, name: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
        let found = self.find(name).unwrap_or_else(|error| panic!("{error}"));
        let home = self.home.to_str().unwrap();
        let short = |path: &std::path::Path| path.to_str().unwrap().replace(home, "~");
        let visible = found.visible;
        let tools = visible.tools.iter().map(|tool| short(tool.path())).collect();
        let links = visible.links.iter().map(|link| format!("{} -> {}", short(link.at.as_path()), short(&link.target))).collect();
        (tools, links, visible.path_entries.iter().map(|entry| short(entry)).collect())
    }

    /// For a program that needs one link alone.
    #[track_caller]
    fn assert_sees(&self, name: &str, tools: &[&str], target: &str) {
        let (seen, links, path) = self.sees(name);
        assert_eq!(seen, tools);
        assert_eq!(links, [format!("/opt/bot-bottle/bin/{name} -> {target}")]);
        assert!(path.is_empty());
    }
}

#[test]
fn a_program_of_the_system_needs_nothing() {
    let mut person = Person::new();
    person.path = vec!["/usr/bin".into(), "/bin".into()];
    assert_eq!(person.find("sh").unwrap().visible, crate::Visible::default());
}

#[test]
fn claudes_own_installer() {
    let person = Person::new().on_path(".local/bin");
    let person =
        person.program(".local/share/claude/versions/2.1.197", "\x7fELF").program(".local/share/claude/versions/2.0.0", "");
    let person = person.link(".local/bin/claude", "HOME/.local/share/claude/versions/2.1.197");
    let version = "~/.local/share/claude/versions/2.1.197";
    person.assert_sees("claude", &[version], version);
}

#[test]
fn an_npm_prefix_shows_the_package_alone() {
    for prefix in [".npm-global", ".local"] {
        let person = Person::new().on_path(&format!("{prefix}/bin"));
        let person = person.program(&format!("{prefix}/lib/node_modules/@openai/codex/bin/codex.js"), "#!/usr/bin/env sh\n");
        let person = person.file(&format!("{prefix}/lib/node_modules/other/secret"), "");
        let mut person = person.link(&format!("{prefix}/bin/codex"), "../lib/node_modules/@openai/codex/bin/codex.js");
        person.path.push("/usr/bin".into());
        let package = format!("~/{prefix}/lib/node_modules/@openai/codex");
        person.assert_sees("codex", &[&package], &format!("{package}/bin/codex.js"));
    }
}

#[test]
fn nvm_shows_the_version_and_its_node_gets_a_link() {
    let person = Person::new().on_path(".nvm/versions/node/v22.1.0/bin");
    let person = person.program(".nvm/versions/node/v22.1.0/bin/node", "\x7fELF").file(".nvm/versions/node/v20.0.0/x", "");
    let person = person.program(".nvm/versions/node/v22.1.0/lib/node_modules/x/cli.js", "#!/usr/bin/env -S node --x\n");
    let person = person.link(".nvm/versions/node/v22.1.0/bin/x", "../lib/node_modules/x/cli.js");
    let (tools, links, _) = person.sees("x");
    let version = "~/.nvm/versions/node/v22.1.0";
    assert_eq!(tools, [version]);
    let expected = [
        format!("/opt/bot-bottle/bin/x -> {version}/lib/node_modules/x/cli.js"),
        format!("/opt/bot-bottle/bin/node -> {version}/bin/node"),
    ];
    assert_eq!(links, expected);
}

#[test]
fn fnm_is_found_through_its_shells_folder() {
    let person = Person::new().on_path("run/fnm_multishells/1_2/bin");
    let person = person.program(".local/share/fnm/node-versions/v20.1.0/installation/bin/node", "\x7fELF");
    let person = person.link("run/fnm_multishells/1_2", "HOME/.local/share/fnm/node-versions/v20.1.0/installation");
    let version = "~/.local/share/fnm/node-versions/v20.1.0";
    person.assert_sees("node", &[version], &format!("{version}/installation/bin/node"));
}

#[test]
fn volta_is_asked_what_is_behind_its_shim() {
    let person = Person::new().on_path(".volta/bin").program(".volta/bin/volta-shim", "\x7fELF");
    let person = person.link(".volta/bin/codex", "volta-shim").link(".volta/bin/node", "volta-shim");
    let package = ".volta/tools/image/packages/@openai/codex";
    let person = person.program(&format!("{package}/lib/node_modules/@openai/codex/bin/codex.js"), "#!/usr/bin/env node\n");
    let person = person.link(&format!("{package}/bin/codex"), "../lib/node_modules/@openai/codex/bin/codex.js");
    let person = person
        .program(".volta/tools/image/node/20.1.0/bin/node", "\x7fELF")
        .program(".volta/tools/image/node/22.2.0/bin/node", "");
    let person = person.file(".volta/tools/user/platform.json", r#"{"node":{"runtime":"20.1.0","npm":null}}"#);
    let (tools, links, _) = person.sees("codex");
    assert_eq!(tools, [format!("~/{package}"), "~/.volta/tools/image/node/20.1.0".into()]);
    assert_eq!(links.len(), 2);
    assert!(links[1].ends_with("node/20.1.0/bin/node"), "{links:?}");
}

#[test]
fn asdf_and_mise_use_the_version_that_their_files_name() {
    for (root, pins, pin) in [
        (".asdf", ".tool-versions", "nodejs 20.1.0\n"),
        (".local/share/mise", ".config/mise/config.toml", "[tools]\nnode = \"20\"\n"),
    ] {
        let person = Person::new().on_path(&format!("{root}/shims")).file(pins, pin);
        let person = person.program(&format!("{root}/shims/claude"), "#!/usr/bin/env bash\n");
        let person = person.program(&format!("{root}/installs/nodejs/20.1.0/bin/claude"), "\x7fELF");
        let person = person.program(&format!("{root}/installs/nodejs/22.0.0/bin/claude"), "\x7fELF");
        let person = person.link(&format!("{root}/installs/nodejs/latest"), "22.0.0");
        let version = format!("~/{root}/installs/nodejs/20.1.0");
        person.assert_sees("claude", &[&version], &format!("{version}/bin/claude"));
    }
}

#[test]
fn rustups_stand_ins_give_way_to_the_chosen_toolchain() {
    let person = Person::new().on_path(".cargo/bin").program(".cargo/bin/rustup", "").link(".cargo/bin/cargo", "rustup");
    let person = person
        .program(".rustup/toolchains/stable-x86_64/bin/cargo", "")
        .program(".rustup/toolchains/1.95.0-x86_64/bin/cargo", "");
    let person =
        person.file(".rustup/settings.toml", "default_toolchain = \"stable-x86_64\"\n").file(".cargo/credentials.toml", "");
    let toolchain = "~/.rustup/toolchains/stable-x86_64";
    person.assert_sees("cargo", &[toolchain], &format!("{toolchain}/bin/cargo"));
}

#[test]
fn several_versions_and_no_choice_is_an_error_that_names_them() {
    let person = Person::new().on_path(".asdf/shims").program(".asdf/shims/x", "");
    let person = person.program(".asdf/installs/a/1.0/bin/x", "").program(".asdf/installs/a/2.0/bin/x", "");
    let error = person.find("x").unwrap_err().to_string();
    for part in ["1.0/bin/x", "2.0/bin/x", ".tool-versions", "choose one"] {
        assert!(error.contains(part), "{error}");
    }
    let person = Person::new().on_path(".asdf/shims").program(".asdf/shims/x", "");
    assert!(matches!(person.find("x"), Err(FindError::EmptyShim { .. })));
}

#[test]
fn pyenv_and_an_absolute_interpreter_in_the_same_version() {
    let person = Person::new().on_path(".pyenv/shims").program(".pyenv/shims/aider", "#!/usr/bin/env bash\n");
    let person = person
        .program(".pyenv/versions/3.11.9/bin/python3.11", "\x7fELF")
        .link(".pyenv/versions/3.11.9/bin/python", "python3.11");
    let person = person.program(".pyenv/versions/3.11.9/bin/aider", "#!HOME/.pyenv/versions/3.11.9/bin/python\n");
    person.assert_sees("aider", &["~/.pyenv/versions/3.11.9"], "~/.pyenv/versions/3.11.9/bin/aider");
}

#[test]
fn pipx_with_a_python_of_uv_keeps_the_interpreters_path_alive() {
    let venv = ".local/share/pipx/venvs/tool";
    let uv = ".local/share/uv/python";
    let person = Person::new().on_path(".local/bin").link(".local/bin/tool", &format!("HOME/{venv}/bin/tool"));
    let person = person.program(&format!("{venv}/bin/tool"), &format!("#!HOME/{venv}/bin/python\n"));
    let person = person.link(&format!("{venv}/bin/python"), "HOME/.local/bin/python3.12");
    let person = person.link(".local/bin/python3.12", &format!("HOME/{uv}/cpython-3.12/bin/python3.12"));
    let person = person.link(&format!("{uv}/cpython-3.12"), "cpython-3.12.1-linux");
    let person = person.program(&format!("{uv}/cpython-3.12.1-linux/bin/python3.12"), "\x7fELF");
    let (tools, links, _) = person.sees("tool");
    assert_eq!(tools, [format!("~/{venv}"), format!("~/{uv}/cpython-3.12.1-linux")]);
    let expected = [
        format!("/opt/bot-bottle/bin/tool -> ~/{venv}/bin/tool"),
        format!("~/.local/bin/python3.12 -> ~/{uv}/cpython-3.12/bin/python3.12"),
        format!("~/{uv}/cpython-3.12 -> cpython-3.12.1-linux"),
    ];
    assert_eq!(links, expected);
}

#[test]
fn pnpm_goes_on_path_because_its_scripts_look_beside_themselves() {
    let person = Person::new().on_path(".local/share/pnpm").program(".local/share/pnpm/claude", "#!/bin/sh\n");
    let (tools, links, path) = person.sees("claude");
    assert_eq!((tools, links, path), (vec!["~/.local/share/pnpm".into()], vec![], vec!["~/.local/share/pnpm".into()]));
}

#[test]
fn a_file_in_a_general_bin_folder_is_shown_alone() {
    for folder in ["bin", ".cargo/bin", ".bun/bin", "go/bin", "stuff"] {
        let person =
            Person::new().on_path(folder).program(&format!("{folder}/agent"), "\x7fELF").file(&format!("{folder}/other"), "");
        let file = format!("~/{folder}/agent");
        person.assert_sees("agent", &[&file], &file);
    }
    let person = Person::new().on_path("").program("agent", "\x7fELF");
    person.assert_sees("agent", &["~/agent"], "~/agent");
}

#[test]
fn a_marked_package_is_shown_whole_but_never_the_home() {
    let person =
        Person::new().on_path("src/agent/bin").program("src/agent/bin/agent", "\x7fELF").file("src/agent/package.json", "{}");
    person.assert_sees("agent", &["~/src/agent"], "~/src/agent/bin/agent");
    let person = Person::new().on_path("bin").program("bin/agent", "\x7fELF").file("package.json", "{}");
    person.assert_sees("agent", &["~/bin/agent"], "~/bin/agent");
}

#[test]
fn an_install_folder_that_holds_a_credential_is_refused() {
    let person = Person::new().on_path("src/agent").program("src/agent/agent", "\x7fELF").file("src/agent/package.json", "{}");
    let person = person.file("src/agent/.env", "TOKEN=canary-31c7");
    let error = person.find("agent").unwrap_err().to_string();
    assert!(error.contains(".env") && !error.contains("canary"), "{error}");
    let person = Person::new().on_path(".ssh").program(".ssh/agent", "");
    assert!(person.find("agent").unwrap_err().to_string().contains(".ssh"));
}

#[test]
fn claudes_old_local_install_shows_nothing_of_its_logins() {
    let person = Person::new().on_path(".claude/local").file(".claude/.credentials.json", "{}");
    let person = person.program(".claude/local/claude", "#!/bin/sh\nexec HOME/.claude/local/node_modules/.bin/claude\n");
    assert!(person.find("claude").unwrap_err().to_string().contains(".claude"));
    let person = Person::new().on_path(".claude/local/node_modules/.bin").file(".claude/.credentials.json", "{}");
    let person = person.program(".claude/local/node_modules/@anthropic-ai/claude-code/cli.js", "\x7fELF");
    let person = person.link(".claude/local/node_modules/.bin/claude", "../@anthropic-ai/claude-code/cli.js");
    let modules = "~/.claude/local/node_modules";
    person.assert_sees("claude", &[modules], &format!("{modules}/@anthropic-ai/claude-code/cli.js"));
}

#[test]
fn relative_and_empty_path_entries_never_find_a_program() {
    let mut person = Person::new().program("bin/agent", "");
    person.path = vec![String::new(), ".".into(), "bin".into()];
    assert!(matches!(person.find("agent"), Err(FindError::NotFound { .. })));
    assert!(matches!(person.find("./agent"), Err(FindError::NoProgram { .. })));
    assert!(matches!(person.find(""), Err(FindError::NotFound { .. })));
}

#[test]
fn files_that_nobody_may_run_and_folders_are_passed_over() {
    let person =
        Person::new().on_path("a").on_path("b").on_path("c").file("a/agent", "").file("b/agent/x", "").program("c/agent", "");
    person.assert_sees("agent", &["~/c/agent"], "~/c/agent");
}

#[test]
fn a_program_by_path_is_reached_by_that_path() {
    let person = Person::new().program("apps/agent-1/agent", "\x7fELF").link("apps/current", "agent-1");
    let path = person.home.join("apps/current/agent");
    let (tools, links, _) = person.sees(path.to_str().unwrap());
    assert_eq!((tools, links), (vec!["~/apps/agent-1/agent".into()], vec!["~/apps/current -> agent-1".into()]));
}

#[test]
fn interpreters_are_named_when_missing_and_bounded_when_endless() {
    let person = Person::new().on_path("bin").program("bin/agent", "#!/usr/bin/env no-such-thing\n");
    let error = person.find("agent").unwrap_err().to_string();
    assert!(error.contains("needs no-such-thing"), "{error}");
    let person = Person::new().on_path("bin").program("bin/agent", "#!/usr/bin/env agent\n");
    assert!(matches!(person.find("agent"), Err(FindError::TooDeep { .. })));
    let person = Person::new().on_path("bin").link("bin/agent", "agent");
    assert!(person.find("agent").is_err());
}
