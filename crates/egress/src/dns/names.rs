use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use policy::Host;

/// The names of one bottle's own services, in the order of their addresses from 198.18.0.1.
const RESERVED: [&str; 3] = ["policy.bottle.internal", "git.bottle.internal", "mcp.bottle.internal"];
/// 198.18.0.0: RFC 2544 (benchmarks between networks) keeps 198.18.0.0/15 out of every real network, so that an address that
/// stands for a name cannot be one that a program in the bottle means.
const FIRST: u32 = u32::from_be_bytes([198, 18, 0, 0]);
/// The addresses of 198.18.0.0/15.
const RANGE: u32 = 1 << 17;

/// The addresses that stand for names in one bottle. An address, once given, stands for its name as long as the bottle lives.
#[derive(Debug)]
pub struct Names {
    given: Mutex<Given>,
}

#[derive(Debug, Default)]
struct Given {
    offsets: HashMap<Arc<Host>, u32>,
    /// By offset less one: 198.18.0.0 itself is never given, since programs take addresses that end in 0 for networks.
    hosts: Vec<Arc<Host>>,
}

impl Names {
    /// Most names. Threat: where a rule is for `*.example.org`, the bottle can ask for as many names as it likes.
    pub const MAX: usize = 16_384;

    /// A table that holds the reserved names alone: `policy.bottle.internal`, `git.bottle.internal` and
    /// `mcp.bottle.internal` have the same addresses in every bottle.
    pub fn new() -> Self {
        let mut given = Given::default();
        for name in RESERVED {
            // Reserved names are no hosts that a text can be parsed into; here alone they are made.
            given.give(&Host::Name(name.to_owned()));
        }
        Self { given: Mutex::new(given) }
    }

    /// The address that stands for `host`, given now if it has none; `None` when [`Names::MAX`] names have one. Whether the
    /// bottle may know the name at all is the caller's to judge.
    pub fn address_for(&self, host: &Host) -> Option<Ipv4Addr> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = match given.offsets.get(host) {
            Some(offset) => *offset,
            None if given.hosts.len() < Self::MAX => given.give(host),
            None => return None,
        };
        Some(Ipv4Addr::from(FIRST + offset))
    }

    /// The name that `address` stands for; `None` when it was never given.
    pub fn host_at(&self, address: Ipv4Addr) -> Option<Host> {
        let index = u32::from(address).checked_sub(FIRST)?.checked_sub(1)?;
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.hosts.get(usize::try_from(index).ok()?).map(|host| Host::clone(host))
    }

    /// Whether `address` is one that can stand for a name: of 198.18.0.0/15.
    pub fn in_range(address: Ipv4Addr) -> bool {
        u32::from(address).checked_sub(FIRST).is_some_and(|offset| offset < RANGE)
    }

    /// Whether `host` is the name of one of the bottle's own services.
    pub(super) fn is_reserved(host: &Host) -> bool {
        matches!(host, Host::Name(name) if RESERVED.contains(&name.as_str()))
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::new()
    }
}

impl Given {
    fn give(&mut self, host: &Host) -> u32 {
        let host = Arc::new(host.clone());
        self.hosts.push(Arc::clone(&host));
        // At most MAX + 3 of them.
        let offset = u32::try_from(self.hosts.len()).unwrap_or(RANGE);
        self.offsets.insert(host, offset);
        offset
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use policy::Host;

    use super::Names;

    fn host(text: &str) -> Host {
        Host::parse(text).unwrap()
    }

    #[test]
    fn an_address_stands_for_its_name_and_stays() {
        let names = Names::new();
        let first = names.address_for(&host("api.example.org")).unwrap();
        let second = names.address_for(&host("b.example.org")).unwrap();
        assert_ne!(first, second);
        assert!(Names::in_range(first) && Names::in_range(second));
        assert_eq!(names.address_for(&host("API.example.org")), Some(first));
        assert_eq!(names.host_at(first), Some(host("api.example.org")));
        assert_eq!(names.host_at(second), Some(host("b.example.org")));
    }

    #[test]
    fn own_services_have_the_first_addresses() {
        let names = Names::new();
        for (index, name) in (1..).zip(["policy.bottle.internal", "git.bottle.internal", "mcp.bottle.internal"]) {
            assert_eq!(names.host_at(Ipv4Addr::new(198, 18, 0, index)), Some(Host::Name(name.to_owned())));
            assert!(Names::is_reserved(&Host::Name(name.to_owned())));
        }
        assert!(!Names::is_reserved(&Host::Name("x.bottle.internal".to_owned())));
    }

    #[test]
    fn addresses_that_nobody_was_given_stand_for_nothing() {
        let names = Names::new();
        for address in
            ["198.18.0.0", "198.18.0.4", "198.19.255.255", "198.17.255.255", "198.20.0.0", "0.0.0.0", "255.255.255.255"]
        {
            assert_eq!(names.host_at(address.parse().unwrap()), None, "{address}");
        }
        for (address, inside) in
            [("198.18.0.0", true), ("198.19.255.255", true), ("198.17.255.255", false), ("198.20.0.0", false)]
        {
            assert_eq!(Names::in_range(address.parse().unwrap()), inside, "{address}");
        }
    }

    #[test]
    fn a_flood_of_names_is_bounded_and_takes_nobodys_address() {
        let names = Names::new();
        let kept = names.address_for(&host("kept.example.org")).unwrap();
        let given = (0..20_000).filter(|n| names.address_for(&host(&format!("n{n}.example.org"))).is_some()).count();
        assert_eq!(given, Names::MAX - 4);
        assert_eq!(names.address_for(&host("late.example.org")), None);
        assert_eq!(names.address_for(&host("kept.example.org")), Some(kept));
    }
}
