use std::fmt;

/// What was wrong. Codes are stable: programs match on them, and `docs/reference/refusals.md` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// No rule names the host.
    HostNotAllowed,
    /// A rule names the host, not this port.
    PortNotAllowed,
    /// A rule names the host, not this path, method or header.
    RequestNotAllowed,
    /// The path means different things to different servers.
    AmbiguousPath,
    /// A credential would travel unprotected.
    PlaintextCredential,
    /// The places that name the host disagree, or hide it.
    Authority,
    /// The message is framed so that two readers could read two messages.
    BadRequest,
    /// Neither TLS nor HTTP.
    Protocol,
    /// A change of protocol that is not offered.
    Upgrade,
    /// The host's address is private, and no rule allows that.
    PrivateAddress,
    /// An address that nobody was given a name for.
    Address,
    /// The name could not be looked up.
    Name,
    /// A credential of somebody else's.
    ForeignCredential,
    /// The rule's own credential is not there.
    NoCredential,
    /// A git push that goes round the git gate.
    GitPush,
    /// More than a limit allows.
    TooLarge,
    /// Too much at once.
    Busy,
    /// What would pass could not be recorded.
    Unrecorded,
    /// No connection to the host.
    UpstreamUnreachable,
    /// The host's certificate is not good.
    UpstreamCertificate,
    /// The host does not speak HTTP as it should.
    UpstreamProtocol,
}

/// What is written about a code: as it stands in `X-Bottle-Refusal`, what it says, and what to do.
struct Text {
    code: &'static str,
    summary: &'static str,
    mend: &'static str,
}

impl Code {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 21] = [
        Self::HostNotAllowed,
        Self::PortNotAllowed,
        Self::RequestNotAllowed,
        Self::AmbiguousPath,
        Self::PlaintextCredential,
        Self::Authority,
        Self::BadRequest,
        Self::Protocol,
        Self::Upgrade,
        Self::PrivateAddress,
        Self::Address,
        Self::Name,
        Self::ForeignCredential,
        Self::NoCredential,
        Self::GitPush,
        Self::TooLarge,
        Self::Busy,
        Self::Unrecorded,
        Self::UpstreamUnreachable,
        Self::UpstreamCertificate,
        Self::UpstreamProtocol,
    ];

    /// As it stands in `X-Bottle-Refusal` and in the audit.
    pub fn as_str(self) -> &'static str {
        self.text().code
    }

    /// The code with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// What it says, in one sentence.
    pub fn summary(self) -> &'static str {
        self.text().summary
    }

    /// What to do about it, in one sentence.
    pub fn mend(self) -> &'static str {
        self.text().mend
    }

    fn text(self) -> Text {
        let text = |code, summary, mend| Text { code, summary, mend };
        match self {
            Self::HostNotAllowed => text(
                "egress.host",
                "no route of the bottle is for this host",
                "add a route to a bottle in `~/.bot-bottle/bottles/`; trying again, or another way, changes nothing",
            ),
            Self::PortNotAllowed => text(
                "egress.port",
                "a route is for this host, not for this port",
                "use 443 (TLS) or 80, or name the port in the route's `ports`",
            ),
            Self::RequestNotAllowed => text(
                "egress.request",
                "a route is for this host, and none of its `matches` is for this method, path and these headers",
                "ask only for what the route allows, or add an entry to its `matches`",
            ),
            Self::AmbiguousPath => text(
                "egress.path",
                "servers could read the path in different ways, and not every reading is allowed",
                "send the path in its plain form: nothing encoded that need not be, no `..`, no `//`, no backslash",
            ),
            Self::PlaintextCredential => {
                text("egress.plaintext", "the route puts a credential in, and the request came without TLS", "use `https://`")
            }
            Self::Authority => text(
                "egress.authority",
                "CONNECT, the TLS server name and `Host` or `:authority` name different hosts, or the name is missing or encrypted",
                "send one name everywhere, with a TLS server name and without encrypted client hello",
            ),
            Self::BadRequest => text(
                "egress.malformed",
                "the message is framed so that two servers could read two different messages",
                "use an ordinary HTTP client; one length, no folded lines, no control characters",
            ),
            Self::Protocol => text(
                "egress.protocol",
                "what was sent is neither TLS nor HTTP",
                "use HTTP or HTTPS; git goes through the bottle's git gate",
            ),
            Self::Upgrade => text(
                "egress.upgrade",
                "the request wants a protocol other than WebSocket",
                "use WebSocket over HTTP/1.1, or plain requests",
            ),
            Self::PrivateAddress => text(
                "egress.private",
                "the host's name leads to a private, loopback, link-local or metadata address",
                "where that is meant, list the addresses in the route's `addresses`, or name one with `dial`",
            ),
            Self::Address => text(
                "egress.address",
                "the connection goes to an address that no name of the bottle stands for, and no route names the address itself",
                "connect by name, or add a route for the address",
            ),
            Self::Name => text(
                "egress.name",
                "the host's name could not be looked up",
                "check the name and the host's own network; trying again later may help",
            ),
            Self::ForeignCredential => text(
                "egress.foreign_credential",
                "the request carries a credential that this bottle was not given",
                "send the placeholder that stands in the environment, or none; the real credential is put in outside the bottle",
            ),
            Self::NoCredential => text(
                "egress.no_credential",
                "the route puts a credential in, and none could be had",
                "the person has to set the variable, mend the file or command, or log in on the host; trying again before that changes nothing",
            ),
            Self::GitPush => text(
                "egress.git_push",
                "a git push over HTTP goes round the gate that scans what leaves",
                "push to the remote that the bottle set up; fetching over HTTP is allowed",
            ),
            Self::TooLarge => text(
                "egress.too_large",
                "the head of the request is larger than the limit",
                "send fewer or shorter headers, or a shorter path",
            ),
            Self::Busy => {
                text("egress.busy", "the bottle has as many connections open as it may", "close some, or wait; then try again")
            }
            Self::Unrecorded => text(
                "egress.unrecorded",
                "the record of what passes could not be written, so nothing passes",
                "the person has to make room on the disk of the state folder",
            ),
            Self::UpstreamUnreachable => {
                text("egress.unreachable", "the host did not answer", "check that it is up; trying again later may help")
            }
            Self::UpstreamCertificate => text(
                "egress.certificate",
                "the host's certificate is expired, for another name, or of an authority that the host does not trust",
                "mend the certificate, or give its authority to bot-bottle with `SSL_CERT_FILE`; checking cannot be switched off",
            ),
            Self::UpstreamProtocol => text(
                "egress.upstream",
                "the host answered with something that is not an answer",
                "the host is at fault; trying again later may help",
            ),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Code;

    #[test]
    fn codes_differ_and_go_both_ways() {
        let names: BTreeSet<_> = Code::ALL.into_iter().map(Code::as_str).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.into_iter().all(|code| Code::parse(code.as_str()) == Some(code)));
        assert!(names.iter().all(|name| name.starts_with("egress.")));
    }
}
