use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use agents::credentials::{Moved, Private};
use agents::find::{Found, Shell, find};
use agents::{AgentCommand, Credential, Invocation, Mode, Provider, Template, Visible, resolve_tools};
use bottle::{BackendName, Capabilities, GuestPath, Limits, RootFs};
use credentials::{LoginFolder, LoginUrls, Variables};
use egress::TrustRoots;
use manifest::{ProviderAuth, Resolved};
use policy::{Rule, Table, TokenRef};
use provision::{Environment, GitIdentity, ProvisionPlan, Request};
use secret::Secret;
use store::Identity;

use super::{Preflight, Problem, Problems, preflight, root};
use crate::env::{Ask, Env, HostEnv};
use crate::gateway;

/// What the person chose on the command line.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// `--cwd`: the host folder that is copied in; also set when the bottle's `workspace.copy` says so.
    pub workspace: Option<PathBuf>,
    /// With or without a terminal.
    pub mode: Mode,
    /// `--prompt TEXT`: the agent's first message.
    pub prompt: Option<String>,
    /// `--label NAME`: the session's name, verbatim.
    pub label: Option<Identity>,
    /// `-- COMMAND…`: runs instead of the agent; empty: the agent.
    pub command: Vec<OsString>,
}

/// What there is on the host. Values passed in by the binary: nothing here reads the environment.
#[derive(Debug, Clone)]
pub struct Host {
    /// The environment.
    pub env: HostEnv,
    /// The person's home folder.
    pub home: PathBuf,
    /// The person's `PATH`.
    pub path: OsString,
    /// `BOT_BOTTLE_HOME`.
    pub state: PathBuf,
    /// `BOT_BOTTLE_GUEST_SKILLS_DIR`.
    pub guest_skills: Option<OsString>,
}

impl Host {
    /// Where variables have moved the person's credentials.
    fn moved(&self) -> Moved {
        Moved::by(|name| self.env.plain(name))
    }

    /// Where the person's credentials are.
    fn credentials(&self) -> credentials::Host {
        let env = self.env.clone();
        let moved = |name| LoginFolder::by(self.env.plain(name).map(PathBuf::from));
        credentials::Host {
            variables: Variables::by(move |name| env.get(name).cloned()),
            home: self.home.clone(),
            state: store::Home::new(&self.state),
            claude: moved("CLAUDE_CONFIG_DIR"),
            codex: moved("CODEX_HOME"),
            urls: LoginUrls::default(),
        }
    }

    /// What no bottle sees.
    fn private<'a>(&'a self, moved: &'a Moved) -> Private<'a> {
        Private { home: &self.home, state: &self.state, moved }
    }
}

/// Where things go in the bottle.
struct Places {
    guest_skills: GuestPath,
    workspace_at: GuestPath,
}

/// Turns what is wanted into a plan.
#[derive(Debug)]
pub struct Planner<'a> {
    /// What the manifests say.
    pub resolved: Resolved,
    /// What the person chose.
    pub choices: Choices,
    /// What there is on the host.
    pub host: &'a Host,
    /// The backend that will make the bottle.
    pub backend: BackendName,
    /// What it can do here.
    pub capabilities: &'a Capabilities,
}

/// A launch that can be carried out: everything on the host was checked, nothing has been made.
#[derive(Debug)]
pub struct Plan {
    pub(crate) identity: Identity,
    /// The identity is the person's own label: it is not replaced when it is taken.
    pub(crate) labelled: bool,
    pub(crate) provision: ProvisionPlan,
    pub(crate) root: RootFs,
    pub(crate) visible: Visible,
    pub(crate) limits: Limits,
    pub(crate) command: AgentCommand,
    pub(crate) env: Env,
    pub(crate) provider: Provider,
    pub(crate) mode: Mode,
    pub(crate) terminal_env: Vec<(OsString, Secret)>,
    pub(crate) resolved: Arc<Resolved>,
    pub(crate) backend: BackendName,
    pub(crate) network: Network,
    preflight: Preflight,
}

