use std::collections::BTreeSet;

use agents::GuestLink;
use bottle::{Bottle, Exec, ExecError, GuestPath, User};

/// Why a link to a program could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The command that makes it did not run.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// The command that makes it failed.
    #[error("{at} in bottle {bottle}: {reason}")]
    Failed {
        /// The link, or its folder.
        at: GuestPath,
        /// The bottle's name.
        bottle: String,
        /// What the command said.
        reason: String,
    },
}

/// Makes the links by which programs of the host are found in the bottle. They are root's, so that what is found on `PATH`
/// stays what the person chose; except below `node`'s home, where the bottle's root, which has no capability, may not write.
pub(crate) async fn link(bottle: &dyn Bottle, links: &[GuestLink]) -> Result<(), LinkError> {
    for user in [User::Root, User::Node] {
        let own: Vec<&GuestLink> = links.iter().filter(|link| owner(&link.at) == user).collect();
        let folders: BTreeSet<GuestPath> = own.iter().filter_map(|link| link.at.parent()).collect();
        if let Some(first) = folders.first() {
            let make = Exec::new("mkdir").args(["-p", "--"]).args(folders.iter().map(GuestPath::as_path));
            run(bottle, make.user(user), first).await?;
        }
        for link in own {
            let make = Exec::new("ln").args(["-sfnT", "--"]).arg(&link.target).arg(link.at.as_path());
            run(bottle, make.user(user), &link.at).await?;
        }
    }
    Ok(())
}

fn owner(at: &GuestPath) -> User {
    if at.as_path().starts_with(User::Node.home()) { User::Node } else { User::Root }
}

async fn run(bottle: &dyn Bottle, exec: Exec, at: &GuestPath) -> Result<(), LinkError> {
    let output = bottle.exec(exec).await?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let reason = agents::Shown::text(said.trim()).to_string();
    Err(LinkError::Failed { at: at.clone(), bottle: bottle.name().to_string(), reason })
}
