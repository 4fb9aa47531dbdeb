//! An engine of a test's own, which can be stopped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use backend_docker::{DockerBackend, Runtime, Settings};
use rustix::process::{Pid, Signal, kill_process};

use crate::engine::variable;

/// Runs until it is stopped, at the latest when it is dropped. Its data stays as long as this.
pub struct OwnEngine {
    folder: tempfile::TempDir,
    /// Where its data is, when that is no part of the folder.
    data: Option<PathBuf>,
    configuration: PathBuf,
    image: String,
    child: Child,
}

impl OwnEngine {
    /// With the tests' image, on a file system of so many bytes of its own where that is said. `None`, and a reason, without the tests'
    /// engine, whose runtimes it has.
    pub fn start(room: Option<u64>) -> Option<Self> {
        let (Some(tests), Some(image)) = (variable("BOT_BOTTLE_TEST_DOCKER"), variable("BOT_BOTTLE_TEST_IMAGE")) else {
            testkit::require("docker", "there is no engine for tests");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("engine").tempdir_in("/tmp").unwrap();
        let data = room.map(|room| small_file_system(&folder.path().join("data"), room));
        let configuration = Path::new(tests.trim_start_matches("unix://")).with_file_name("daemon.json");
        let child = dockerd(folder.path(), &configuration);
        let mut engine = Self { folder, data, configuration, image, child };
        engine.wait_until_it_answers();
        let load = format!("docker -H {tests} save {} | docker -H {} load", engine.image, engine.address());
        assert!(Command::new("sh").args(["-c", &load]).stdout(Stdio::null()).status().unwrap().success());
        Some(engine)
    }

    /// A backend that knows nothing of what others have made.
    pub fn backend(&self, runtime: &str) -> DockerBackend {
        DockerBackend::new(Settings {
            host: Some(self.address().into()),
            folder: self.folder.path().join("bottles"),
            runtime: Runtime::Named(runtime.to_owned()),
            image: Some(self.image.clone()),
            ..Settings::default()
        })
    }

    /// Those of the two runtimes that it has.
    pub fn runtimes(&self) -> Vec<&'static str> {
        let known = self.docker(&["info", "--format", "{{json .Runtimes}}"]);
        let runtimes: Vec<_> = ["runc", "runsc"].into_iter().filter(|name| known.contains(&format!("\"{name}\""))).collect();
        if runtimes.len() < 2 {
            testkit::require("gvisor", "the tests' engine does not know runsc");
        }
        runtimes
    }

    /// What it says.
    pub fn docker(&self, arguments: &[&str]) -> String {
        let output = Command::new("docker").args(["-H", &self.address()]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Its containers, running or not.
    pub fn containers(&self) -> Vec<String> {
        self.docker(&["ps", "--all", "--quiet", "--no-trunc"]).lines().map(str::to_owned).collect()
    }

    /// Ends it, and the containerd that it has started, as a service manager would.
    pub fn stop(&mut self, signal: Signal) {
        let noted = self.folder.path().join("exec/containerd/containerd.pid");
        let containerd = std::fs::read_to_string(&noted).ok().and_then(|text| Pid::from_raw(text.trim().parse().ok()?));
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap();
        if let Some(containerd) = containerd {
            // Gone already, as a rule.
            let _ = kill_process(containerd, Signal::KILL);
            let _ = std::fs::remove_file(noted);
        }
    }

    /// Starts it again, with what it had.
    pub fn start_again(&mut self) {
        self.child = dockerd(self.folder.path(), &self.configuration);
        self.wait_until_it_answers();
    }

    fn address(&self) -> String {
        format!("unix://{}", self.folder.path().join("docker.sock").display())
    }

    fn wait_until_it_answers(&mut self) {
        let address = self.address();
        while !Command::new("docker").args(["-H", &address, "version"]).output().unwrap().status.success() {
            let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap();
            assert!(self.child.try_wait().unwrap().is_none(), "{}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.stop(Signal::TERM);
        }
        if let Some(data) = &self.data {
            let _ = Command::new("umount").args(["--lazy", "--recursive"]).arg(data).status();
        }
    }
}

/// Nothing of the host's network is touched, as by `checks/docker.sh`.
fn dockerd(folder: &Path, configuration: &Path) -> Child {
    let at = |name: &str| folder.join(name).display().to_string();
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let mut command = Command::new("dockerd");
    command.arg("--config-file").arg(configuration);
    command.args(["--data-root", &at("data"), "--exec-root", &at("exec"), "--pidfile", &at("pid")]);
    command.args(["--host", &format!("unix://{}", at("docker.sock"))]);
    command.args(["--iptables=false", "--ip6tables=false", "--bridge=none", "--ip-forward=false", "--ip-masq=false"]);
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

fn small_file_system(at: &Path, room: u64) -> PathBuf {
    std::fs::create_dir(at).unwrap();
    let made = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={room}"), "none"]).arg(at).status().unwrap();
    assert!(made.success());
    at.to_owned()
}
