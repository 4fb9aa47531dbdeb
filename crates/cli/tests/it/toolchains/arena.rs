use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use agents::credentials::{Moved, Private};
use agents::{Provider, Template, Visible};
use backend_native::{HelperProgram, NativeBackend};
use bottle::{
    Backend as _, Bottle, BottleName, BottleSpec, Exec, GuestPath, Limits, RootFs, Tool, Tree, TreePath, User, tree::Source,
};
use provision::{Environment, Notice, ProvisionPlan, Request, Roots, TRUST_VARIABLES, Trust, provision};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

const ORIGIN: [(&str, &str); 2] = [("origin.py", include_str!("origin.py")), ("packages.py", include_str!("../packages.py"))];
/// Where the origins' files stand in the bottle.
const FOLDER: &str = "/srv/origin";
/// Only keeps a broken test from hanging.
const DEADLINE: Duration = Duration::from_secs(240);

/// A bottle that trusts one authority, with two origins in it that serve the same: one whose certificate is by that authority, and
/// one whose is not.
pub struct Arena {
    bottle: Arc<dyn Bottle>,
    env: Vec<(String, Vec<u8>)>,
}

/// Whom a program talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Its certificate is by the session's authority.
    Trusted,
    /// Its certificate is by somebody else.
    Foreign,
}

impl Origin {
    fn port(self) -> u16 {
        match self {
            Self::Trusted => 8443,
            Self::Foreign => 9443,
        }
    }

    /// Seconds for programs that do not give up by themselves: from one of the two there is nothing to wait for.
    fn patience(self) -> u8 {
        match self {
            Self::Trusted => 120,
            Self::Foreign => 10,
        }
    }
}

impl Arena {
    /// A bottle that sees `tools` of the host besides its system.
    pub async fn open(tools: &[PathBuf]) -> Self {
        let backend = NativeBackend::new(HelperProgram::At(testkit::helper_file()));
        let tools = tools.iter().map(|path| Tool::look(path).unwrap()).collect();
        let name = BottleName::parse("toolchains").unwrap();
        let spec = BottleSpec { name, root: RootFs::Default, tools, limits: Limits::default() };
        let bottle = backend.launch(&spec).await.unwrap().bottle;

        let home = tempfile::tempdir().unwrap();
        let provider = Provider::new(Template::Command, vec!["sh".into()], home.path()).unwrap();
        let plan = ProvisionPlan::build(&Request {
            provider: &provider,
            prompt: "",
            skills: &[],
            host_skills: home.path(),
            guest_skills: GuestPath::parse(provision::GUEST_SKILLS).unwrap(),
            workspace: None,
            workspace_at: GuestPath::parse(provision::WORKSPACE).unwrap(),
            workspace_exclude: &[],
            git_identity: None,
            env: &[],
            visible: &Visible::default(),
            private: Private { home: home.path(), state: home.path(), moved: &Moved::default() },
        });
        let (ours, theirs) = (Authority::new("bot-bottle test authority"), Authority::new("somebody else"));
        // The host's roots go along as they do in a session: some tools choke on what others take.
        let host = std::fs::read_to_string("/etc/ssl/certs/ca-certificates.crt").unwrap_or_default();
        let trust = Trust::new(&ours.pem, Arc::new(Roots::from_pem(&host))).unwrap();
        provision(&plan.unwrap(), Some(&trust), &*bottle, &mut |_: &Notice<'_>| {}).await.unwrap();

        let environment = Environment::build(&provider, &Visible::default(), &[]).unwrap();
        let env = environment.variables().iter();
        let env = env.map(|(name, value)| (name.to_str().unwrap().to_owned(), value.reveal().to_vec())).collect();
        let arena = Self { bottle, env };
        arena.start(&ours, &theirs).await;
        arena
    }

    async fn start(&self, ours: &Authority, theirs: &Authority) {
        let mut tree = Tree::new();
        for (name, content) in ORIGIN {
            tree = tree.with(TreePath::parse(name).unwrap(), file(content));
        }
        for (authority, origin) in [(ours, Origin::Trusted), (theirs, Origin::Foreign)] {
            let (certificate, key) = authority.leaf("localhost");
            let port = origin.port();
            tree = tree.with(TreePath::parse(format!("{port}.pem")).unwrap(), file(&certificate));
            tree = tree.with(TreePath::parse(format!("{port}.key")).unwrap(), file(&key));
        }
        self.bottle.cp_in(&tree, &GuestPath::parse(FOLDER).unwrap(), User::Node).await.unwrap();
        let servers: Vec<String> = [Origin::Trusted, Origin::Foreign]
            .map(|origin| format!("{0}:{FOLDER}/{0}.pem:{FOLDER}/{0}.key", origin.port()))
            .to_vec();
        let script = format!(
            "mkdir ~/served; mkfifo ~/ready; PYTHONPATH=$GRPC /usr/bin/python3 {FOLDER}/origin.py ~/ready ~/served {} >~/origin.log \
             2>&1 & read -r word < ~/ready; echo $word",
            servers.join(" ")
        );
        let grpc = crate::needs::installed().map(|folder| folder.join("python")).unwrap_or_default();
        let exec = Exec::new("sh").args(["-c", &script]).env("GRPC", grpc.to_str().unwrap());
        let started = self.bottle.exec(exec.deadline(DEADLINE)).await.unwrap();
        assert_eq!(started.stdout, b"ready\n", "{started:?}");
    }

    /// Runs a script with `$URL`, `$PORT` and `$PATIENCE` of an origin, in an empty folder, with the variables of an agent except `without`.
    /// Gives what it wrote, and whether it succeeded.
    pub async fn run(&self, script: &str, origin: Origin, without: &[&str]) -> (bool, String) {
        let port = origin.port();
        let script = format!("exec 2>&1; rm -rf ~/run ~/served/asked; mkdir ~/run; cd ~/run || exit 9\n{script}");
        let mut exec = Exec::new("sh").args(["-ec", &script]).deadline(DEADLINE);
        for (name, value) in self.env.iter().filter(|(name, _)| !without.contains(&name.as_str())) {
            exec = exec.env(name, value.clone());
        }
        exec = exec
            .env("PATIENCE", origin.patience().to_string())
            .env("PORT", port.to_string())
            .env("URL", format!("https://localhost:{port}"));
        let output = self.bottle.exec(exec).await.unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The script gets the answer from the origin that is to be trusted, and from the other nothing. `without` are variables
    /// that this must not depend on.
    pub async fn assert_trusts_the_session_alone(&self, script: &str, without: &[&str]) {
        let (success, output) = self.run(script, Origin::Trusted, without).await;
        assert!(success && output.contains("answer-of-the-origin"), "{output}");
        let (success, output) = self.run(script, Origin::Foreign, without).await;
        assert!(!success && !output.contains("answer-of-the-origin"), "it believes anybody: {output}");
    }

    /// Takes the bottle down.
    pub async fn close(self) {
        self.bottle.close().await.unwrap();
    }
}

/// Every variable that names certificates.
pub fn variables() -> Vec<&'static str> {
    TRUST_VARIABLES.iter().map(|(name, _)| *name).collect()
}

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = pem("CERTIFICATE", params.self_signed(&key).unwrap().der());
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate for `host` and its key, both as PEM.
    fn leaf(&self, host: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, host);
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        (pem("CERTIFICATE", leaf.der()), pem("PRIVATE KEY", &key.serialize_der()))
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = data_encoding::BASE64.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn file(content: &str) -> Source {
    Source::File { content: content.into(), mode: 0o600 }
}
