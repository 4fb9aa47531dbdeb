use std::io;
use std::time::Duration;

use policy::Code;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::Failure;
use super::checked::{Checked, OwnHost, own_host_refused};
use super::target::Target;

/// How long one address is tried before the next is tried beside it (RFC 8305 §5).
const STAGGER: Duration = Duration::from_millis(250);
/// Addresses of one host that are tried.
const TRIED: usize = 6;

/// Connects to the first of `addresses` that answers.
///
/// # Errors
/// When none does by `deadline`.
pub(super) async fn dial(addresses: &[Checked], target: &Target, deadline: Instant) -> Result<TcpStream, Failure> {
    let tried = interleaved(addresses);
    let connecting = async {
        match &tried[..] {
            [only] => connect(*only).await,
            several => race(several).await,
        }
    };
    let hint = "try again later; if it stays so, the host is down or something between here and there does not let it through";
    match timeout_at(deadline, connecting).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(DialError::OwnHost(address))) => Err(own_host_refused(target, address.address().ip())),
        Ok(Err(DialError::Io(error))) => {
            Err(Failure::new(Code::UpstreamUnreachable, format!("connecting to {target}: {}", error.kind()), hint))
        }
        Err(_) => Err(Failure::new(Code::UpstreamUnreachable, format!("connecting to {target}: no answer in time"), hint)),
    }
}

enum DialError {
    Io(io::Error),
    OwnHost(Checked),
}

/// The resolver's first choice first, then in turn one of the other family and one of its own (RFC 8305 §4).
fn interleaved(addresses: &[Checked]) -> Vec<Checked> {
    let first_is_v6 = addresses.first().is_some_and(|first| first.address().is_ipv6());
    let (same, other): (Vec<_>, Vec<_>) =
        addresses.iter().copied().partition(|checked| checked.address().is_ipv6() == first_is_v6);
    let (mut same, mut other) = (same.into_iter(), other.into_iter());
    let pairs = std::iter::from_fn(|| match (same.next(), other.next()) {
        (None, None) => None,
        pair => Some(pair),
    });
    pairs.flat_map(|(one, another)| one.into_iter().chain(another)).take(TRIED).collect()
}

/// Tries one address after the other without waiting long for any (RFC 8305 §5); the first connection wins, the others end.
async fn race(addresses: &[Checked]) -> Result<TcpStream, DialError> {
    let mut attempts = JoinSet::new();
    let mut waiting = addresses.iter();
    let mut first_error = None;
    loop {
        if let Some(next) = waiting.next() {
            attempts.spawn(connect(*next));
        }
        tokio::select! {
            ended = attempts.join_next() => match ended {
                Some(Ok(Ok(stream))) => return Ok(stream),
                Some(Ok(Err(error))) => { first_error.get_or_insert(error); }
                // Ended from outside: the service is ending.
                Some(Err(_)) => {}
                None => return Err(first_error.unwrap_or_else(|| DialError::Io(io::ErrorKind::AddrNotAvailable.into()))),
            },
            () = sleep(STAGGER), if waiting.len() > 0 => {}
        }
    }
}

/// The one place from which anything connects.
async fn connect(to: Checked) -> Result<TcpStream, DialError> {
    #[allow(clippy::disallowed_methods, reason = "the dialler, and the address has been checked")]
    let stream = TcpStream::connect(to.address()).await.map_err(DialError::Io)?;
    // The kernel takes an address of the host's own as the source of a connection to itself.
    let is_own = stream.local_addr().map_err(DialError::Io)?.ip() == to.address().ip();
    match to.own_host() {
        OwnHost::Refused if is_own => return Err(DialError::OwnHost(to)),
        OwnHost::Refused | OwnHost::Allowed => {}
    }
    stream.set_nodelay(true).map_err(DialError::Io)?;
    keep_alive(&stream).map_err(DialError::Io)?;
    Ok(stream)
}

/// Answers may take as long as they like, so that a peer that is gone must be noticed by other means: after a minute and a
/// half of silence from its kernel the connection breaks.
fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    use rustix::net::sockopt;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, Duration::from_secs(45))?;
    sockopt::set_tcp_keepintvl(stream, Duration::from_secs(15))?;
    sockopt::set_tcp_keepcnt(stream, 3)?;
    Ok(())
}

#[cfg(test)]
#[path = "dial_tests.rs"]
mod tests;
