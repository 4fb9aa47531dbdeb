//! The environment of a program in a bottle, the same on every backend: ours, then the caller's. Nothing of the host's.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::{Exec, User};

/// Folders of programs that every bottle has; what provisioning adds comes first.
const PATH: &str = "/opt/bot-bottle/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Where the outlet's explicit proxy listens in every bottle.
const PROXY: &str = "http://127.0.0.1:3128";

/// `NAME=value` for each variable, each name once: what a backend hands to the kernel.
pub fn environment(exec: &Exec) -> Vec<Vec<u8>> {
    let mut all: Vec<(&[u8], &[u8])> =
        defaults(exec.user).into_iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    for (name, value) in &exec.env {
        let name = OsStr::as_bytes(name);
        all.retain(|(known, _)| *known != name);
        all.push((name, value.reveal()));
    }
    all.into_iter().map(|(name, value)| [name, b"=", value].concat()).collect()
}

fn defaults(user: User) -> Vec<(&'static str, &'static str)> {
    let mut all = vec![
        ("HOME", user.home()),
        ("USER", user.name()),
        ("LOGNAME", user.name()),
        ("SHELL", "/bin/sh"),
        ("PATH", PATH),
        ("LANG", "C.UTF-8"),
    ];
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        all.push((name, PROXY));
    }
    // The bottle's own services are no business of the outlet.
    for name in ["NO_PROXY", "no_proxy"] {
        all.push((name, "localhost,127.0.0.1,::1"));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_value_wins_and_stands_once() {
        let env = environment(&Exec::new("x").env("HOME", "/tmp").env("A", "1").env("A", "2"));
        let count = |start: &[u8]| env.iter().filter(|entry| entry.starts_with(start)).count();
        assert!(env.contains(&b"HOME=/tmp".to_vec()) && env.contains(&b"A=2".to_vec()));
        assert_eq!((count(b"HOME="), count(b"A="), count(b"USER=")), (1, 1, 1));
    }
}
