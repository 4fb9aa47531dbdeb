use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use testkit::model_api::ModelApi;
use testkit::origin::{Door, Gate, Recorded};
use testkit::{TestAuthority, canary};

use super::needles::Needles;
use super::network::Network;
use super::pays::{Pays, Purse};
use super::records::{self, Follower};
use super::script::{FOREIGN, TOOLS, script};
use super::token_endpoint::TokenEndpoint;
use super::told;
use crate::agents::with_program;
use crate::elsewhere;
use crate::needs::{Needs, find};
use crate::scene::{Ran, Scene, exists};
use crate::search::Search;
use crate::terminal::{Ended, Terminal};

/// The session's name.
pub const SESSION: &str = "talk";

/// A person with an agent, a bottle for it, and the model that it will talk to.
pub struct Talk {
    pays: Pays,
    scene: Scene,
    model: ModelApi,
    /// Where an expired login is refreshed, and the network in which that is.
    renewing: Option<(Network, TokenEndpoint)>,
    /// The model's last word waits for this.
    gate: Gate,
    /// What must be found nowhere.
    secrets: Vec<String>,
    /// What is in the bottle, so that whoever searches must find it: a variable, and encoded in a file.
    control: String,
    since: u64,
}

impl Talk {
    /// As [`Talk::prepare`], for a conversation of which every tool's answer is looked at.
    pub fn with_tools(pays: Pays) -> Option<Self> {
        // Whoever polls for nothing but the end of a stream is not woken by gVisor's older kernels, and Codex does so for its tools: now and
        // then one seems to run for half a minute after it has ended. Two sessions at once converse there all the same.
        if elsewhere::has_own_kernel() && pays.agent() == "codex" {
            testkit::require("ends of pipes", "gVisor does not always tell Codex that a tool has ended");
            return None;
        }
        Self::prepare(pays)
    }

    /// `None`, and a reason, where the agent's program is missing.
    pub fn prepare(pays: Pays) -> Option<Self> {
        // What the script has the agent run, and what searches its bottle.
        if let Err((component, reason)) = find(Needs::System(&["curl", "python3"])) {
            testkit::require(component, &reason);
            return None;
        }
        let scene = with_program(Scene::bare())?;
        // A bottle's processes become children of this test.
        rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
        let (control, authority) = (canary("control"), TestAuthority::new("the network"));
        let (scene, Purse { credential, secrets, renewal }) = pays.earn(scene);
        let gate = Gate::closed();
        let script = script(pays).holding(&gate);
        let script = if pays == Pays::CodexKeyOverHttp { script.without_websockets() } else { script };
        let door = |host| Door::Tls(authority.leaf(&[host]));
        let start = || ModelApi::start(door(pays.host()), [credential], script);
        let (model, renewing) = match renewal {
            None => (start(), None),
            Some(renewal) => {
                let network = Network::of(&scene, &[pays.host(), renewal.host])?;
                let (host, door) = (renewal.host, door(renewal.host));
                let (model, endpoint) = network.within(|| (start(), TokenEndpoint::start(door, renewal)));
                network.lead(pays.host(), model.address());
                network.lead(host, endpoint.origin().address());
                (model, Some((network, endpoint)))
            }
        };
        let scene = match &renewing {
            None => scene
                .bottle("b", &manifest(pays, &control, &format!("[{{host: {}, dial: \"{}\"}}]", pays.host(), model.address()))),
            // Names are looked up, as in the world.
            Some((network, _)) => scene.bottle("b", &manifest(pays, &control, "[]")).within(network.entry()),
        };
        let ca = scene.path("ca.pem");
        authority.write_pem(&ca);
        let encoded = data_encoding::BASE64.encode(control.as_bytes());
        let skill = format!("---\nname: greet\ndescription: how to greet\n---\nSay canary-of-the-skill. {encoded}\n");
        let scene = scene
            .env("SSL_CERT_FILE", &ca.to_string_lossy())
            .agent("a", "bottle: b\nskills: [greet]\n", "canary-of-the-prompt")
            .file("home/.claude/skills/greet/SKILL.md", &skill)
            .file("project/notes", "canary-of-the-workspace\n");
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        Some(Self { pays, scene, model, renewing, gate, secrets, control, since })
    }

