use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use agents::credentials::{Moved, Private};
use agents::{GuestLink, Provider, Template, Visible};
use bottle::GuestPath;
use bottle::tree::Source;
use secret::Secret;
use tempfile::TempDir;

use super::{PlanError, PlanErrors, ProvisionPlan, Request};
use crate::{GUEST_SKILLS, GitIdentity};

struct Host {
    _guard: TempDir,
    home: PathBuf,
    skills: Vec<String>,
    guest_skills: &'static str,
    template: Template,
    prompt: &'static str,
    workspace: Option<&'static str>,
    workspace_at: &'static str,
    visible: Visible,
    identity: GitIdentity,
    env: Vec<(OsString, Secret)>,
}

impl Host {
    fn new() -> Self {
        let guard = TempDir::new().unwrap();
        let home = fs::canonicalize(guard.path()).unwrap().join("me");
        for skill in ["one", "two"] {
            fs::create_dir_all(home.join(".claude/skills").join(skill)).unwrap();
        }
        fs::create_dir_all(home.join("project/.git")).unwrap();
        Self {
            _guard: guard,
            home,
            skills: Vec::new(),
            guest_skills: GUEST_SKILLS,
            template: Template::Claude,
            prompt: "",
            workspace: None,
            workspace_at: crate::WORKSPACE,
            visible: Visible::default(),
            identity: GitIdentity::default(),
            env: Vec::new(),
        }
    }

    fn skills(mut self, names: &[&str]) -> Self {
        self.skills = names.iter().map(ToString::to_string).collect();
        self
    }

    fn plan(&self) -> Result<ProvisionPlan, PlanErrors> {
        let provider = Provider::new(self.template, Vec::new(), &self.home).unwrap();
        ProvisionPlan::build(&Request {
            provider: &provider,
            prompt: self.prompt,
            skills: &self.skills,
            host_skills: &self.home.join(".claude/skills"),
            guest_skills: GuestPath::parse(self.guest_skills).unwrap(),
            workspace: self.workspace.map(|below| self.home.join(below)).as_deref(),
            workspace_at: GuestPath::parse(self.workspace_at).unwrap(),
            workspace_exclude: &[],
            git_identity: Some(&self.identity),
            env: &self.env,
            visible: &self.visible,
            private: Private { home: &self.home, state: &self.home.join(".bot-bottle"), moved: &Moved::default() },
        })
    }

    /// Every member's full place in the bottle.
    fn places(&self) -> Vec<String> {
        let plan = self.plan().unwrap_or_else(|errors| panic!("{errors}"));
        let (tree, base) = &plan.own;
        let members = tree.members().iter();
        members.map(|member| base.join(member.at.as_path()).unwrap().to_string()).collect()
    }
}

#[test]
fn everything_is_one_tree_below_the_home() {
    let mut host = Host::new().skills(&["two", "one", "two"]);
    host.workspace = Some("project");
    let expected = [
        "/home/node/.bot-bottle-prompt.txt",
        "/home/node/.claude.json",
        "/home/node/.claude/settings.json",
        "/home/node/.gitconfig",
        "/home/node/.claude/skills/two",
        "/home/node/.claude/skills/one",
        "/home/node/workspace",
    ];
    assert_eq!(host.places(), expected);
    let plan = host.plan().unwrap();
    assert_eq!((plan.own.1.to_string(), plan.folder().to_string()), ("/home/node".into(), "/home/node/workspace".into()));
}

#[test]
fn skills_may_stand_outside_the_home() {
    let mut host = Host::new().skills(&["one"]);
    host.guest_skills = "/srv/skills";
    assert!(host.places().contains(&"/srv/skills/one".to_owned()));
    assert_eq!(host.plan().unwrap().own.1.to_string(), "/");
}

#[test]
fn codex_gets_skills_where_it_looks_for_them_too() {
    let mut host = Host::new().skills(&["one"]);
    host.template = Template::Codex;
    let places = host.places();
    assert!(places.contains(&"/home/node/.claude/skills/one".to_owned()));
    assert!(places.contains(&"/home/node/.agents/skills/one".to_owned()));
    host.guest_skills = "/home/node/.agents/skills";
    assert_eq!(host.places().iter().filter(|place| place.ends_with("/one")).count(), 1);
}

