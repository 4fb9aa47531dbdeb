use std::fmt;

use policy::{Host, HostError, Shown};

/// `ssh://user@host[:port]/path`: where the git gate connects to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SshUrl {
    user: String,
    host: Host,
    port: Option<u16>,
    path: String,
}

/// Why a text is no such URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshUrlError {
    /// Another scheme, the scp form, or nothing of the kind.
    #[error("`{shown}` is not an SSH URL: write `ssh://git@git.example.org/team/service.git`", shown = Shown(.0))]
    NotSsh(String),
    /// A part that could be read as an option or a command, or is missing.
    #[error("`{shown}` is no usable SSH URL: {why}", shown = Shown(.text))]
    Part {
        /// The URL.
        text: String,
        /// What is wrong with it, and what to write.
        why: &'static str,
    },
    /// Its host is none.
    #[error("its host is wrong: {0}")]
    Host(#[from] HostError),
}

impl SshUrl {
    /// Parses a URL.
    ///
    /// # Errors
    /// When it is not `ssh://user@host[:port]/path`, or a part could be taken for an option or a command by ssh, git or a shell.
    pub fn parse(text: &str) -> Result<Self, SshUrlError> {
        let part = |why| SshUrlError::Part { text: without_password(text), why };
        let rest = text.strip_prefix("ssh://").ok_or_else(|| SshUrlError::NotSsh(without_password(text)))?;
        let (authority, path) = rest.split_once('/').ok_or_else(|| part("it names no repository after the host"))?;
        let (user, host_port) =
            authority.split_once('@').ok_or_else(|| part("it names no user; write `git@` in front of the host"))?;
        if user.contains(':') {
            return Err(part("it holds a password; keys alone are used"));
        }
        let word = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        // Threat: `-oProxyCommand=…` in place of a user or host runs a command (CVE-2017-1000117).
        if user.is_empty() || user.starts_with('-') || !user.bytes().all(word) {
            return Err(part("its user holds something other than letters, digits, `.`, `_` and `-`"));
        }
        let (host, port) = split_port(host_port).ok_or_else(|| part("its port is not a number from 1 to 65535"))?;
        Ok(Self { user: user.to_owned(), host: Host::parse(host)?, port, path: repository(path).map_err(part)? })
    }

    /// Whether `text`, which is no URL to use, has a password in it.
    pub(crate) fn holds_password(text: &str) -> bool {
        without_password(text) != text
    }

    /// The user to log in as.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The server.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port; 22 where the URL names none.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(22)
    }

    /// The repository on the server, with its leading slash.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether both lead to the same repository of the same server, whoever logs in.
    pub fn same_upstream(&self, other: &Self) -> bool {
        let bare = |url: &Self| url.path.strip_suffix(".git").unwrap_or(&url.path).to_owned();
        self.host == other.host && self.port() == other.port() && bare(self) == bare(other)
    }
}

impl fmt::Display for SshUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ssh://{}@", self.user)?;
        match &self.host {
            Host::Address(std::net::IpAddr::V6(v6)) => write!(f, "[{v6}]")?,
            Host::Address(std::net::IpAddr::V4(_)) | Host::Name(_) => write!(f, "{}", self.host)?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))?;
        f.write_str(&self.path)
    }
}

/// `None`: there is a port and it is none.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let bracket = text.rfind(']').unwrap_or(0);
    let Some(colon) = text[bracket..].rfind(':').map(|at| at + bracket) else { return Some((text, None)) };
    let digits = &text[colon + 1..];
    let port = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())??;
    (port != 0).then_some((&text[..colon], Some(port)))
}

fn repository(path: &str) -> Result<String, &'static str> {
    if path.is_empty() || path.ends_with('/') {
        return Err("it names no repository after the host");
    }
    if path.len() > 512 || !path.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/~+".contains(&b)) {
        return Err("its path holds something other than letters, digits, `/`, `.`, `_`, `-`, `~` and `+`");
    }
    if path.split('/').any(|part| matches!(part, "" | "." | "..") || part.starts_with('-')) {
        return Err("a part of its path is empty, `.`, `..` or begins with `-`");
    }
    Ok(format!("/{path}"))
}

/// The URL for an error message: a password that somebody put into it is not repeated.
fn without_password(text: &str) -> String {
    let Some((before, after)) = text.split_once('@') else { return text.to_owned() };
    let scheme = before.find("://").map_or(0, |at| at + 3);
    match before[scheme..].find(':') {
        Some(colon) => format!("{}:********@{after}", &before[..scheme + colon]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::SshUrl;

    #[test]
    fn parts() {
        let url = SshUrl::parse("ssh://git@Git.example.org:2222/team/service.git").unwrap();
        assert_eq!(
            (url.user(), url.host().to_string().as_str(), url.port(), url.path()),
            ("git", "git.example.org", 2222, "/team/service.git")
        );
        assert_eq!(url.to_string(), "ssh://git@git.example.org:2222/team/service.git");
        for same in ["ssh://git@[2001:db8::1]:22/a", "ssh://git@192.0.2.1/~me/a"] {
            assert_eq!(SshUrl::parse(same).unwrap().to_string(), same);
        }
    }

    #[test]
    fn one_upstream_has_many_spellings() {
        let url = |text| SshUrl::parse(text).unwrap();
        assert!(url("ssh://git@h.example/t/s.git").same_upstream(&url("ssh://me@H.EXAMPLE:22/t/s")));
        assert!(!url("ssh://git@h.example/t/s").same_upstream(&url("ssh://git@h.example:23/t/s")));
    }

    #[test]
    fn commands_options_and_other_transports_are_refused() {
        for bad in [
            "",
            "git@host.example:team/x.git",
            "https://host.example/x",
            "file:///etc",
            "ext::sh -c id",
            "ssh://host.example/x",
            "ssh://git@host.example",
            "ssh://git@host.example/",
            "ssh://git@-oProxyCommand=id/x",
            "ssh://-oProxyCommand=id@host.example/x",
            "ssh://git@host.example/--upload-pack=id",
            "ssh://git@host.example/a/../b",
            "ssh://git@host.example//a",
            "ssh://git@host.example/a;id",
            "ssh://git@host.example/a'b",
            "ssh://git@host.example/a\nb",
            "ssh://git@host.example:0/a",
            "ssh://git@host.example:70000/a",
            "ssh://git@host.example:+22/a",
        ] {
            assert!(SshUrl::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_password_is_not_repeated() {
        for text in ["ssh://git:canary@host.example/x", "https://me:canary@host.example/x"] {
            assert!(!format!("{0} {0:?}", SshUrl::parse(text).unwrap_err()).contains("canary"));
        }
    }
}
