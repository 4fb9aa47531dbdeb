use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use shown::Shown;

/// An absolute path inside a bottle: no `..`, no `.`, no NUL, no empty part; every part at most 255 bytes, the whole at most
/// 4095 (`path_resolution(7)`). It says nothing of whether something stands there, and never names a place on the host.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuestPath(PathBuf);

/// Why a path cannot name a place in a bottle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad path in the bottle {path:?}: {reason}")]
pub struct GuestPathError {
    /// The path as it was given.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl GuestPath {
    /// Parses an absolute path.
    ///
    /// # Errors
    /// When it is relative, holds `..` or NUL, or is too long.
    pub fn parse(path: impl AsRef<Path>) -> Result<Self, GuestPathError> {
        let path = path.as_ref();
        let bad = |reason| Err(GuestPathError { path: path.to_owned(), reason });
        if !path.is_absolute() {
            return bad("it must begin with '/'");
        }
        match Self(PathBuf::from("/")).join(path.strip_prefix("/").unwrap_or(path)) {
            Ok(parsed) => Ok(parsed),
            Err(error) => bad(error.reason),
        }
    }

    /// This path with `relative` below it.
    ///
    /// # Errors
    /// As [`GuestPath::parse`]; an absolute `relative` is refused too.
    pub fn join(&self, relative: impl AsRef<Path>) -> Result<Self, GuestPathError> {
        let relative = relative.as_ref();
        let bad = |reason| GuestPathError { path: relative.to_owned(), reason };
        let mut path = self.0.clone();
        for part in relative.components() {
            match part {
                Component::Normal(part) => {
                    check_part(part).map_err(bad)?;
                    path.push(part);
                }
                Component::CurDir => {}
                Component::ParentDir => return Err(bad("'..' is not allowed in it")),
                Component::RootDir | Component::Prefix(_) => return Err(bad("it must be relative here")),
            }
        }
        if path.as_os_str().len() > 4095 {
            return Err(bad("it is longer than 4095 bytes"));
        }
        Ok(Self(path))
    }

    /// The path, to hand to the kernel inside the bottle.
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// The folder it stands in; `None` for `/`.
    pub fn parent(&self) -> Option<Self> {
        self.0.parent().map(|parent| Self(parent.to_owned()))
    }

    /// Its last part; `None` for `/`.
    pub fn file_name(&self) -> Option<&OsStr> {
        self.0.file_name()
    }
}

fn check_part(part: &OsStr) -> Result<(), &'static str> {
    if part.as_bytes().contains(&0) {
        return Err("it holds a NUL byte");
    }
    if part.len() > 255 {
        return Err("a part of it is longer than 255 bytes");
    }
    Ok(())
}

impl fmt::Display for GuestPath {
    /// Control characters are shown escaped, so that a name cannot steer the person's terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown::path(&self.0).fmt(f)
    }
}

impl fmt::Debug for GuestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::GuestPath;

    #[test]
    fn normalises_and_refuses() {
        assert_eq!(GuestPath::parse("//home/./node//x/").unwrap().as_path().to_str(), Some("/home/node/x"));
        for bad in ["", "home", "/a/../b", "/..", "/a\0b"] {
            assert!(GuestPath::parse(bad).is_err(), "{bad:?}");
        }
        assert!(GuestPath::parse(format!("/{}", "x".repeat(255))).is_ok());
        assert!(GuestPath::parse(format!("/{}", "x".repeat(256))).is_err());
        assert!(GuestPath::parse("/a").unwrap().join("/etc").is_err());
        assert!(GuestPath::parse("/a").unwrap().join("../etc").is_err());
    }

    #[test]
    fn shows_control_characters_escaped() {
        assert_eq!(GuestPath::parse("/a\x1b]0;x\n").unwrap().to_string(), "/a\\u{1b}]0;x\\n");
    }
}
