use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use agents::credentials::{Moved, Private};
use agents::{Provider, Template, Visible};
use bottle::GuestPath;
use provision::{GUEST_SKILLS, GitIdentity, PlanErrors, ProvisionPlan, Request};
use secret::Secret;
use tempfile::TempDir;

/// A person's host, and what they ask for.
pub struct Host {
    _guard: TempDir,
    pub home: PathBuf,
    pub template: Template,
    pub prompt: &'static str,
    pub skills: Vec<&'static str>,
    pub guest_skills: &'static str,
    pub workspace: Option<&'static str>,
    pub workspace_at: &'static str,
    pub identity: Option<GitIdentity>,
    pub env: Vec<(OsString, Secret)>,
    pub visible: Visible,
}

impl Host {
    /// A home with two skills and a project.
    pub fn new() -> Self {
        let guard = TempDir::new().unwrap();
        let home = fs::canonicalize(guard.path()).unwrap().join("me");
        let host = Self {
            _guard: guard,
            home,
            template: Template::Claude,
            prompt: "",
            skills: Vec::new(),
            guest_skills: GUEST_SKILLS,
            workspace: None,
            workspace_at: provision::WORKSPACE,
            identity: None,
            env: Vec::new(),
            visible: Visible::default(),
        };
        host.write(".claude/skills/review/SKILL.md", "how to review\n");
        host.write(".claude/skills/review/bin/run", "#!/bin/sh\n");
        fs::set_permissions(host.home.join(".claude/skills/review/bin/run"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("SKILL.md", host.home.join(".claude/skills/review/alias.md")).unwrap();
        host.write(".claude/skills/tests/SKILL.md", "how to test\n");
        host.write("project/src/main.rs", "fn main() {}\n");
        host.write("project/.git/HEAD", "ref: refs/heads/main\n");
        host.write(".ssh/id_ed25519", "canary-key-0f31\n");
        symlink("../.ssh/id_ed25519", host.home.join("project/key")).unwrap();
        host
    }

    pub fn write(&self, below: &str, content: &str) {
        let path = self.home.join(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn try_plan(&self) -> Result<ProvisionPlan, PlanErrors> {
        let provider = Provider::new(self.template, Vec::new(), &self.home).unwrap();
        let skills: Vec<String> = self.skills.iter().map(ToString::to_string).collect();
        ProvisionPlan::build(&Request {
            provider: &provider,
            prompt: self.prompt,
            skills: &skills,
            host_skills: &self.home.join(".claude/skills"),
            guest_skills: GuestPath::parse(self.guest_skills).unwrap(),
            workspace: self.workspace.map(|below| self.home.join(below)).as_deref(),
            workspace_at: GuestPath::parse(self.workspace_at).unwrap(),
            workspace_exclude: &[],
            git_identity: self.identity.as_ref(),
            env: &self.env,
            visible: &self.visible,
            private: Private { home: &self.home, state: &self.home.join(".bot-bottle"), moved: &Moved::default() },
        })
    }

    pub fn plan(&self) -> ProvisionPlan {
        self.try_plan().unwrap_or_else(|errors| panic!("{errors}"))
    }
}