    /// Without a terminal, to its end.
    pub fn headless(self) -> ModelApi {
        let mut command = self.scene.command(&self.args(&["--headless"]));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while !self.model.wait_for_results(TOOLS, Duration::from_secs(1)) && child.try_wait().unwrap().is_none() {}
        let follower = (self.model.results().len() == TOOLS).then(|| self.look_around(child.id()));
        self.gate.open();
        let ran = Ran::from(&child.wait_with_output().unwrap());
        let seen = format!("{ran:?}\n{:#?}\n{:#?}", self.model.results(), self.model.refused());
        assert_eq!(ran.code, 0, "{seen}");
        let Some(follower) = follower else { panic!("it ended before its tools had answered: {seen}") };
        assert_eq!(ran.stdout, "canary-of-the-answer\n", "{seen}");
        self.needles().assert_absent("stdout", ran.stdout.as_bytes());
        self.needles().assert_absent("stderr", ran.stderr.as_bytes());
        assert!(ran.stderr.contains(self.pays.preflight()), "{seen}");
        assert!(ran.stderr.ends_with("3 things were refused: see 'bot-bottle logs talk'\n"), "{seen}");
        self.settled(follower.end())
    }

    /// On a terminal, until the person has read the answer.
    pub fn on_a_terminal(self) -> ModelApi {
        let mut terminal = Terminal::run(&self.scene, &self.args(&[]));
        terminal.reads_until("tools have answered", || self.model.results().len() == TOOLS);
        let session = terminal.id();
        // Somebody goes on reading, as a terminal does.
        let follower = std::thread::scope(|scope| {
            let looking = scope.spawn(|| self.look_around(session));
            terminal.reads_until("the search", || looking.is_finished());
            looking.join().unwrap()
        });
        self.gate.open();
        terminal.until("canary-of-the-answer");
        // On gVisor's older kernels Claude Code reads the keys and does not come to its end; there the person ends the session.
        let by_keys = !(elsewhere::has_own_kernel() && self.pays.agent() == "claude");
        if by_keys {
            // Not in one go, which would be pasted text.
            terminal.press("/exit");
            terminal.until("/exit");
            terminal.press("\r");
        } else {
            testkit::require(
                "whole terminals",
                "Claude Code does not end by /exit on gVisor's terminals; the session is stopped instead",
            );
            let stopped = self.scene.run(&["stop", SESSION]);
            assert_eq!(stopped.code, 0, "{stopped:?}");
        }
        let Ended { code, screen, bytes } = terminal.end_with_all();
        assert_eq!(code, Some(if by_keys { 0 } else { 143 }), "{}", screen.contents());
        self.needles().assert_absent("the terminal", &bytes);
        self.settled(follower.end())
    }