#[test]
fn the_prompt_is_always_written_and_passed_only_when_not_empty() {
    let mut host = Host::new();
    for (prompt, passed) in [("", false), (" \n\t", false), ("be brief\n", true)] {
        host.prompt = prompt;
        assert_eq!(host.plan().unwrap().prompt_file().is_some(), passed, "{prompt:?}");
        assert!(host.places().contains(&"/home/node/.bot-bottle-prompt.txt".to_owned()));
    }
}

#[test]
fn every_problem_is_reported_at_once() {
    let mut host = Host::new().skills(&["one", "none", "../x"]);
    host.workspace = Some("");
    host.identity.name = Some("a\nb".into());
    host.env = vec![("A B".into(), Secret::from("canary-77d2"))];
    let errors = host.plan().unwrap_err();
    let text = errors.to_string();
    assert_eq!((errors.0.len(), text.lines().count()), (5, 5), "{text}");
    for part in ["skill none", "\"../x\"", "working folder", "git-gate.user.name", "\"A B\""] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("canary"));
}

#[test]
fn skills_do_not_stand_in_the_bottles_own_system() {
    let mut host = Host::new().skills(&["one"]);
    for folder in ["/etc", "/usr", "/opt/bot-bottle/x"] {
        host.guest_skills = folder;
        let text = host.plan().unwrap_err().to_string();
        assert!(text.contains("BOT_BOTTLE_GUEST_SKILLS_DIR") && text.contains(&format!("{folder}/one")), "{text}");
    }
}

#[test]
fn a_skills_folder_inside_something_else_is_refused() {
    let mut host = Host::new().skills(&["one"]);
    host.workspace = Some("project");
    host.guest_skills = "/home/node/workspace/.claude/skills";
    let errors = host.plan().unwrap_err();
    assert!(matches!(errors.0.as_slice(), [PlanError::Overlap { .. }]), "{errors}");
}

#[test]
fn the_workspace_stands_where_the_manifest_says_and_is_trusted_there() {
    let mut host = Host::new();
    (host.workspace, host.workspace_at) = (Some("project"), "/srv/my app");
    let plan = host.plan().unwrap();
    assert_eq!(plan.folder().to_string(), "/srv/my app");
    assert!(host.places().contains(&"/srv/my app".to_owned()));
    let content = |at: &str| {
        let member = plan.own.0.members().iter().find(|member| member.at.as_path().ends_with(at)).unwrap();
        match &member.source {
            Source::File { content, .. } => String::from_utf8(content.clone()).unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert!(content(".claude.json").contains("\"/srv/my app\""));
    assert!(content(".gitconfig").contains("directory = \"/srv/my app\""));
}

#[test]
fn links_are_roots_except_below_the_home_and_nothing_stands_over_them() {
    let mut host = Host::new();
    let link = |at: &str| GuestLink { at: GuestPath::parse(at).unwrap(), target: "/x".into() };
    host.visible.links = vec![link("/opt/bot-bottle/bin/x"), link("/home/node/.local/bin/x"), link("/opt/bot-bottle/bin/x")];
    assert!(host.places().contains(&"/home/node/.local/bin/x".to_owned()));
    let plan = host.plan().unwrap();
    let roots: Vec<_> = plan.roots.iter().map(|part| part.at.to_string()).collect();
    assert_eq!(roots, ["/opt/bot-bottle/bin/x"]);
    host.visible.links = vec![link("/srv/app/bin")];
    (host.workspace, host.workspace_at) = (Some("project"), "/srv/app");
    assert!(matches!(host.plan().unwrap_err().0.as_slice(), [PlanError::Overlap { .. }]));
    // The certificates come only at the launch, but their places are known.
    host.visible.links.clear();
    host.workspace_at = "/usr/local/share";
    assert!(matches!(host.plan().unwrap_err().0.as_slice(), [PlanError::Overlap { .. }]));
}
