/// What a backend can do on this machine: plain data, so that nothing above a backend asks which one it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// What stands between the agent and the host.
    pub boundary: Boundary,
    /// Whether `root` and `node` are two different users to the host's kernel.
    pub users: Users,
    /// Whether programs that ignore proxy variables arrive at the outlet too.
    pub transparent: bool,
    /// How a copy replaces a folder.
    pub replacing: Replacing,
    /// What a program's terminal does for it.
    pub terminals: Terminals,
    /// Which limits can be enforced.
    pub limits: LimitSupport,
    /// What a bottle's file system can be made from.
    pub images: ImageSupport,
    /// The most that can be written in a bottle without `limits.disk`, in bytes; `None` when the backend cannot tell.
    pub room: Option<u64>,
    /// Facts worth telling the person at preflight, such as `Landlock: not in this kernel`.
    pub remarks: Vec<String>,
}

/// What stands between the agent and the host's kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// Nothing: an in-memory fake, for tests alone.
    None,
    /// The host's kernel with namespaces, a seccomp filter and no capabilities.
    Namespaces,
    /// A kernel in user space (gVisor).
    UserSpaceKernel,
    /// A virtual machine of its own.
    VirtualMachine,
}

/// How a copy puts a folder in the place of another. What is not whole is never seen, and a file is replaced at once on every backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacing {
    /// Whoever looks sees the old one or the new one.
    AtOnce,
    /// For a moment neither is there: the bottle's kernel cannot exchange two folders.
    WithAGap,
}

/// What a program's terminal does for it. Raw mode, keys that are signals, sizes and hanging up are the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terminals {
    /// All that `termios(3)` says.
    Whole,
    /// Lines are not edited and have no end of file: a program that leaves them to its terminal reads Backspace and Ctrl-D as bytes.
    WithoutLines,
}

/// How many users a bottle really has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Users {
    /// `root` and `node` cannot touch each other's files.
    Separate,
    /// Only one host id could be mapped: root's files are node's too.
    Shared,
}

/// Which limits can be enforced; for the others, why not and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSupport {
    /// `limits.memory`
    pub memory: Result<(), String>,
    /// `limits.cpus`
    pub cpus: Result<(), String>,
    /// `limits.pids`
    pub pids: Result<(), String>,
    /// `limits.disk`
    pub disk: Result<(), String>,
}

impl LimitSupport {
    /// Everything can be enforced.
    pub fn all() -> Self {
        Self { memory: Ok(()), cpus: Ok(()), pids: Ok(()), disk: Ok(()) }
    }

    /// The limits in `wanted` that cannot be enforced, each as `(name, why)`.
    pub fn refusals(&self, wanted: &crate::Limits) -> Vec<(&'static str, String)> {
        let asked = [
            ("memory", wanted.memory.is_some(), &self.memory),
            ("cpus", wanted.cpus.is_some(), &self.cpus),
            ("pids", wanted.pids.is_some(), &self.pids),
            ("disk", wanted.disk.is_some(), &self.disk),
        ];
        let refused = asked.into_iter().filter(|(_, wanted, _)| *wanted);
        refused.filter_map(|(name, _, support)| support.clone().err().map(|why| (name, why))).collect()
    }
}

/// What a bottle's file system can be made from; for the others, why not and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSupport {
    /// [`crate::RootFs::Default`]
    pub default: Result<(), String>,
    /// [`crate::RootFs::Folder`]
    pub folder: Result<(), String>,
    /// [`crate::RootFs::Archive`]
    pub archive: Result<(), String>,
    /// [`crate::RootFs::Image`], the name of an image that an engine knows.
    pub engine: Result<(), String>,
    /// [`crate::RootFs::Build`]
    pub build: Result<(), String>,
}

impl ImageSupport {
    /// Everything can be taken.
    pub fn all() -> Self {
        Self { default: Ok(()), folder: Ok(()), archive: Ok(()), engine: Ok(()), build: Ok(()) }
    }

    /// Why `wanted` cannot be taken; `None` when it can.
    pub fn refusal(&self, wanted: &crate::RootFs) -> Option<String> {
        let support = match wanted {
            crate::RootFs::Default => &self.default,
            crate::RootFs::Folder(_) => &self.folder,
            crate::RootFs::Archive(_) => &self.archive,
            crate::RootFs::Image(_) => &self.engine,
            crate::RootFs::Build(_) => &self.build,
        };
        support.clone().err()
    }
}
