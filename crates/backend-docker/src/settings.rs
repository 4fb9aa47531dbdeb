use std::ffi::OsString;
use std::path::PathBuf;

/// What the person's environment says about the engine. Read by the command line, as everything of the environment is.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `DOCKER_HOST`
    pub host: Option<OsString>,
    /// `DOCKER_CONTEXT`
    pub context: Option<OsString>,
    /// `DOCKER_CONFIG`, or `.docker` in the home.
    pub config: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`, where rootless engines have their sockets.
    pub run: Option<PathBuf>,
    /// Where the backend keeps what containers are shown: the programs they run, and a socket for each bottle.
    pub folder: PathBuf,
    /// Which runtime runs bottles.
    pub runtime: Runtime,
    /// The image of a bottle that names none.
    pub image: Option<String>,
    /// How images are built.
    pub build: BuildSettings,
}

/// What the person says about builds of images.
#[derive(Debug, Clone, Default)]
pub struct BuildSettings {
    /// The image that the project's own Dockerfiles begin with, instead of theirs.
    pub base: Option<String>,
    /// `docker build --network`
    pub network: Option<String>,
}

/// Which of the engine's runtimes runs bottles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Runtime {
    /// gVisor where the engine knows it, otherwise the engine's default.
    #[default]
    Best,
    /// The person's choice.
    Named(String),
}
