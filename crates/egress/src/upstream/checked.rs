use std::net::{IpAddr, SocketAddr};

use policy::{Cidr, Code, Host, Rule, Transport};

use super::Failure;
use super::address_policy::{AddressKind, kind_of};
use super::target::Target;
use super::way::Way;

/// An address that may be dialled. Made by the check alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checked {
    address: SocketAddr,
    own_host: OwnHost,
}

/// What happens when the address turns out to be one of this host's own. Whether it is cannot be told from the address: a
/// server's interface may well have a public one, and what listens there for the world's firewall to hide is as little the
/// bottle's as loopback is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnHost {
    /// The connection is given up.
    Refused,
    /// A rule names the address.
    Allowed,
}

impl Checked {
    /// The address that the person named, whatever it is.
    pub(super) fn named(address: SocketAddr) -> Self {
        Self { address, own_host: OwnHost::Allowed }
    }

    /// Those of `addresses` that `way` allows for `target`, in their order.
    ///
    /// # Errors
    /// When there is none: the name has no address, or has none that may be reached.
    pub(super) fn all(addresses: &[SocketAddr], way: &Way, target: &Target) -> Result<Vec<Self>, Failure> {
        let allowed: Vec<Self> = addresses.iter().filter_map(|address| Self::one(*address, &way.addresses)).collect();
        match (allowed.is_empty(), addresses.first()) {
            (false, _) => Ok(allowed),
            (true, Some(first)) => Err(refused(target, first.ip(), kind_of(first.ip()))),
            (true, None) => {
                Err(Failure::new(Code::Name, format!("{} has no address", target.host), "check that the name is right"))
            }
        }
    }

    fn one(address: SocketAddr, exempt: &[Cidr]) -> Option<Self> {
        let named = is_named(address.ip(), exempt);
        match (kind_of(address.ip()), named) {
            (AddressKind::Nowhere, _) => None,
            (AddressKind::Public, false) => Some(Self { address, own_host: OwnHost::Refused }),
            (_, true) => Some(Self { address, own_host: OwnHost::Allowed }),
            (
                AddressKind::Loopback
                | AddressKind::Private
                | AddressKind::LinkLocal
                | AddressKind::Metadata
                | AddressKind::Synthetic
                | AddressKind::Reserved,
                false,
            ) => None,
        }
    }

    #[cfg(test)]
    pub(super) fn unnamed_for_tests(address: SocketAddr) -> Self {
        Self { address, own_host: OwnHost::Refused }
    }

    pub(super) fn address(self) -> SocketAddr {
        self.address
    }

    pub(super) fn own_host(self) -> OwnHost {
        self.own_host
    }
}

/// Why a host that is written as an address would not be reached by `rule`, as far as that shows before anything is dialled: that an
/// address is this host's own does not. `None` for a name.
pub fn unreached(transport: Transport, host: &Host, port: u16, rule: &Rule) -> Option<Failure> {
    let way = Way::of(rule);
    match (host, way.dial) {
        (Host::Address(address), None) => {
            let target = Target { host: host.clone(), port, transport };
            Checked::all(&[SocketAddr::new(*address, port)], &way, &target).err()
        }
        (Host::Name(_), _) | (Host::Address(_), Some(_)) => None,
    }
}

fn is_named(address: IpAddr, exempt: &[Cidr]) -> bool {
    // A block that was meant for a network must not hand out the machine's credentials with it.
    if kind_of(address) == AddressKind::Metadata {
        return Cidr::parse(&address.to_string()).is_ok_and(|alone| exempt.contains(&alone));
    }
    exempt.iter().any(|block| block.contains(&address) || block.contains(&address.to_canonical()))
}

/// The refusal to reach `address`.
pub(super) fn refused(target: &Target, address: IpAddr, kind: AddressKind) -> Failure {
    let hint = match kind {
        AddressKind::Nowhere => "no rule can allow this; check what the name stands for".to_owned(),
        AddressKind::Public
        | AddressKind::Loopback
        | AddressKind::Private
        | AddressKind::LinkLocal
        | AddressKind::Metadata
        | AddressKind::Synthetic
        | AddressKind::Reserved => format!("if this is meant, the person can add `addresses: [{address}]` to the route"),
    };
    let message = format!("{} is not reached at {address}: it is {}", target.host, kind.shown());
    Failure::new(Code::PrivateAddress, message, hint)
}

