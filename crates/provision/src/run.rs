use std::path::Path;

use bottle::tree::TreeError;
use bottle::{Bottle, CopyError, GuestPath, GuestPathError, PlaceError, User};

use crate::announce::{Announce, Notice};
use crate::ca::Trust;
use crate::part::one_tree;
use crate::plan::ProvisionPlan;

/// What a provisioned bottle offers to whoever runs the agent.
#[derive(Debug, Clone)]
pub struct Provisioned {
    /// The prompt file, when the prompt is not empty.
    pub prompt_file: Option<GuestPath>,
    /// The folder the agent starts in.
    pub folder: GuestPath,
}

/// Why a bottle could not be provisioned. The launch has failed: the bottle must be closed.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// A skill has changed or gone since it was checked.
    #[error("cannot copy skill {name} into bottle {bottle}: {source}; nothing was put into the bottle")]
    Skill {
        /// Its name.
        name: String,
        /// The bottle's name.
        bottle: String,
        /// What, and why.
        source: TreeError,
    },
    /// The copy failed.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// What is root's could not be put in place: links to programs, or certificates.
    #[error("cannot put certificates and links to programs in place: {0}")]
    Roots(CopyError),
    /// A place for them is none.
    #[error(transparent)]
    Place(#[from] GuestPathError),
}

/// Carries out a plan: one copy for everything that is the agent's, and beside it one for what is root's: the links, and the
/// certificates of `trust`. Without them every connection that the session's services end would fail, so a bottle that cannot take them is
/// not provisioned. `None` is for an outlet that ends no TLS.
///
/// # Errors
/// The first step that fails; see [`ProvisionError`]. A copy that fails leaves nothing in the bottle.
pub async fn provision(
    plan: &ProvisionPlan,
    trust: Option<&Trust>,
    bottle: &dyn Bottle,
    announce: &mut dyn Announce,
) -> Result<Provisioned, ProvisionError> {
    if let Some(trust) = trust {
        announce.announce(&Notice::Authority { fingerprint: &trust.fingerprint(), bottle: bottle.name() });
    }
    announce_copies(plan, bottle, announce);
    let (own, roots) = tokio::join!(copy_own(plan, bottle), copy_roots(plan, trust, bottle));
    own?;
    roots?;
    Ok(Provisioned { prompt_file: plan.prompt_file.clone(), folder: plan.folder.clone() })
}

async fn copy_own(plan: &ProvisionPlan, bottle: &dyn Bottle) -> Result<(), ProvisionError> {
    let (tree, base) = &plan.own;
    bottle.cp_in(tree, base, User::Node).await.map_err(|error| name_the_skill(plan, error))
}

async fn copy_roots(plan: &ProvisionPlan, trust: Option<&Trust>, bottle: &dyn Bottle) -> Result<(), ProvisionError> {
    let mut roots = plan.roots.clone();
    roots.extend(trust.map(Trust::parts).transpose()?.into_iter().flatten());
    if roots.is_empty() {
        return Ok(());
    }
    let (tree, base) = one_tree(roots)?;
    bottle.cp_in(&tree, &base, User::Root).await.map_err(ProvisionError::Roots)
}

fn announce_copies(plan: &ProvisionPlan, bottle: &dyn Bottle, announce: &mut dyn Announce) {
    for skill in &plan.skills {
        if let Ok(to) = plan.guest_skills.join(skill.name()) {
            announce.announce(&Notice::Skill { name: skill.name(), bottle: bottle.name(), to: &to });
        }
    }
    if let Some(workspace) = &plan.workspace {
        let (to, left_out) = (workspace.at(), &workspace.census().left_out);
        announce.announce(&Notice::Workspace { from: workspace.host(), bottle: bottle.name(), to, left_out });
    }
}

/// An error below a skill's folder is that skill's.
fn name_the_skill(plan: &ProvisionPlan, error: CopyError) -> ProvisionError {
    match error {
        CopyError::Source { bottle, source } => {
            let skill = path_of(&source).and_then(|path| plan.skills.iter().find(|skill| path.starts_with(skill.host())));
            match skill {
                Some(skill) => ProvisionError::Skill { name: skill.name().to_owned(), bottle, source },
                None => ProvisionError::Copy(CopyError::Source { bottle, source }),
            }
        }
        other @ (CopyError::Guest { .. }
        | CopyError::Sink { .. }
        | CopyError::Gone { .. }
        | CopyError::Ended { .. }
        | CopyError::Io { .. }) => ProvisionError::Copy(other),
    }
}

fn path_of(error: &TreeError) -> Option<&Path> {
    match error {
        TreeError::Missing { path, .. }
        | TreeError::LeadsOut { path, .. }
        | TreeError::Special { path, .. }
        | TreeError::Read { path, .. }
        | TreeError::Changed { path } => Some(path),
        TreeError::Place(PlaceError::Changed { path } | PlaceError::Open { path, .. }) => Some(path),
        TreeError::Stream(_) => None,
    }
}
