use std::borrow::Cow;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};

/// How names become addresses.
pub trait Lookup: Send + Sync {
    /// The addresses of `name`, best first. Blocks; is called on a thread of its own.
    ///
    /// # Errors
    /// When the name does not exist, or nobody can be asked.
    fn look_up(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The host's own resolver, so that a VPN's names and `/etc/hosts` work.
pub(super) struct SystemLookup;

impl Lookup for SystemLookup {
    fn look_up(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
        match asked(name, &hosts) {
            Asked::Known(addresses) => Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect()),
            Asked::Name(name) => (&*name, port).to_socket_addrs().map(Iterator::collect),
        }
    }
}

/// What there is to ask the system's resolver.
#[derive(Debug, PartialEq, Eq)]
enum Asked<'a> {
    /// Nothing: the host's own file knows the name.
    Known(Vec<IpAddr>),
    /// This name.
    Name(Cow<'a, str>),
}

/// A name is absolute, and the dot at its end says so (`resolv.conf(5)`, `search`). Without it the resolver tries a name that does
/// not exist below each of the host's search domains. Threat: with a rule for `*.example.org` the bottle chooses the name, and what
/// answers for `x.example.org.corp.example`, or for a search domain that somebody else's network handed out, is another host
/// than the one that was allowed. With the dot the file of hosts is not searched (`nss(5)` compares names as they are), so that it
/// is read here, `hosts(5)`. A name of one label is asked as it is: no wildcard covers one, and the search domains are what
/// whoever wrote it into a manifest means.
fn asked<'a>(name: &'a str, hosts: &str) -> Asked<'a> {
    if !name.contains('.') {
        return Asked::Name(Cow::Borrowed(name));
    }
    let known: Vec<_> = hosts.lines().filter_map(|line| address_of(name, line)).collect();
    if known.is_empty() { Asked::Name(Cow::Owned(format!("{name}."))) } else { Asked::Known(known) }
}

/// The address in a line of `hosts(5)`, if it is that of `name`.
fn address_of(name: &str, line: &str) -> Option<IpAddr> {
    let mut words = line.split('#').next()?.split_ascii_whitespace();
    let address = words.next()?.parse().ok()?;
    words.any(|word| word.eq_ignore_ascii_case(name)).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::{Asked, asked};

    const HOSTS: &str = "127.0.0.1 localhost\n# 192.0.2.9 api.example.org\n192.0.2.1\tgit.example.org git # forge.example.org\n\
                         2001:db8::1 GIT.example.org\nfe80::1%eth0 git.example.org\nnonsense git.example.org\n\n";

    #[test]
    fn a_name_is_never_tried_below_the_hosts_search_domains() {
        for name in ["api.example.org", "x.git.example.org", "example.org", "forge.example.org"] {
            assert_eq!(asked(name, HOSTS), Asked::Name(format!("{name}.").into()));
        }
        assert_eq!(asked("git", HOSTS), Asked::Name("git".into()));
    }

    #[test]
    fn the_hosts_own_file_comes_first() {
        let addresses = ["192.0.2.1", "2001:db8::1"].map(|address| address.parse().unwrap());
        assert_eq!(asked("git.example.org", HOSTS), Asked::Known(addresses.to_vec()));
    }
}
