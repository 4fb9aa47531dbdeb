use std::collections::BTreeMap;
use std::path::Path;

use data_encoding::BASE64;
use testkit::TestAuthority;
use testkit::origin::{Answer, Door, Origin, Recorded};

use crate::needs::{Found, Needs, find};
use crate::scene::{Ran, SHELL, Scene};

/// The server's name, which nobody but the route knows.
pub const HOST: &str = "packages.example.org";

/// A private server on the host that wants a credential, and a bottle with one tool that may reach it.
pub struct Market {
    pub scene: Scene,
    pub origin: Origin,
    canary: String,
    found: Found,
}

/// How the server wants to be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paid {
    /// `Authorization: Bearer TOKEN`, as npm's registries.
    Bearer,
    /// `Authorization: Basic …` (RFC 7617), as Python's indexes, apt's mirrors and forges.
    Basic,
    /// `Authorization: TOKEN`, as cargo's registries.
    Bare,
    /// Not at all, and without TLS.
    Open,
}

impl Paid {
    /// What is to arrive.
    fn sent(self, canary: &str) -> Option<String> {
        match self {
            Self::Bearer => Some(format!("Bearer {canary}")),
            // Three bytes before it: the canary's own letters show in base64.
            Self::Basic => Some(format!("Basic {}", BASE64.encode(format!("me:{canary}").as_bytes()))),
            Self::Bare => Some(canary.to_owned()),
            Self::Open => None,
        }
    }

    fn auth(self) -> &'static str {
        match self {
            Self::Bearer => "auth: {scheme: Bearer, token_ref: INDEX_TOKEN}",
            Self::Basic => "auth: {scheme: Basic, user: me, token_ref: INDEX_TOKEN}",
            Self::Bare => "auth: {header: Authorization, token_ref: INDEX_TOKEN}",
            Self::Open => "ports: [80]",
        }
    }
}

impl Market {
    /// `None`, and a reason, where the tool is missing.
    pub fn open(needs: Needs, paid: Paid, shelf: impl Fn(&Recorded) -> Answer + Send + Sync + 'static) -> Option<Self> {
        let found = match find(needs) {
            Ok(found) => found,
            Err((component, reason)) => {
                testkit::require(component, &reason);
                return None;
            }
        };
        let (authority, canary) = (TestAuthority::new("the person's own authority"), testkit::canary("index"));
        let door = if paid == Paid::Open { Door::Plain } else { Door::Tls(authority.leaf(&[HOST])) };
        let wanted = paid.sent(&canary);
        let origin = Origin::start(door, move |request| {
            let is_paid = request.header("authorization").map(str::to_owned) == wanted;
            if is_paid { shelf(request) } else { Answer::empty(401).header("www-authenticate", "Basic realm=\"packages\"") }
        });
        let route = format!("egress:\n  routes:\n    - host: {HOST}\n      dial: {}\n      {}\n", origin.address(), paid.auth());
        let scene = Scene::bare().agent("a", "bottle: b\n", "").file("authority.pem", &authority.pem());
        let trusted = scene.path("authority.pem");
        let scene = scene.env("SSL_CERT_FILE", trusted.to_str().unwrap()).env("INDEX_TOKEN", &canary);
        Some(Self { scene, origin, canary, found }.with(&route))
    }

    /// The same bottle without a route.
    pub fn closed(self) -> Self {
        self.with("")
    }

    fn with(mut self, egress: &str) -> Self {
        let tools: Vec<_> = self.found.tools.iter().map(|path| path.canonicalize().unwrap().display().to_string()).collect();
        self.scene = self.scene.bottle("b", &format!("{SHELL}tools: [{}]\n{egress}", tools.join(", ")));
        self
    }

    /// A script with `$HOST`, in the agent's home, to be run in the bottle. What it leaves is searched for the credential.
    pub fn script(&self, script: &str) -> String {
        // Written so that the search does not find itself.
        format!(
            "exec 2>&1; HOST={HOST}; cd ~\n{}({script}\n)
grep -rEas 'canar[y]-index|Y2FuYX[J]5' /home /root /tmp /etc /var /proc/[0-9]*/environ /proc/[0-9]*/cmdline || echo no-credential-here",
            self.found.prelude
        )
    }

    /// Runs a script as the agent.
    pub fn run(&self, script: &str) -> Ran {
        self.checked(self.scene.script(&self.script(script)))
    }

    /// Runs a script as the bottle's root.
    pub fn run_as_root(&self, script: &str) -> Ran {
        let mut live = self.scene.live("echo ready; cat");
        let ran = self.scene.run(&["exec", "s", "--user", "root", "--", "sh", "-c", &self.script(script)]);
        live.close_stdin();
        assert_eq!(live.end().0, Some(0));
        self.checked(ran)
    }

    /// The credential is nowhere but at the server.
    fn checked(&self, ran: Ran) -> Ran {
        assert!(ran.stdout.contains("no-credential-here"), "{ran:?}");
        let seen = format!("{}{}{}", ran.stdout, ran.stderr, everything_below(&self.scene.path("home/.bot-bottle")));
        for hidden in [self.canary.clone(), BASE64.encode(self.canary.as_bytes())] {
            // Of base64 the last characters depend on what follows.
            assert!(!seen.contains(&hidden[..hidden.len() - 4]), "{seen}");
        }
        ran
    }
}

fn everything_below(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.map(|path| if path.is_dir() { everything_below(&path) } else { read(&path) }).collect()
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

/// The package of packages.py at [`HOST`], and nothing else.
pub fn packages(scheme: &str) -> impl Fn(&Recorded) -> Answer + Send + Sync + use<> {
    let made = ["-c", include_str!("../packages.py"), &format!("{scheme}://{HOST}")];
    let output = std::process::Command::new("/usr/bin/python3").args(made).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let pages: BTreeMap<String, (String, String)> = serde_json::from_slice(&output.stdout).unwrap();
    // apt asks for `/./` where an archive is flat.
    move |request| match pages.get(&request.uri.path().replace("/./", "/")) {
        Some((kind, page)) => Answer::bytes(BASE64.decode(page.as_bytes()).unwrap()).header("content-type", kind),
        None => Answer::empty(404),
    }
}
