//! Three messages to the kernel's routing socket (`rtnetlink(7)`), by hand: a crate for them would be larger than this file.

use std::io;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;
const NLM_F_REQUEST_ACK: u16 = 0x1 | 0x4;
const NLM_F_CREATE: u16 = 0x400;
const NLMSG_ERROR: u16 = 2;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const RTA_OIF: u16 = 4;
const RT_TABLE_LOCAL: u8 = 255;
const RTPROT_BOOT: u8 = 3;
const RT_SCOPE_HOST: u8 = 254;
const RTN_LOCAL: u8 = 2;
const IFF_UP: u32 = 1;
/// The loopback interface is always the first one of a network namespace.
const LOOPBACK: u32 = 1;

/// A second address of the loopback. glibc counts IPv4 as absent while there is 127.0.0.1 alone, and then gives no address to a
/// program that asks for one of IPv4 with `AI_ADDRCONFIG` (getaddrinfo(3)).
const SECOND: [u8; 4] = [127, 0, 0, 2];

/// Address families that a route can be set for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `AF_INET`
    V4,
    /// `AF_INET6`
    V6,
}

/// Brings the loopback interface up.
pub fn loopback_up() -> io::Result<()> {
    // struct ifinfomsg: family, pad, type, index, flags, change
    let mut body = vec![0u8; 4];
    body.extend(LOOPBACK.to_ne_bytes());
    body.extend(IFF_UP.to_ne_bytes());
    body.extend(IFF_UP.to_ne_bytes());
    transact(RTM_NEWLINK, NLM_F_REQUEST_ACK, &body)
}

/// Gives the loopback [`SECOND`].
pub fn second_address() -> io::Result<()> {
    // struct ifaddrmsg: family, prefixlen, flags, scope, index
    let mut body = vec![2u8, 32, 0, RT_SCOPE_HOST];
    body.extend(LOOPBACK.to_ne_bytes());
    for attribute in [IFA_LOCAL, IFA_ADDRESS] {
        body.extend(8u16.to_ne_bytes());
        body.extend(attribute.to_ne_bytes());
        body.extend(SECOND);
    }
    transact(RTM_NEWADDR, NLM_F_REQUEST_ACK | NLM_F_CREATE, &body)
}

/// Adds `local 0.0.0.0/0 dev lo` (or `::/0`): every address is this host, so every connection meets our listeners.
pub fn everything_is_local(family: Family) -> io::Result<()> {
    let family = match family {
        Family::V4 => 2u8,
        Family::V6 => 10u8,
    };
    // struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type, flags
    let mut body = vec![family, 0, 0, 0, RT_TABLE_LOCAL, RTPROT_BOOT, RT_SCOPE_HOST, RTN_LOCAL];
    body.extend(0u32.to_ne_bytes());
    body.extend(8u16.to_ne_bytes());
    body.extend(RTA_OIF.to_ne_bytes());
    body.extend(LOOPBACK.to_ne_bytes());
    transact(RTM_NEWROUTE, NLM_F_REQUEST_ACK | NLM_F_CREATE, &body)
}

/// Sends one request and reads its acknowledgement (`netlink(7)`, NLMSG_ERROR with error 0).
fn transact(kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
    let socket: OwnedFd = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    let length = u32::try_from(16 + body.len()).map_err(io::Error::other)?;
    let mut message = Vec::with_capacity(64);
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend(1u32.to_ne_bytes());
    message.extend(0u32.to_ne_bytes());
    message.extend(body);
    send(&socket, &message, SendFlags::empty())?;
    let mut answer = [0u8; 1024];
    let (got, _) = recv(&socket, &mut answer[..], RecvFlags::empty())?;
    let field = |at: usize| answer.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0u8; 4]);
    let kind = u16::from_ne_bytes([answer[4], answer[5]]);
    if got < 20 || kind != NLMSG_ERROR {
        return Err(io::Error::other("unexpected answer from the kernel's routing socket"));
    }
    match i32::from_ne_bytes(field(16)) {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(-error)),
    }
}
