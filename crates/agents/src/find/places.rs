//! Where installers and version managers put programs: data, and the few lines that match it.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

/// Folders of the system that every bottle has anyway.
const SYSTEM: &[&str] = &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix"];

/// Install folders below the home, first match first. `*` is one part, `PKG` is `NAME` or `@SCOPE/NAME` (npm).
const IN_HOME: &[&str] = &[
    // Claude's and Codex's own installers
    ".local/share/claude/versions/*",
    ".claude/local/node_modules",
    ".codex/packages/standalone/releases/*",
    // Node
    ".nvm/versions/node/*",
    ".config/nvm/versions/node/*",
    ".local/share/fnm/node-versions/*",
    ".fnm/node-versions/*",
    ".volta/tools/image/packages/PKG",
    ".volta/tools/image/*/*",
    ".nodenv/versions/*",
    ".bun/install/global",
    ".local/share/pnpm",
    ".config/yarn/global",
    // many languages
    ".asdf/installs/*/*",
    ".local/share/mise/installs/*/*",
    ".proto/tools/*/*",
    ".sdkman/candidates/*/*",
    // Python
    ".pyenv/versions/*",
    ".local/share/pipx/venvs/*",
    ".local/pipx/venvs/*",
    ".local/share/uv/tools/*",
    ".local/share/uv/python/*",
    "miniconda3",
    "miniforge3",
    "mambaforge",
    "anaconda3",
    // others
    ".rbenv/versions/*",
    ".goenv/versions/*",
    ".rustup/toolchains/*",
];

/// Install folders elsewhere.
const ELSEWHERE: &[&str] = &["/home/linuxbrew/.linuxbrew"];

/// Folders of scripts that look for their package beside themselves.
const OWN_FOLDER: &[&str] = &[".local/share/pnpm"];

/// Files that mark the folder of a package.
const MARKS: &[&str] = &["package.json", "pyvenv.cfg"];

/// A folder in which a version manager puts stand-ins for programs.
pub(super) struct ShimFolder {
    /// Below the home.
    pub folder: &'static str,
    /// Where the programs behind them stand, below the home; `NAME` is the program's.
    pub programs: &'static [&'static str],
    /// Files below the home that name the versions the person has chosen.
    pub pins: &'static [&'static str],
    /// Whether programs that stand for themselves lie there too.
    pub mixed: bool,
}

pub(super) const SHIM_FOLDERS: &[ShimFolder] = &[
    // rustup's stand-ins among what `cargo install` puts there
    ShimFolder {
        folder: ".cargo/bin",
        programs: &[".rustup/toolchains/*/bin/NAME"],
        pins: &[".rustup/settings.toml"],
        mixed: true,
    },
    ShimFolder {
        folder: ".volta/bin",
        programs: &[
            ".volta/tools/image/packages/PKG/bin/NAME",
            ".volta/tools/image/node/*/bin/NAME",
            ".volta/tools/image/*/*/bin/NAME",
        ],
        pins: &[".volta/tools/user/platform.json"],
        mixed: false,
    },
    ShimFolder { folder: ".asdf/shims", programs: &[".asdf/installs/*/*/bin/NAME"], pins: &[".tool-versions"], mixed: false },
    ShimFolder {
        folder: ".local/share/mise/shims",
        programs: &[".local/share/mise/installs/*/*/bin/NAME", ".local/share/mise/installs/*/*/NAME"],
        pins: &[".config/mise/config.toml", ".tool-versions"],
        mixed: false,
    },
    ShimFolder { folder: ".pyenv/shims", programs: &[".pyenv/versions/*/bin/NAME"], pins: &[".pyenv/version"], mixed: false },
    ShimFolder { folder: ".nodenv/shims", programs: &[".nodenv/versions/*/bin/NAME"], pins: &[".nodenv/version"], mixed: false },
    ShimFolder { folder: ".rbenv/shims", programs: &[".rbenv/versions/*/bin/NAME"], pins: &[".rbenv/version"], mixed: false },
    ShimFolder { folder: ".goenv/shims", programs: &[".goenv/versions/*/bin/NAME"], pins: &[".goenv/version"], mixed: false },
];

/// Whether a canonical path lies in a folder of the system that every bottle has.
pub fn is_system(path: &Path) -> bool {
    SYSTEM.iter().any(|folder| path.starts_with(folder))
}

/// What has to be visible for the program at a canonical path outside the system: its install folder, its package's
/// folder, or the file alone.
pub(super) fn install_root(real: &Path, home: &Path) -> PathBuf {
    let in_home = real.strip_prefix(home).ok();
    let by_rule = in_home.and_then(|below| IN_HOME.iter().find_map(|rule| prefix(below, rule)).map(|root| home.join(root)));
    let elsewhere = || ELSEWHERE.iter().map(PathBuf::from).find(|folder| real.starts_with(folder));
    by_rule.or_else(elsewhere).or_else(|| node_package(real)).or_else(|| marked(real, home)).unwrap_or_else(|| real.to_owned())
}

/// The folder to put on `PATH` for a script that looks for its package beside itself.
pub(super) fn runs_from_its_own_folder(program: &Path, home: &Path) -> Option<PathBuf> {
    let folder = program.parent()?;
    OWN_FOLDER.iter().any(|own| folder == home.join(own)).then(|| folder.to_owned())
}

/// The leading parts of `path` that match `rule` whole.
fn prefix(path: &Path, rule: &str) -> Option<PathBuf> {
    let mut parts = path.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part),
        Component::RootDir | Component::CurDir | Component::ParentDir | Component::Prefix(_) => None,
    });
    let mut matched = PathBuf::new();
    for wanted in rule.split('/') {
        let part = parts.next()?;
        matched.push(part);
        match wanted {
            "*" => {}
            "PKG" if is_scope(part) => matched.push(parts.next()?),
            "PKG" => {}
            exact if part == exact => {}
            _other => return None,
        }
    }
    Some(matched)
}

fn is_scope(part: &OsStr) -> bool {
    part.as_encoded_bytes().starts_with(b"@")
}

/// `…/lib/node_modules/PKG` of a global install, which has its dependencies inside; the whole of any other `node_modules`,
/// where packages lie side by side.
fn node_package(real: &Path) -> Option<PathBuf> {
    let modules = real.ancestors().filter(|folder| folder.file_name() == Some(OsStr::new("node_modules"))).last()?;
    if modules.parent().and_then(Path::file_name) != Some(OsStr::new("lib")) {
        return Some(modules.to_owned());
    }
    prefix(real.strip_prefix(modules).ok()?, "PKG").map(|package| modules.join(package))
}

/// The nearest folder above that is marked as a package; never the home or anything above it.
fn marked(real: &Path, home: &Path) -> Option<PathBuf> {
    let above = real.ancestors().skip(1).take(3).take_while(|folder| !home.starts_with(folder));
    above.into_iter().find(|folder| MARKS.iter().any(|mark| folder.join(mark).is_file())).map(Path::to_owned)
}