/// The refusal to reach the host itself at `address`.
pub(super) fn own_host_refused(target: &Target, address: IpAddr) -> Failure {
    Failure::new(
        Code::PrivateAddress,
        format!("{} is not reached at {address}: it is an address of this host itself", target.host),
        format!("if this is meant, the person can add `addresses: [{address}]` to the route"),
    )
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use policy::{Cidr, Code, Host, Transport};

    use super::{Checked, OwnHost, Way};
    use crate::upstream::Target;

    fn check(addresses: &[&str], exempt: &[&str]) -> Result<Vec<String>, Code> {
        let addresses: Vec<SocketAddr> = addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 443)).collect();
        let way = Way { addresses: exempt.iter().map(|block| Cidr::parse(block).unwrap()).collect(), dial: None };
        let target = Target { host: Host::parse("api.example.org").unwrap(), port: 443, transport: Transport::Tls };
        let checked = Checked::all(&addresses, &way, &target).map_err(|failure| failure.code)?;
        Ok(checked.into_iter().map(|checked| checked.address().ip().to_string()).collect())
    }

    #[test]
    fn public_addresses_pass_and_others_are_left_out() {
        assert_eq!(check(&["1.1.1.1", "2606:4700::1"], &[]), Ok(vec!["1.1.1.1".into(), "2606:4700::1".into()]));
        assert_eq!(check(&["10.0.0.1", "1.1.1.1", "127.0.0.1"], &[]), Ok(vec!["1.1.1.1".into()]));
        assert_eq!(check(&["10.0.0.1", "::1"], &[]), Err(Code::PrivateAddress));
        assert_eq!(check(&["::ffff:127.0.0.1"], &[]), Err(Code::PrivateAddress));
        assert_eq!(check(&[], &[]), Err(Code::Name));
    }

    #[test]
    fn a_rule_opens_the_blocks_that_it_names_and_no_other() {
        assert_eq!(check(&["10.1.2.3", "10.2.0.1"], &["10.1.0.0/16"]), Ok(vec!["10.1.2.3".into()]));
        assert_eq!(check(&["127.0.0.1"], &["127.0.0.1"]), Ok(vec!["127.0.0.1".into()]));
        assert_eq!(check(&["::ffff:10.1.2.3"], &["10.1.0.0/16"]), Ok(vec!["::ffff:10.1.2.3".into()]));
        assert_eq!(check(&["fd00::1"], &["10.0.0.0/8"]), Err(Code::PrivateAddress));
        assert_eq!(check(&["169.254.169.254"], &["169.254.0.0/16"]), Err(Code::PrivateAddress));
        assert_eq!(check(&["169.254.169.254"], &["169.254.169.254"]), Ok(vec!["169.254.169.254".into()]));
    }

    #[test]
    fn no_rule_opens_the_unspecified_address_or_a_group() {
        assert_eq!(check(&["0.0.0.0"], &["0.0.0.0"]), Err(Code::PrivateAddress));
        assert_eq!(check(&["::"], &["::"]), Err(Code::PrivateAddress));
        assert_eq!(check(&["224.0.0.1"], &["224.0.0.0/8"]), Err(Code::PrivateAddress));
    }

    #[test]
    fn only_a_named_address_may_be_the_host_itself() {
        let target = Target { host: Host::parse("a.example").unwrap(), port: 1, transport: Transport::Plain };
        let public = ["1.1.1.1:1".parse().unwrap()];
        let own_host = |way: &Way| Checked::all(&public, way, &target).unwrap()[0].own_host();
        assert_eq!(own_host(&Way::default()), OwnHost::Refused);
        assert_eq!(own_host(&Way { addresses: vec![Cidr::parse("1.1.1.1").unwrap()], dial: None }), OwnHost::Allowed);
        assert_eq!(Checked::named(public[0]).own_host(), OwnHost::Allowed);
    }
}
