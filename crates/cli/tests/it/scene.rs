use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::LazyLock;

use crate::elsewhere;
use rustix::process::{Pid, Signal, kill_process};

/// A person's machine: a home, manifests, skills. Everything is gone with it.
pub struct Scene {
    folder: tempfile::TempDir,
    env: Vec<(String, String)>,
    /// The program that runs ours, and its arguments.
    entry: Vec<String>,
}

/// What a finished run left.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A session that runs in the background, headless.
pub struct Live {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

/// The program. Where the tests run from a copy, as another user, nextest says where that copy has it.
pub static PROGRAM: LazyLock<String> =
    LazyLock::new(|| std::env::var("NEXTEST_BIN_EXE_bot-bottle").unwrap_or_else(|_| env!("CARGO_BIN_EXE_bot-bottle").to_owned()));

/// A bottle whose agent is a shell.
pub const SHELL: &str = "agent_provider:\n  template: command\n  command: [sh]\n";

impl Ran {
    /// Runs a program of the host to its end.
    pub fn of(command: &mut Command) -> Self {
        Self::from(&command.output().unwrap())
    }

    /// Waits for the end of one that was started.
    pub fn of_child(child: Child) -> Self {
        Self::from(&child.wait_with_output().unwrap())
    }
}

impl From<&Output> for Ran {
    fn from(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Scene {
    /// A home without manifests.
    pub fn bare() -> Self {
        let folder = tempfile::Builder::new().prefix("scene").tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("home")).unwrap();
        std::fs::create_dir_all(folder.path().join("project")).unwrap();
        Self { folder, env: Vec::new(), entry: Vec::new() }
    }

    /// An agent `a` in a bottle `b` whose agent is a shell.
    pub fn new() -> Self {
        Self::bare().bottle("b", SHELL).agent("a", "bottle: b\n", "")
    }

    pub fn bottle(self, name: &str, yaml: &str) -> Self {
        self.file(&format!("home/.bot-bottle/bottles/{name}.md"), &format!("---\n{yaml}---\n"))
    }

    pub fn agent(self, name: &str, yaml: &str, prompt: &str) -> Self {
        self.file(&format!("home/.bot-bottle/agents/{name}.md"), &format!("---\n{yaml}---\n{prompt}\n"))
    }

    pub fn file(self, path: &str, content: &str) -> Self {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// The program, in a new session without a terminal, in the project's folder, with an environment of our own.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut whole = self.entry.clone();
        whole.extend(["setsid", "--wait", PROGRAM.as_str()].map(str::to_owned));
        let mut command = Command::new(&whole[0]);
        command.args(&whole[1..]).args(args);
        self.set_up(&mut command);
        command
    }

    /// The same, with the program in other namespaces: `entry` is what runs programs there, in the folder `/`.
    pub fn within(mut self, entry: Vec<String>) -> Self {
        let project = self.path("project").to_string_lossy().into_owned();
        let there = ["sh", "-c", "cd \"$0\" && exec \"$@\"", &project].map(str::to_owned);
        self.entry = entry.into_iter().chain(there).collect();
        self
    }

    pub fn set_up(&self, command: &mut Command) {
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .current_dir(self.path("project"));
        command.envs(elsewhere::variables());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, b"")
    }

    pub fn run_with(&self, args: &[&str], stdin: &[u8]) -> Ran {
        Ran::from(&self.output(args, stdin))
    }

    pub fn output(&self, args: &[&str], stdin: &[u8]) -> Output {
        let mut command = self.command(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut input, stdin) = (child.stdin.take().unwrap(), stdin.to_vec());
        // A program that reads no more closes its end.
        let writing = std::thread::spawn(move || drop(input.write_all(&stdin)));
        let output = child.wait_with_output().unwrap();
        writing.join().unwrap();
        output
    }

    /// Runs a shell script in a new bottle, headless, to its end.
    pub fn script(&self, script: &str) -> Ran {
        self.run(&["start", "a", "--headless", "--yes", "--", "sh", "-c", script])
    }

    /// Starts a session named `s` with a script that must print `ready` as its first line, and waits for that.
    pub fn live(&self, script: &str) -> Live {
        let mut live = self.begin("s", &[], script);
        let first = live.line();
        if first != "ready" {
            panic!("the session did not start: {first:?}\n{}", live.stderr());
        }
        live
    }

    /// Starts a session with a script, and waits for nothing.
    pub fn begin(&self, label: &str, options: &[&str], script: &str) -> Live {
        // Not through setsid: the test signals this very process.
        let mut command = Command::new(PROGRAM.as_str());
        self.set_up(&mut command);
        command.args(["start", "a", "--headless", "--yes", "--label", label]).args(options).args(["--", "sh", "-c", script]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Live { child, stdin, stdout }
    }

    /// No session has left any state.
    pub fn assert_nothing_left(&self) {
        let left: Vec<_> =
            std::fs::read_dir(self.path("home/.bot-bottle/state")).into_iter().flatten().flatten().map(|e| e.path()).collect();
        assert!(left.is_empty(), "state left behind: {left:?}");
    }

    /// Text with everything that differs from run to run replaced.
    pub fn stable(&self, text: &str) -> String {
        let text = text.replace(&*self.folder.path().to_string_lossy(), "[scene]");
        let mut stable = String::new();
        for word in text.split_inclusive([' ', '\n', '"']) {
            let core = word.trim_end_matches([' ', '\n', '"']);
            match core.strip_prefix("a-").filter(|rest| rest.len() == 5) {
                Some(_) => stable.push_str(&word.replace(core, "a-[random]")),
                None => stable.push_str(word),
            }
        }
        stable
    }
}

impl Live {
    /// The agent's next line of output.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Reads what the session says until a line begins with `start`.
    pub fn until_it_says(&mut self, start: &str) {
        let mut said = BufReader::with_capacity(1, self.child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.starts_with(start) {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "it never said {start:?}");
        }
        self.child.stderr = Some(said.into_inner());
    }

    /// The session's process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Waits for the end: the exit status, and stderr.
    pub fn end(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().unwrap();
        let stderr = self.stderr();
        (status.code(), stderr)
    }

    fn stderr(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut text).unwrap();
        }
        text
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `done` until it is true. The bound only keeps a broken test from hanging.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !done() {
        assert!(start.elapsed().as_secs() < 60, "waited in vain: {what}");
        std::thread::yield_now();
    }
}

pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
