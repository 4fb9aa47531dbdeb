use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::AddressKind::{LinkLocal, Loopback, Metadata, Nowhere, Private, Public, Reserved, Synthetic};
use super::{AddressKind, kind_of};

const V4: &[(&str, AddressKind)] = &[
    ("1.1.1.1", Public),
    ("9.255.255.255", Public),
    ("11.0.0.0", Public),
    ("100.63.255.255", Public),
    ("100.128.0.0", Public),
    ("128.0.0.1", Public),
    ("169.253.255.255", Public),
    ("169.255.0.0", Public),
    ("172.15.255.255", Public),
    ("172.32.0.0", Public),
    ("192.0.1.0", Public),
    ("192.167.255.255", Public),
    ("192.169.0.0", Public),
    ("198.17.255.255", Public),
    ("198.20.0.0", Public),
    ("223.255.255.255", Public),
    ("0.0.0.0", Nowhere),
    ("0.1.2.3", Nowhere),
    ("224.0.0.1", Nowhere),
    ("239.255.255.250", Nowhere),
    ("255.255.255.255", Nowhere),
    ("127.0.0.1", Loopback),
    ("127.255.255.254", Loopback),
    ("10.0.0.0", Private),
    ("10.255.255.255", Private),
    ("100.64.0.1", Private),
    ("100.127.255.255", Private),
    ("172.16.0.1", Private),
    ("172.31.255.255", Private),
    ("192.168.0.1", Private),
    ("169.254.0.1", LinkLocal),
    ("169.254.169.254", Metadata),
    ("169.254.170.2", Metadata),
    ("100.100.100.200", Metadata),
    ("168.63.129.16", Metadata),
    ("192.0.0.192", Metadata),
    ("198.18.0.1", Synthetic),
    ("198.19.255.255", Synthetic),
    ("192.0.0.1", Reserved),
    ("192.0.2.1", Reserved),
    ("192.88.99.1", Reserved),
    ("198.51.100.1", Reserved),
    ("203.0.113.1", Reserved),
    ("240.0.0.1", Reserved),
    ("255.255.255.254", Reserved),
];

const V6: &[(&str, AddressKind)] = &[
    ("2606:4700::1111", Public),
    ("2001:4860:4860::8888", Public),
    ("2a00::1", Public),
    ("::", Nowhere),
    ("ff02::1", Nowhere),
    ("ff0e::1", Nowhere),
    ("::1", Loopback),
    ("fc00::1", Private),
    ("fd12:3456::1", Private),
    ("fec0::1", Private),
    ("fe80::1", LinkLocal),
    ("febf::1", LinkLocal),
    ("fd00:ec2::254", Metadata),
    ("fd20:ce::254", Metadata),
    ("2001:db8::1", Reserved),
    ("3fff::1", Reserved),
    ("2001:2::1", Reserved),
    ("2001:20::1", Reserved),
    ("fd00::5efe:8.8.8.8", Private),
    ("fe80::5efe:8.8.8.8", LinkLocal),
    ("100::1", Reserved),
    ("5f00::1", Reserved),
    ("4000::1", Reserved),
    ("::2:0:0", Reserved),
    ("64:ff9b:1::1.1.1.1", Private),
    ("64:ff9b::1:0:1.1.1.1", Reserved),
];

#[test]
fn every_range_and_its_edges() {
    for (text, kind) in V4.iter().chain(V6) {
        assert_eq!(kind_of(text.parse().unwrap()), *kind, "{text}");
    }
}

#[test]
fn an_ipv4_address_in_ipv6_dress_is_what_it_is() {
    for (text, kind) in V4 {
        let v4: Ipv4Addr = text.parse().unwrap();
        for (form, v6) in dressed(v4) {
            // `::0.0.0.0` and `::0.0.0.1` are `::` and `::1`.
            if form == "compatible" && u32::from(v4) < 2 {
                continue;
            }
            assert_eq!(kind_of(IpAddr::V6(v6)), *kind, "{text} as {form}: {v6}");
        }
    }
}

fn dressed(v4: Ipv4Addr) -> [(&'static str, Ipv6Addr); 8] {
    let bits = u128::from(u32::from(v4));
    let at = |prefix: u128, shift: u32| Ipv6Addr::from(prefix | (bits << shift));
    [
        ("mapped", at(0xffff << 32, 0)),
        ("compatible", at(0, 0)),
        ("translated", at(0xffff << 48, 0)),
        ("nat64", at(0x0064_ff9b << 96, 0)),
        ("6to4", at((0x2002 << 112) | 0xabcd, 80)),
        (
            "teredo",
            Ipv6Addr::from(
                (0x2001_0000 << 96) | (u128::from(u32::from(Ipv4Addr::new(8, 8, 8, 8))) << 64) | (!bits & 0xffff_ffff),
            ),
        ),
        ("isatap", at((0x2a00_0001 << 96) | (0x5efe << 32), 0)),
        ("isatap, globally unique", at((0x2a00_0001 << 96) | (0x0200_5efe << 32), 0)),
    ]
}

proptest! {
    /// What the standard library knows to be special is never public; it knows fewer ranges than the table.
    #[test]
    fn agrees_with_the_standard_library(bits in any::<u32>(), v6 in any::<u128>()) {
        let v4 = Ipv4Addr::from(bits);
        if v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast() || v4.is_broadcast() || v4.is_unspecified() || v4.is_documentation() {
            prop_assert_ne!(kind_of(IpAddr::V4(v4)), Public);
        }
        let v6 = Ipv6Addr::from(v6);
        if v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback() || v6.is_multicast() || v6.is_unspecified() {
            prop_assert_ne!(kind_of(IpAddr::V6(v6)), Public);
        }
        if kind_of(IpAddr::V6(v6)) == Public {
            let first = v6.segments()[0];
            prop_assert!((0x2000..=0x3fff).contains(&first) || v6.octets()[..8] == [0; 8] || v6.segments()[..2] == [0x64, 0xff9b] || v6.segments()[5] == 0x5efe, "{v6}");
        }
    }
}
