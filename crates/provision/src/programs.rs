use agents::GuestLink;
use bottle::User;

use crate::part::{Part, link};

/// The links by which programs of the host are found in the bottle: `node`'s, then root's.
///
/// They are root's, so that what is found on `PATH` stays what the person chose; except below `node`'s home, where
/// everything is the agent's anyway.
pub(crate) fn parts(links: &[GuestLink]) -> (Vec<Part>, Vec<Part>) {
    // A path may lead through the same link twice.
    let once = links.iter().enumerate().filter(|(index, link)| links.iter().take(*index).all(|earlier| earlier.at != link.at));
    once.map(|(_, own)| link(own)).partition(|part| part.at.as_path().starts_with(User::Node.home()))
}
