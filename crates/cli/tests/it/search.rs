use serde::Deserialize;

use crate::elsewhere;
use crate::scene::Scene;
use crate::traces::processes_below;

const SCRIPT: &str = include_str!("search.py");

/// What a search has seen (`search.py`).
#[derive(Debug, Deserialize)]
pub struct Search {
    pub found: Vec<Found>,
    /// What whoever searched may not look into.
    pub closed: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct Found {
    /// Which of the texts.
    pub text: usize,
    pub form: String,
    /// `file`, `environ`, `memory`, …
    pub place: String,
    #[serde(rename = "where")]
    pub at: String,
}

impl Search {
    /// In a session's bottle: what `user` may read of all processes, and below some folders.
    pub fn inside(scene: &Scene, session: &str, user: &str, folders: &[&str], since: u64, texts: &[&str]) -> Self {
        let args = arguments(folders, "all", since, texts);
        let exec = ["exec", session, "--user", user, "--", "/usr/bin/python3", "-"].map(str::to_owned);
        let args: Vec<String> = exec.into_iter().chain(args).collect();
        let ran = scene.run_with(&args.iter().map(String::as_str).collect::<Vec<_>>(), SCRIPT.as_bytes());
        assert_eq!(ran.code, 0, "{ran:?}");
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// The processes of the bottle of this session (its process), as the person who owns them sees them from outside. They are
    /// found because this test's process has become their reaper (`PR_SET_CHILD_SUBREAPER(2const)`), or by their containers.
    pub fn outside(session: u32, bottle: &str, texts: &[&str]) -> Self {
        let processes = processes_below(std::process::id()).into_keys().filter(|id| u32::try_from(*id) != Ok(session));
        let mut processes: Vec<String> = processes.map(|id| id.to_string()).collect();
        processes.extend(elsewhere::processes_in(&elsewhere::containers(bottle)));
        let args = arguments(&[], &processes.join(":"), 0, texts);
        let output = std::process::Command::new("/usr/bin/python3").args(["-c", SCRIPT]).args(args).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    #[track_caller]
    pub fn assert_found(&self, text: usize, place: &str, form: &str) {
        let mut found = self.found.iter().filter(|found| found.text == text);
        assert!(found.any(|found| (found.place.as_str(), found.form.as_str()) == (place, form)), "{self:#?}");
    }

    /// What was closed to another user's search and is to this one too, but for the host's own system.
    pub fn still_closed(&self, other: &Self) -> Vec<&str> {
        // An image brings files of users that the bottle's root cannot read.
        let of_an_image = (!elsewhere::is_native()).then_some("/var/");
        let is_system =
            |path: &str| ["/usr/", "/opt/", "/etc/"].into_iter().chain(of_an_image).any(|folder| path.starts_with(folder));
        let both = self.closed.iter().filter(|path| path.starts_with('/') && other.closed.contains(path));
        both.map(String::as_str).filter(|path| !is_system(path)).collect()
    }

    /// Where text number `text` was found, as `place: where`.
    pub fn places(&self, text: usize) -> Vec<String> {
        self.found
            .iter()
            .filter(|found| found.text == text)
            .map(|found| format!("{}: {} ({})", found.place, found.at, found.form))
            .collect()
    }
}

/// Texts are handed over backwards: no process but the one that searches holds them.
fn arguments(folders: &[&str], processes: &str, since: u64, texts: &[&str]) -> Vec<String> {
    let backwards = texts.iter().map(|text| text.chars().rev().collect());
    [folders.join(":"), processes.to_owned(), since.to_string()].into_iter().chain(backwards).collect()
}
