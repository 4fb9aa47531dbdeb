//! Claude Code and Codex, as they are installed from npm, hold a whole conversation with the scripted model on loopback.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use testkit::TestAuthority;
use testkit::model_api::{Credential, ModelApi, Script, Turn};
use testkit::origin::Door;

struct Person {
    folder: TempDir,
    programs: PathBuf,
    authority: TestAuthority,
}

impl Person {
    /// `None`, and a reason, where the agents are not installed.
    fn new() -> Option<Self> {
        let Some(programs) = std::env::var_os("BOT_BOTTLE_TEST_AGENTS").map(PathBuf::from) else {
            testkit::require("agents", "BOT_BOTTLE_TEST_AGENTS names no folder with the agents' programs");
            return None;
        };
        let folder = TempDir::new().unwrap();
        let person = Self { folder, programs, authority: TestAuthority::new("tests of the model") };
        person.authority.write_pem(&person.path("authority.pem"));
        person.file(
            "home/.claude/skills/greet/SKILL.md",
            "---\nname: greet\ndescription: how to greet\n---\nSay canary-of-the-skill.\n",
        );
        person.file(
            "home/.agents/skills/greet/SKILL.md",
            "---\nname: greet\ndescription: how to greet\n---\nSay canary-of-the-skill.\n",
        );
        std::fs::create_dir_all(person.path("work")).unwrap();
        Some(person)
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn file(&self, below: &str, text: &str) {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn model(&self, credential: Credential) -> ModelApi {
        let door = Door::Tls(self.authority.leaf(&["localhost"]));
        let script = Script::new([
            Turn::Write { path: self.path("work/made").display().to_string(), line: "canary-of-the-file".to_owned() },
            Turn::Skill("greet".to_owned()),
            Turn::Shell("cat made; echo canary-of-the-shell >&2".to_owned()),
            Turn::Say("canary-of-the-answer".to_owned()),
        ]);
        ModelApi::start(door, [credential], script)
    }

    fn run(&self, agent: &str, args: &[&str], env: &[(&str, &str)]) -> Output {
        let mut command = Command::new(self.programs.join("bin").join(agent));
        command.args(args).env_clear().env("HOME", self.path("home")).env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.envs(env.iter().copied()).current_dir(self.path("work")).stdin(Stdio::null());
        command.env("NODE_EXTRA_CA_CERTS", self.path("authority.pem")).env("CODEX_CA_CERTIFICATE", self.path("authority.pem"));
        command.env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
        // Its own rule for root: only in a sandbox.
        command.env("IS_SANDBOX", "1").output().unwrap()
    }

    fn assert_done(&self, model: &ModelApi, output: &Output) {
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let lines: Vec<String> = model.origin().requests().iter().map(|request| request.line()).collect();
        let seen = format!("{lines:#?}\n{:#?}\n{stdout}\n{stderr}", model.results());
        assert!(output.status.success() && stdout.contains("canary-of-the-answer"), "{seen}");
        assert_eq!(std::fs::read_to_string(self.path("work/made")).unwrap(), "canary-of-the-file\n");
        let results = model.results();
        assert_eq!(results.len(), 3, "{seen}");
        assert!(results[2].contains("canary-of-the-file") && results[2].contains("canary-of-the-shell"), "{seen}");
        // Claude is given a skill's text beside what its tool answers.
        assert!(model.everything().contains("canary-of-the-skill"), "{seen}");
        assert!(model.refused().is_empty(), "{:#?}", model.refused());
    }
}

fn url(model: &ModelApi) -> String {
    format!("https://localhost:{}", model.address().port())
}

#[test]
fn claude_follows_the_script_with_a_token() {
    let Some(person) = Person::new() else { return };
    let model = person.model(Credential::bearer("the-token"));
    let env = [("ANTHROPIC_BASE_URL", url(&model)), ("CLAUDE_CODE_OAUTH_TOKEN", "the-token".to_owned())];
    let env = env.each_ref().map(|(name, value)| (*name, value.as_str()));
    let output = person.run("claude", &["--dangerously-skip-permissions", "-p", "begin"], &env);
    person.assert_done(&model, &output);
}

#[test]
fn claude_follows_the_script_with_a_key() {
    let Some(person) = Person::new() else { return };
    let model = person.model(Credential::api_key("the-key"));
    let env = [("ANTHROPIC_BASE_URL", url(&model)), ("ANTHROPIC_API_KEY", "the-key".to_owned())];
    let env = env.each_ref().map(|(name, value)| (*name, value.as_str()));
    let output = person.run("claude", &["--dangerously-skip-permissions", "-p", "begin"], &env);
    person.assert_done(&model, &output);
}

fn codex(person: &Person, model: &ModelApi, settings: &str) -> Output {
    person.file("home/.codex/auth.json", r#"{"OPENAI_API_KEY": "the-key"}"#);
    person.file(
        "home/.codex/config.toml",
        &format!(
            "check_for_update_on_startup = false\nmodel_provider = \"test\"\n\n[model_providers.test]\nname = \"test\"\n\
             base_url = \"{}/v1\"\nwire_api = \"responses\"\nrequires_openai_auth = true\n{settings}\n",
            url(model)
        ),
    );
    person.run("codex", &["exec", "--dangerously-bypass-approvals-and-sandbox", "--skip-git-repo-check", "begin"], &[])
}

#[test]
fn codex_follows_the_script() {
    let Some(person) = Person::new() else { return };
    let model = person.model(Credential::bearer("the-key"));
    let output = codex(&person, &model, "");
    person.assert_done(&model, &output);
    assert_eq!(model.messages(), Vec::<String>::new());
}

#[test]
fn codex_follows_the_script_over_a_websocket() {
    let Some(person) = Person::new() else { return };
    let model = person.model(Credential::bearer("the-key"));
    let output = codex(&person, &model, "supports_websockets = true");
    person.assert_done(&model, &output);
    assert!(!model.messages().is_empty());
}
