use std::path::PathBuf;

use agents::Mode;
use bottle::{Backend, Capabilities};
use manifest::{Catalogue, Places};
use session::{Choices, Host, HostEnv, Plan, Planner, Problems};
use store::Home;

/// A home with an agent `a` in a bottle `b`.
pub struct Scene {
    folder: tempfile::TempDir,
    host: Host,
}

impl Scene {
    /// `bottle` is the bottle's YAML beside its provider, which is a shell; `agent` the agent's beside its bottle.
    pub fn new(bottle: &str, agent: &str) -> Self {
        Self::made_of("", bottle, agent)
    }

    /// More keys of the bottle's provider.
    pub fn with_provider(provider: &str) -> Self {
        Self::made_of(provider, "", "")
    }

    fn made_of(provider: &str, bottle: &str, agent: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_owned();
        let state = home.join(".bot-bottle");
        let provider = format!("agent_provider:\n  template: command\n  command: [sh]\n{provider}");
        for (path, text) in [
            ("bottles/b.md", format!("---\n{provider}{bottle}---\n")),
            ("agents/a.md", format!("---\nbottle: b\n{agent}---\nThe prompt.\n")),
        ] {
            let path = state.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let host = Host { env: HostEnv::default(), home, path: "/usr/bin:/bin".into(), state, guest_skills: None };
        Self { folder, host }
    }

    pub fn skill(self, name: &str) -> Self {
        let folder = self.path(&format!(".claude/skills/{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("SKILL.md"), "text").unwrap();
        self
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub fn home(&self) -> Home {
        Home::new(&self.host.state)
    }

    pub async fn plan(&self, backend: &dyn Backend) -> Plan {
        self.try_plan(backend, &backend.check().await.unwrap(), Choices::default()).unwrap()
    }

    pub fn try_plan(&self, backend: &dyn Backend, capabilities: &Capabilities, choices: Choices) -> Result<Plan, Problems> {
        let choices = Choices { mode: Mode::Headless, ..choices };
        Planner { resolved: self.resolved(), choices, host: &self.host, backend: backend.name(), capabilities }.plan()
    }

    /// The same manifests, as though they stood in `state`.
    pub fn plan_with_state(&self, state: &str, backend: &dyn Backend, capabilities: &Capabilities) -> Result<Plan, Problems> {
        let choices = Choices { mode: Mode::Headless, ..Choices::default() };
        let host = Host { state: state.into(), ..self.host.clone() };
        Planner { resolved: self.resolved(), choices, host: &host, backend: backend.name(), capabilities }.plan()
    }

    fn resolved(&self) -> manifest::Resolved {
        let catalogue = Catalogue::open(&Places { home: self.host.state.clone(), repository: None }).unwrap();
        catalogue.resolve("a", &[]).unwrap()
    }

    pub fn assert_no_state(&self) {
        assert_eq!(self.home().sessions().unwrap().len(), 0);
    }
}
