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
/// stays what the person chose.
pub(crate) async fn link(bottle: &dyn Bottle, links: &[GuestLink]) -> Result<(), LinkError> {
    let folders: BTreeSet<GuestPath> = links.iter().filter_map(|link| link.at.parent()).collect();
    let Some(first) = folders.first() else { return Ok(()) };
    let make = Exec::new("mkdir").args(["-p", "--"]).args(folders.iter().map(GuestPath::as_path));
    run(bottle, make, first).await?;
    for link in links {
        let make = Exec::new("ln").args(["-sfnT", "--"]).arg(&link.target).arg(link.at.as_path());
        run(bottle, make, &link.at).await?;
    }
    Ok(())
}

async fn run(bottle: &dyn Bottle, exec: Exec, at: &GuestPath) -> Result<(), LinkError> {
    let output = bottle.exec(exec.user(User::Root)).await?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let reason = agents::Shown::text(said.trim()).to_string();
    Err(LinkError::Failed { at: at.clone(), bottle: bottle.name().to_string(), reason })
}
