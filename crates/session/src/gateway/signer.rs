use std::io;
use std::sync::Arc;

use egress::{Authority, TrustRoots};
use provision::{Roots, Trust};
use tokio::task::JoinHandle;

use crate::SessionError;

/// The certificate authority of one session, and what makes a bottle's programs believe it.
pub(crate) struct Signer {
    pub authority: Authority,
    pub trust: Trust,
}

impl Signer {
    /// Makes it on a thread of its own: reading the host's roots takes as long as making a bottle.
    pub fn begin(roots: TrustRoots) -> JoinHandle<Result<Self, SessionError>> {
        tokio::task::spawn_blocking(move || {
            let authority = Authority::new().map_err(io::Error::other).map_err(making_authority)?;
            let public = Arc::new(Roots::from_pem(&roots.pem_bundle()));
            let trust = Trust::new(&authority.certificate_pem(), public).map_err(io::Error::other).map_err(making_authority)?;
            Ok(Self { authority, trust })
        })
    }
}

/// Why there is none.
pub(crate) fn making_authority(source: io::Error) -> SessionError {
    SessionError::Io { what: "making the session's certificate authority", source }
}
