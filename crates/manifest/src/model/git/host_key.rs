use std::fmt;

use policy::Shown;

/// A server's public host key as it stands in `known_hosts` after the name: `type base64` (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostKey {
    kind: String,
    key: String,
}

/// Why a text is no host key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a host key: {why}; `ssh-keyscan HOST` prints it as `ssh-ed25519 AAAA…` after the host's name", shown = Shown(.text))]
pub struct HostKeyError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl HostKey {
    const KINDS: [&str; 7] = [
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "ssh-rsa",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    ];

    /// Parses a key.
    ///
    /// # Errors
    /// When it is not a known type and base64, separated by a space.
    pub fn parse(text: &str) -> Result<Self, HostKeyError> {
        let error = |why| HostKeyError { text: text.to_owned(), why };
        let (kind, key) = text.split_once(' ').ok_or_else(|| error("it is not two words"))?;
        if !Self::KINDS.contains(&kind) {
            return Err(error("its type is not one that OpenSSH knows"));
        }
        let body = key.trim_end_matches('=');
        let base64 = body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
        // A key begins with the length of its type as a 32-bit number (RFC 4253 §6.6), whose zero bytes are `AAAA` in base64.
        if !base64 || key.len() - body.len() > 2 || !key.starts_with("AAAA") || key.len() < 16 || key.len() > 8192 {
            return Err(error("its second word is not a key in base64"));
        }
        Ok(Self { kind: kind.to_owned(), key: key.to_owned() })
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::HostKey;

    #[test]
    fn a_type_and_a_key() {
        let text = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
        assert_eq!(HostKey::parse(text).unwrap().to_string(), text);
        for bad in [
            "",
            "ssh-ed25519",
            "ssh-ed25519 x",
            "dsa AAAAC3NzaC1lZDI1NTE5",
            "ssh-rsa AAAAB3NzaC1yc2E comment",
            "* ssh-rsa AAAAB3NzaC1yc2EAAAA",
            "ssh-rsa AAAAB3NzaC1yc2E\nAAAA",
        ] {
            assert!(HostKey::parse(bad).is_err(), "{bad:?}");
        }
    }
}
