use testkit::TestAuthority;
use testkit::origin::{Door, Origin};

use crate::needs::{Needs, find};
use crate::scene::{Ran, SHELL, Scene};

/// A host with a server on its loopback that stands for the world, and a bottle that may reach it by two names.
pub struct World {
    pub scene: Scene,
    pub origin: Origin,
    /// What is put in at [`PAID`].
    pub canary: String,
}

/// Reached with the person's credential.
pub const PAID: &str = "paid.example.org";
/// The host of the claude template.
pub const MODEL: &str = "api.anthropic.com";
/// Reached without.
pub const FREE: &str = "free.example.org";

impl World {
    /// `None`, and a reason, where a program that attacks is missing.
    pub fn open() -> Option<Self> {
        if let Err((component, reason)) = find(Needs::System(&["curl", "python3"])) {
            testkit::require(component, &reason);
            return None;
        }
        let (authority, canary) = (TestAuthority::new("the world's authority"), testkit::canary("world"));
        let origin = Origin::new(Door::Tls(authority.leaf(&[PAID, FREE])));
        let dial = origin.address();
        let routes = format!(
            "egress:\n  routes:\n    - host: {PAID}\n      dial: {dial}\n      auth: {{scheme: Bearer, token_ref: WORLD_TOKEN}}\n    \
             - host: {FREE}\n      dial: {dial}\n"
        );
        let scene = Scene::bare()
            .bottle("b", &format!("{SHELL}{routes}"))
            .agent("a", "bottle: b\n", "")
            .file("authority.pem", &authority.pem())
            .env("WORLD_TOKEN", &canary);
        let trusted = scene.path("authority.pem").display().to_string();
        Some(Self { scene: scene.env("SSL_CERT_FILE", &trusted), origin, canary })
    }

    /// The same world, and a bottle of the claude template whose model is [`PAID`]'s server, paid with the credential as an API key.
    pub fn with_a_model(mut self) -> Self {
        let authority = TestAuthority::new("the model's authority");
        self.origin = Origin::new(Door::Tls(authority.leaf(&[MODEL])));
        let dial = self.origin.address();
        let bottle = format!(
            "agent_provider:\n  template: claude\n  api_key: WORLD_TOKEN\negress:\n  routes:\n    - host: {MODEL}\n      dial: {dial}\n"
        );
        let scene = self.scene.bottle("b", &bottle).file("authority.pem", &authority.pem());
        // A program of that name is all that the template asks for.
        let scene = scene.file("home/bin/claude", "#!/bin/sh\n");
        let program = scene.path("home/bin/claude");
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", program.parent().unwrap().display());
        self.scene = scene.env("PATH", &path);
        self
    }

    /// Every refusal so far, as `code asked destination`.
    pub fn refusals(&self) -> Vec<String> {
        let folder = std::fs::read_dir(self.scene.path("home/.bot-bottle/audit")).into_iter().flatten().flatten();
        let audits = folder.map(|file| file.path()).filter(|path| !path.to_string_lossy().ends_with(".traffic.jsonl"));
        let lines = audits.flat_map(|path| std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>());
        let records = lines.map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap());
        let text = |record: &serde_json::Value, name: &str| record[name].as_str().unwrap_or_default().to_owned();
        records
            .map(|record| format!("{} {} {}", text(&record, "code"), text(&record, "asked"), text(&record, "destination")))
            .collect()
    }

    /// Everything that the program wrote on the host.
    pub fn written(&self, ran: &Ran) -> String {
        let state = self.scene.path("home/.bot-bottle");
        let found = std::process::Command::new("grep").args(["-rh", "", "--"]).arg(state).output().unwrap();
        format!("{}{}{}", ran.stdout, ran.stderr, String::from_utf8_lossy(&found.stdout))
    }
}

/// What a script printed between a line `== NAME` and the next such line.
pub fn part<'a>(printed: &'a str, name: &str) -> &'a str {
    let all: Vec<&str> = printed.split("== ").filter_map(|part| part.strip_prefix(name)?.strip_prefix('\n')).collect();
    let [only] = all[..] else { panic!("{name}: {printed}") };
    only.trim_end()
}
