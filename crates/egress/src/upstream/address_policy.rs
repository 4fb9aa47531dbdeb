use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is, as far as a bottle's requests are concerned (the IANA special-purpose registries, RFC 6890).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    /// Of the public network: the one kind that needs no rule to say so.
    Public,
    /// 127.0.0.0/8, ::1: services of the host itself.
    Loopback,
    /// RFC 1918, RFC 6598 (carriers, and overlay networks such as Tailscale), RFC 4193.
    Private,
    /// 169.254.0.0/16, fe80::/10.
    LinkLocal,
    /// Where clouds keep a machine's credentials.
    Metadata,
    /// 198.18.0.0/15: stands for a name inside a bottle, and is nothing outside.
    Synthetic,
    /// Reserved for protocols, documentation or nothing yet; whoever uses such an address does so privately.
    Reserved,
    /// 0.0.0.0/8 and ::, which Linux connects to the host itself; multicast; broadcast. No rule can allow these.
    Nowhere,
}

impl AddressKind {
    /// As messages put it: `a loopback address`.
    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a cloud's metadata service",
            Self::Synthetic => "an address that stands for a name inside bottles",
            Self::Reserved => "a reserved address",
            Self::Nowhere => "no address of a host",
        }
    }
}

/// What `address` is. Total: what is not known to be public is not public. An IPv6 address that carries an IPv4 address (mapped,
/// compatible, NAT64, 6to4, Teredo, ISATAP) is what that one is, because that is where its packets end.
pub fn kind_of(address: IpAddr) -> AddressKind {
    match address {
        IpAddr::V4(v4) => kind_of_v4(v4),
        IpAddr::V6(v6) => kind_of_v6(v6),
    }
}

fn kind_of_v4(address: Ipv4Addr) -> AddressKind {
    use AddressKind::{LinkLocal, Loopback, Metadata, Nowhere, Private, Public, Reserved, Synthetic};
    match address.octets() {
        // AWS, Google, Azure, OpenStack and others; Azure's second, at a public address; Alibaba; Oracle.
        [169, 254, 169, 254] | [168, 63, 129, 16] | [100, 100, 100, 200] | [192, 0, 0, 192] => Metadata,
        // AWS: the credentials of a container's task, and of a pod.
        [169, 254, 170, 2 | 23] => Metadata,
        [0, ..] | [255, 255, 255, 255] | [224..=239, ..] => Nowhere,
        [127, ..] => Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Private,
        [169, 254, ..] => LinkLocal,
        [198, 18..=19, ..] => Synthetic,
        // Protocol assignments, documentation, the former 6to4 relays, and class E.
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] | [240..=255, ..] => Reserved,
        _ => Public,
    }
}

fn kind_of_v6(address: Ipv6Addr) -> AddressKind {
    use AddressKind::{LinkLocal, Loopback, Metadata, Nowhere, Private, Public, Reserved};
    if let Some(v4) = inner_v4(address) {
        return kind_of_v4(v4);
    }
    match address.segments() {
        // AWS; Google.
        [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254 | 0x0023] | [0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254] => Metadata,
        [0, 0, 0, 0, 0, 0, 0, 0] | [0xff00..=0xffff, ..] => Nowhere,
        [0, 0, 0, 0, 0, 0, 0, 1] => Loopback,
        // Site-local, which RFC 3879 took back, was private.
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Private,
        [0xfe80..=0xfebf, ..] => LinkLocal,
        // Translation that a network keeps for itself (RFC 8215): where the inner address lies is its own affair.
        [0x0064, 0xff9b, 1, ..] => Private,
        // Protocol assignments (2001::/23), documentation.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Reserved,
        // ISATAP (RFC 5214 §6.1): the address of a tunnel's end, under any public prefix.
        [0x2000..=0x3fff, _, _, _, 0x0000 | 0x0200, 0x5efe, high, low] => kind_of_v4(joined(high, low)),
        // Global unicast is 2000::/3 alone (RFC 4291 §2.4).
        [0x2000..=0x3fff, ..] => Public,
        _ => Reserved,
    }
}

/// The IPv4 address that all packets to `address` end at.
fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let last = joined(segments[6], segments[7]);
    match segments {
        // `::` and `::1` are themselves.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        // IPv4-mapped and -compatible (RFC 4291 §2.5.5), SIIT (RFC 2765 §2.1), NAT64 (RFC 6052 §2.1).
        [0, 0, 0, 0, 0, 0xffff | 0, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] | [0x0064, 0xff9b, 0, 0, 0, 0, _, _] => Some(last),
        // 6to4 (RFC 3056 §2).
        [0x2002, high, low, ..] => Some(joined(high, low)),
        // Teredo (RFC 4380 §4): the client's address, every bit turned over.
        [0x2001, 0, ..] => Some(joined(!segments[6], !segments[7])),
        _ => None,
    }
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))
}

#[cfg(test)]
#[path = "address_policy_tests.rs"]
mod tests;
