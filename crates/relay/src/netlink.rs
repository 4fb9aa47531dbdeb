//! Three messages to the kernel's routing socket (`rtnetlink(7)`): `local 0.0.0.0/0 dev lo`, `local ::/0 dev lo`, and an address.
//!
//! Every address is this host then, so whatever a program connects to meets a listener of ours or nobody.

use std::io;

use crate::sys;

const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;
/// NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE
const FLAGS: u16 = 0x1 | 0x4 | 0x400;
const NLMSG_ERROR: u16 = 2;
const RTA_OIF: u16 = 4;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const RT_TABLE_LOCAL: u8 = 255;
const RTPROT_BOOT: u8 = 3;
const RT_SCOPE_HOST: u8 = 254;
const RTN_LOCAL: u8 = 2;
/// The loopback interface is always the first one of a network namespace.
const LOOPBACK: u32 = 1;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// The loopback's second address.
const SECOND: [u8; 4] = [127, 0, 0, 2];

/// Adds both routes, and a second address of the loopback. A kernel or container without IPv6 reaches nothing over it anyway.
pub fn everything_is_local() -> io::Result<()> {
    second_address()?;
    route(AF_INET)?;
    match route(AF_INET6) {
        // EACCES, ENODEV, EAFNOSUPPORT, EOPNOTSUPP: IPv6 is switched off.
        Err(error) if matches!(error.raw_os_error(), Some(13 | 19 | 95 | 97)) => Ok(()),
        added => added,
    }
}

/// glibc counts IPv4 as absent while there is 127.0.0.1 alone, and then gives no address to a program that asks for one of IPv4
/// with `AI_ADDRCONFIG` (`getaddrinfo(3)`).
fn second_address() -> io::Result<()> {
    // struct ifaddrmsg: family, prefixlen, flags, scope, index; then two attributes
    let mut body = vec![AF_INET, 32, 0, RT_SCOPE_HOST];
    body.extend(LOOPBACK.to_ne_bytes());
    attribute(&mut body, IFA_LOCAL, SECOND);
    attribute(&mut body, IFA_ADDRESS, SECOND);
    request(RTM_NEWADDR, &body)
}

fn route(family: u8) -> io::Result<()> {
    // struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type, flags; then one attribute
    let mut body = vec![family, 0, 0, 0, RT_TABLE_LOCAL, RTPROT_BOOT, RT_SCOPE_HOST, RTN_LOCAL];
    body.extend(0u32.to_ne_bytes());
    attribute(&mut body, RTA_OIF, LOOPBACK.to_ne_bytes());
    request(RTM_NEWROUTE, &body)
}

/// struct rtattr: length, type; then the value
fn attribute(body: &mut Vec<u8>, kind: u16, value: [u8; 4]) {
    body.extend(8u16.to_ne_bytes());
    body.extend(kind.to_ne_bytes());
    body.extend(value);
}

/// Sends one request and reads its acknowledgement (`netlink(7)`, NLMSG_ERROR with error 0).
fn request(kind: u16, body: &[u8]) -> io::Result<()> {
    // struct nlmsghdr: length, type, flags, sequence, port
    let mut message = u32::try_from(16 + body.len()).map_err(io::Error::other)?.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(FLAGS.to_ne_bytes());
    message.extend(1u32.to_ne_bytes());
    message.extend(0u32.to_ne_bytes());
    message.extend(body);
    let answer = sys::routing_request(&message)?;
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    let error = answer.get(16..20).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match (kind, error) {
        (Some(NLMSG_ERROR), Some(0)) => Ok(()),
        // EEXIST: the container was started again.
        (Some(NLMSG_ERROR), Some(-17)) => Ok(()),
        (Some(NLMSG_ERROR), Some(error)) => Err(io::Error::from_raw_os_error(-error)),
        _ => Err(io::Error::other("unexpected answer from the kernel's routing socket")),
    }
}
