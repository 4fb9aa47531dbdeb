use std::fs;
use std::path::{Path, PathBuf};

use manifest::{Catalogue, Places, ResolveError, Resolved, Style};
use tempfile::TempDir;

/// A home folder and a repository with manifests in them.
pub struct Scene {
    folder: TempDir,
}

impl Scene {
    pub fn new() -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(scene.home()).unwrap();
        scene
    }

    /// A bottle with this front matter.
    pub fn bottle(self, name: &str, yaml: &str) -> Self {
        self.file(&format!("home/bottles/{name}.md"), format!("---\n{yaml}\n---\nnotes\n"))
    }

    /// An agent of the person with this front matter.
    pub fn agent(self, name: &str, yaml: &str) -> Self {
        self.file(&format!("home/agents/{name}.md"), format!("---\n{yaml}\n---\nprompt of {name}\n"))
    }

    /// An agent of the repository with this front matter.
    pub fn repository_agent(self, name: &str, yaml: &str) -> Self {
        self.file(&format!("work/.bot-bottle/agents/{name}.md"), format!("---\n{yaml}\n---\nprompt of the repository's {name}\n"))
    }

    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let file = self.path(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
        self
    }

    pub fn link(self, path: &str, target: impl AsRef<Path>) -> Self {
        let link = self.path(path);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, link).unwrap();
        self
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    pub fn places(&self) -> Places {
        let repository = self.path("work/.bot-bottle");
        Places { home: self.home(), repository: repository.symlink_metadata().is_ok().then_some(repository) }
    }

    pub fn open(&self) -> Catalogue {
        Catalogue::open(&self.places()).unwrap()
    }

    pub fn resolve(&self, agent: &str) -> Resolved {
        self.try_resolve(agent, &[]).unwrap_or_else(|error| panic!("{}", error.render(Style::Plain)))
    }

    pub fn resolve_in(&self, agent: &str, bottles: &[&str]) -> Resolved {
        self.try_resolve(agent, bottles).unwrap_or_else(|error| panic!("{}", error.render(Style::Plain)))
    }

    pub fn try_resolve(&self, agent: &str, bottles: &[&str]) -> Result<Resolved, ResolveError> {
        self.open().resolve(agent, &bottles.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    /// What a person sees when the agent cannot be launched.
    pub fn problems(&self, agent: &str) -> String {
        self.problems_in(agent, &[])
    }

    pub fn problems_in(&self, agent: &str, bottles: &[&str]) -> String {
        let error = self.try_resolve(agent, bottles).expect_err("a broken manifest");
        self.plain(&error.render(Style::Plain))
    }

    pub fn notes(&self) -> Vec<String> {
        self.open().notes().iter().map(|note| self.plain(&note.to_string())).collect()
    }

    fn plain(&self, text: &str) -> String {
        text.replace(self.folder.path().to_str().unwrap(), "")
    }
}

/// What a person sees when `yaml` is the front matter of the one bottle.
pub fn bottle_problems(yaml: &str) -> String {
    Scene::new().bottle("b", yaml).agent("a", "bottle: b").problems("a")
}

/// The bottle that `yaml` alone makes.
pub fn bottle(yaml: &str) -> manifest::Bottle {
    Scene::new().bottle("b", yaml).agent("a", "bottle: b").resolve("a").bottle
}
