//! Stand-in.
use std::net::Ipv4Addr;

use policy::{Host, Table};

/// Synthetic addresses.
#[derive(Default)]
pub struct Names;

/// Answer to a query.
pub struct Answer {
    /// Bytes to send.
    pub bytes: Vec<u8>,
    /// What was asked and refused.
    pub refused: Option<String>,
}

impl Names {
    /// Address for a host.
    pub fn address_for(&self, _host: &Host) -> Option<Ipv4Addr> {
        None
    }
    /// Named at an address.
    pub(crate) fn named_at(&self, _address: Ipv4Addr) -> Option<crate::place::Named> {
        None
    }
    /// Host at an address.
    pub fn host_at(&self, _address: Ipv4Addr) -> Option<Host> {
        None
    }
}

/// Answers a query.
pub fn answer(_query: &[u8], _table: &Table, _names: &Names) -> Answer {
    Answer { bytes: Vec::new(), refused: None }
}
