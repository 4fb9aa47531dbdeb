//! The session's side of the conversation with a helper.

mod bridged;
mod capture;
mod channel;
mod control;
mod copy_in;
mod copy_out;
mod hits;
mod life;
pub mod outlet;
mod process;
mod served;
pub mod site;

pub use bridged::{Bridged, bridged};
pub use hits::{cgroups_of, limits_hit};
pub use life::Life;
pub use outlet::{Opening, Peer, RelayedOutlet, opened};
pub use served::{Owner, Served};
pub use site::Site;