    /// Two sessions at once, whose login has to be refreshed.
    pub fn twice(self) {
        self.gate.open();
        let begin = |label| {
            let args = ["start", "a", "--yes", "--cwd", "--headless", "--label", label, "--prompt", "begin"];
            let mut command = self.scene.command(&args);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        for session in ["one", "two"].map(begin) {
            let ran = Ran::from(&session.wait_with_output().unwrap());
            assert_eq!((ran.code, ran.stdout.as_str()), (0, "canary-of-the-answer\n"), "{ran:?}");
        }
        assert_eq!(self.model.refused().len(), 0, "{:#?}", self.model.refused());
        self.assert_refreshed_once();
    }

    /// The login was refreshed once, and what it was refreshed to is what the person has now, with everything else.
    fn assert_refreshed_once(&self) {
        let Some((_, endpoint)) = &self.renewing else { return };
        let requests = endpoint.origin().requests();
        assert_eq!(requests.len(), 1, "{:?}", requests.iter().map(Recorded::line).collect::<Vec<_>>());
        let file = self.scene.path("home").join(self.pays.file().unwrap());
        let login = std::fs::read_to_string(&file).unwrap();
        assert!(self.secrets.iter().filter(|secret| secret.contains("-next-")).all(|secret| login.contains(secret)), "{login}");
        let kept = if self.pays.agent() == "claude" { "subscriptionType" } else { "account-of-the-test" };
        assert!(!login.contains(&self.secrets[self.secrets.len() - 1]) && login.contains(kept), "{login}");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    fn args<'a>(&self, more: &[&'a str]) -> Vec<&'a str> {
        [&["start", "a", "--yes", "--cwd", "--label", SESSION, "--prompt", "begin"], more].concat()
    }

    fn needles(&self) -> Needles {
        Needles::new(&self.secrets)
    }

    /// While the agent waits for the model: where is the credential?
    fn look_around(&self, session: u32) -> Follower {
        let texts: Vec<&str> = std::iter::once(&self.control).chain(&self.secrets).map(String::as_str).collect();
        let outside = Search::outside(session, SESSION, &texts);
        // To the host a kernel of the bottle's own is a process whose memory is all of the bottle's.
        if !elsewhere::has_own_kernel() {
            outside.assert_found(0, "environ", "plain");
        }
        outside.assert_found(0, "memory", "plain");
        if rustix::process::geteuid().is_root() {
            assert_eq!(outside.closed, Vec::<String>::new());
        }
        let node = Search::inside(&self.scene, SESSION, "node", &["/"], self.since, &texts);
        node.assert_found(0, "environ", "plain");
        node.assert_found(0, "file", "base64");
        let closed: Vec<&str> = node.closed.iter().filter(|path| path.starts_with('/')).map(String::as_str).collect();
        let root = Search::inside(&self.scene, SESSION, "root", &closed, self.since, &texts);
        assert_eq!(root.still_closed(&node), Vec::<&str>::new());
        for search in [&outside, &node, &root] {
            for text in 1..texts.len() {
                assert_eq!(search.places(text), Vec::<String>::new(), "the credential is in the bottle");
            }
        }
        let arguments = std::fs::read(format!("/proc/{session}/cmdline")).unwrap();
        self.needles().assert_absent("the session's arguments", &arguments);
        let state = self.needles().files(&self.scene.path("home/.bot-bottle"));
        assert_eq!(state, Vec::<PathBuf>::new(), "the credential is in the state of a session");
        Follower::start(&self.scene)
    }

    /// After the end: what the model saw, what the person is told, and what is left.
    fn settled(self, followed: Vec<Value>) -> ModelApi {
        let Self { pays, scene, model, .. } = &self;
        let needles = self.needles();
        // Every request came with the real credential and no other.
        assert_eq!(model.refused().iter().map(Recorded::line).collect::<Vec<_>>(), Vec::<String>::new());
        for request in model.origin().requests() {
            let headers = format!("{:?}", request.headers);
            assert!(!headers.contains("placeholder") && !headers.contains(FOREIGN), "{} {headers}", request.line());
        }
        told::assert_told(*pays, model, &needles);
        records::assert_true(scene, *pays, model, followed);
        self.assert_refreshed_once();
        // The workspace is a copy.
        assert!(!exists(&scene.path("project/made")));
        scene.assert_nothing_left();
        let kept: Vec<PathBuf> = pays.file().into_iter().map(|file| scene.path("home").join(file)).collect();
        assert_eq!(needles.files(&scene.path("")), kept, "the credential is in files of the host");
        self.model
    }
}

fn manifest(pays: Pays, control: &str, routes: &str) -> String {
    let (agent, credential) = (pays.agent(), pays.manifest());
    format!(
        "agent_provider:\n  template: {agent}\n  {credential}\nenv:\n  CONTROL: {control}\negress:\n  log: 2\n  routes: {routes}\n"
    )
}