/// What the way out is made of.
#[derive(Debug)]
pub(crate) struct Network {
    /// What may pass.
    pub table: Table,
    /// Whose certificates are believed.
    pub roots: TrustRoots,
    /// Where the person's credentials are.
    pub credentials: credentials::Host,
}

/// Folders of the host that a bottle without an image of its own may show.
const SYSTEM: [&str; 8] = ["/usr", "/opt", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc"];
/// Variables that tell programs about the person's terminal; no secrets.
const TERMINAL: [&str; 4] = ["TERM", "COLORTERM", "LANG", "LC_ALL"];

impl Planner<'_> {
    /// Checks everything.
    ///
    /// # Errors
    /// Every problem there is, at once.
    pub fn plan(self) -> Result<Plan, Problems> {
        let mut problems = Vec::new();
        let identity = keep(self.identity(), &mut problems);
        let limits = self.limits(&mut problems);
        let root = keep(self.root(), &mut problems);
        problems.extend(root.as_ref().and_then(|root| self.state_is_visible(root)));
        let env = self.env(&mut problems);
        let guest_skills = keep(self.guest_skills(), &mut problems);
        let workspace_at = keep(self.workspace_at(), &mut problems);
        let roots = keep(self.roots(), &mut problems);
        let provider = keep(self.provider(), &mut problems);
        let network = roots.zip(provider.as_ref()).and_then(|(roots, provider)| self.network(roots, provider, &mut problems));
        let (found, visible) = match (&provider, &root) {
            (Some(provider), Some(root)) => self.visible(provider, root, &mut problems),
            (None, _) | (_, None) => (None, Visible::default()),
        };
        let provision = match (&provider, guest_skills, workspace_at) {
            (Some(provider), Some(guest_skills), Some(workspace_at)) => {
                let places = Places { guest_skills, workspace_at };
                self.provision(provider, &visible, &env, places, &mut problems)
            }
            (None, _, _) | (_, None, _) | (_, _, None) => None,
        };
        problems.extend(provision.as_ref().and_then(|provision| self.too_large(provision, &limits)));
        let (Some(identity), Some(root), Some(provider), Some(provision), Some(network), true) =
            (identity, root, provider, provision, network, problems.is_empty())
        else {
            return Err(Problems(problems));
        };
        let command = self.command(&provider, &provision);
        let preflight = preflight::describe(&preflight::Facts {
            planner: &self,
            identity: &identity,
            root: &root,
            provision: &provision,
            provider: &provider,
            found: found.as_ref().filter(|_| self.choices.command.is_empty()),
            visible: &visible,
            command: &command,
            table: &network.table,
        });
        let terminal_env =
            TERMINAL.iter().filter_map(|name| Some((OsString::from(name), self.host.env.get(name)?.clone()))).collect();
        Ok(Plan {
            identity,
            labelled: self.choices.label.is_some(),
            provision,
            root,
            visible,
            limits,
            command,
            env,
            provider,
            mode: self.choices.mode,
            terminal_env,
            resolved: Arc::new(self.resolved),
            backend: self.backend,
            network,
            preflight,
        })
    }

    fn identity(&self) -> Result<Identity, Problem> {
        match &self.choices.label {
            Some(label) => Ok(label.clone()),
            None => Ok(Identity::random(self.resolved.agent.name.as_str())?),
        }
    }

    /// Manifests, records and the control socket in a folder that every bottle shows.
    fn state_is_visible(&self, root: &RootFs) -> Option<Problem> {
        let state = std::fs::canonicalize(&self.host.state).unwrap_or_else(|_| self.host.state.clone());
        let shown = SYSTEM.iter().any(|folder| state.starts_with(folder));
        (shown && *root == RootFs::Default).then_some(Problem::State(state))
    }

    /// A workspace that cannot fit: known before anything of it is copied.
    fn too_large(&self, provision: &ProvisionPlan, limits: &Limits) -> Option<Problem> {
        let (workspace, room) = (provision.workspace()?, limits.disk.or(self.capabilities.room)?);
        let bytes = workspace.census().bytes;
        (bytes > room).then(|| Problem::Room { path: workspace.host().to_owned(), bytes, room })
    }

    fn limits(&self, problems: &mut Vec<Problem>) -> Limits {
        let limits = super::policy_lines::limits(&self.resolved);
        let refused = self.capabilities.limits.refusals(&limits);
        problems.extend(refused.into_iter().map(|(name, reason)| Problem::Limit {
            name,
            backend: self.backend.to_string(),
            reason,
        }));
        limits
    }

    fn root(&self) -> Result<RootFs, Problem> {
        let support = &self.capabilities.images;
        root::choose(&self.resolved.bottle.provider, self.template(), self.backend, support, &self.host.home)
    }

    fn env(&self, problems: &mut Vec<Problem>) -> Env {
        Env::resolve(&self.resolved.bottle.env, &self.host.env).unwrap_or_else(|unset| {
            problems.extend(unset.into_iter().map(Problem::from));
            Env::default()
        })
    }

    fn roots(&self) -> Result<TrustRoots, Problem> {
        let named = self.host.env.plain("SSL_CERT_FILE").map(PathBuf::from);
        Ok(TrustRoots::new(named.as_deref())?)
    }

    fn network(&self, roots: TrustRoots, provider: &Provider, problems: &mut Vec<Problem>) -> Option<Network> {
        let table = match super::rules_with(self.resolved.bottle.provider.template, &self.resolved, &provider.hosts()) {
            Ok(table) => table,
            Err(errors) => {
                problems.extend(errors.into_iter().map(Problem::Rules));
                return None;
            }
        };
        problems.extend(table.rules().iter().filter_map(|rule| self.missing(rule)));
        Some(Network { table, roots, credentials: self.host.credentials() })
    }

    /// A variable that a rule needs and that has no value. Files, commands and logins are looked at when the launch begins.
    fn missing(&self, rule: &Rule) -> Option<Problem> {
        let source = rule.route.auth.as_ref()?.token_ref();
        let TokenRef::Variable(name) = source else { return None };
        let value = self.host.env.get(name);
        let lacks = value.is_none_or(Secret::is_empty);
        lacks.then(|| Problem::Credential { rule: rule.origin.clone(), place: source.to_string(), empty: value.is_some() })
    }

    fn guest_skills(&self) -> Result<GuestPath, Problem> {
        let place = |what| move |source| Problem::Place { what, source };
        match self.host.guest_skills.as_deref() {
            Some(folder) => GuestPath::parse(folder).map_err(place("BOT_BOTTLE_GUEST_SKILLS_DIR")),
            None => GuestPath::parse(provision::GUEST_SKILLS).map_err(place("the skills folder")),
        }
    }

    fn workspace_at(&self) -> Result<GuestPath, Problem> {
        let at = &self.resolved.bottle.workspace.path;
        GuestPath::parse(at).map_err(|source| Problem::Place { what: "workspace.path", source })
    }

    fn provider(&self) -> Result<Provider, Problem> {
        let wanted = &self.resolved.bottle.provider;
        let command = wanted.command.iter().map(OsString::from).collect();
        let provider = Provider::new(self.template(), command, &self.host.home)?;
        Ok(provider.paid_with(self.credential()?)?)
    }

    fn template(&self) -> Template {
        match self.resolved.bottle.provider.template {
            manifest::Template::Claude => Template::Claude,
            manifest::Template::Codex => Template::Codex,
            manifest::Template::Command => Template::Command,
        }
    }

    /// What the agent's model is paid with. A login of the host is looked at, because what stands in for it has to look the same.
    fn credential(&self) -> Result<Credential, Problem> {
        let provider = &self.resolved.bottle.provider;
        match (&provider.auth, provider.template) {
            (None, _) => Ok(Credential::None),
            (Some(ProviderAuth::LongLivedToken(token)), _) => Ok(Credential::Token(token.clone())),
            (Some(ProviderAuth::ApiKey(key)), _) => Ok(Credential::ApiKey(key.clone())),
            (Some(ProviderAuth::HostLogin), manifest::Template::Codex) => gateway::codex_login(&self.host.credentials()),
            (Some(ProviderAuth::HostLogin), manifest::Template::Claude | manifest::Template::Command) => {
                Ok(Credential::ClaudeLogin)
            }
        }
    }

    /// What of the host has to be visible. A bottle that is made from an image brings its own programs; and the agent's is
    /// not needed when the person runs something else.
    fn visible(&self, provider: &Provider, root: &RootFs, problems: &mut Vec<Problem>) -> (Option<Found>, Visible) {
        let moved = self.host.moved();
        let private = self.host.private(&moved);
        let mut visible = resolve_tools(&self.resolved.bottle.tools, private).unwrap_or_else(|errors| {
            problems.extend(errors.into_iter().map(Problem::from));
            Visible::default()
        });
        if *root != RootFs::Default {
            return (None, visible);
        }
        match find(provider.program(), Shell { path: &self.host.path, private }) {
            Ok(found) => {
                let mut all = found.visible.clone();
                all.merge(std::mem::take(&mut visible));
                (Some(found), all)
            }
            Err(error) => {
                if self.choices.command.is_empty() {
                    problems.push(error.into());
                }
                (None, visible)
            }
        }
    }

    fn provision(
        &self,
        provider: &Provider,
        visible: &Visible,
        env: &Env,
        Places { guest_skills, workspace_at }: Places,
        problems: &mut Vec<Problem>,
    ) -> Option<ProvisionPlan> {
        let skills: Vec<String> = self.resolved.agent.skills.iter().map(|skill| skill.as_str().to_owned()).collect();
        let exclude: Vec<String> = self.resolved.bottle.workspace.exclude.iter().map(|name| name.as_str().to_owned()).collect();
        let claim = &self.resolved.git_user;
        let value = |claimed: &Option<manifest::Claimed>| claimed.as_ref().map(|claimed| claimed.value.clone());
        let identity = GitIdentity { name: value(&claim.name), email: value(&claim.email) };
        let has_identity = identity.name.is_some() || identity.email.is_some();
        let moved = self.host.moved();
        let request = Request {
            provider,
            prompt: &self.resolved.agent.prompt,
            skills: &skills,
            host_skills: &self.host.home.join(".claude/skills"),
            guest_skills,
            workspace: self.choices.workspace.as_deref(),
            workspace_at,
            workspace_exclude: &exclude,
            git_identity: has_identity.then_some(&identity),
            env: &env.variables(),
            visible,
            private: self.host.private(&moved),
        };
        match ProvisionPlan::build(&request) {
            Ok(plan) => Some(plan),
            Err(errors) => {
                problems.extend(errors.0.into_iter().map(Problem::from));
                None
            }
        }
    }

    fn command(&self, provider: &Provider, provision: &ProvisionPlan) -> AgentCommand {
        if !self.choices.command.is_empty() {
            return AgentCommand { argv: self.choices.command.clone(), env: Vec::new() };
        }
        let run = Invocation {
            mode: self.choices.mode,
            resume: false,
            prompt_file: provision.prompt_file().cloned(),
            text: self.choices.prompt.clone(),
            extra: Vec::new(),
        };
        AgentCommand::build(provider, &run)
    }
}

impl Plan {
    /// The session's name.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What the person is shown before anything is made.
    pub fn preflight(&self) -> &Preflight {
        &self.preflight
    }

    /// What has to be asked before the launch.
    pub fn asks(&self) -> &[Ask] {
        self.env.asks()
    }

    /// The person's answer to one of [`Plan::asks`].
    pub fn answer(&mut self, name: &str, value: Secret) {
        self.env.answer(name, value);
    }

    /// The environment of every program in the bottle, with the person's answers.
    pub(crate) fn environment(&self) -> Result<Environment, Vec<provision::EnvironmentError>> {
        Environment::build(&self.provider, &self.visible, &self.env.variables())
    }
}

fn keep<T>(result: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    result.map_err(|problem| problems.push(problem)).ok()
}
