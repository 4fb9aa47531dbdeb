use std::net::SocketAddr;

use policy::{Cidr, Rule};

/// What a rule says about how its hosts are reached. Connections are kept by it, so that one which an older table allowed is
/// not used by a newer that does not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Way {
    /// Blocks that are allowed although they are not public.
    pub(super) addresses: Vec<Cidr>,
    /// Where to connect instead of looking the host up.
    pub(super) dial: Option<SocketAddr>,
}

impl Way {
    pub(super) fn of(rule: &Rule) -> Self {
        Self { addresses: rule.route.addresses.clone(), dial: rule.route.dial }
    }

    /// Whether it is the way of `rule`; costs no allocation, for every request asks it.
    pub(super) fn is_of(&self, rule: &Rule) -> bool {
        self.dial == rule.route.dial && self.addresses == rule.route.addresses
    }
}
