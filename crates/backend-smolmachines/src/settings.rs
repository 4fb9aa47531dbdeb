use std::ffi::OsString;
use std::path::PathBuf;

/// What the person's machine and environment say. Read by the command line, as everything of the environment is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program: a path, or a name to be found on `PATH`.
    pub program: PathBuf,
    /// All that the program gets to see of the environment: machines live on with it.
    pub environment: Vec<(OsString, OsString)>,
    /// The device of the kernel's that machines run on; Linux alone has one.
    pub device: PathBuf,
    /// Where the backend keeps images that an engine gave.
    pub folder: PathBuf,
    /// Where each bottle has a folder with its sockets. Started by root, smolvm gives each machine a user of its own, who must get there.
    pub sites: PathBuf,
    /// The image of a bottle that names none: an archive or a folder.
    pub image: Option<PathBuf>,
}
