use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use agents::credentials::Private;
use agents::{Provider, Visible};
use bottle::{GuestPath, GuestPathError, Tree, User};
use secret::Secret;

use crate::ca;
use crate::environment::{Environment, EnvironmentError};
use crate::git_identity::{self, GitIdentity, GitIdentityError};
use crate::part::{Part, one_tree};
use crate::skill::{Skill, SkillError};
use crate::workspace::{Wanted, Workspace, WorkspaceError};
use crate::{programs, prompt, provider_files};

/// What is to be put into a bottle, as manifest and command line say it, all names resolved.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// What kind of agent runs.
    pub provider: &'a Provider,
    /// The body of the agent's file; it is trimmed.
    pub prompt: &'a str,
    /// Names of skills; a name that comes twice is copied once.
    pub skills: &'a [String],
    /// The person's folder of skills.
    pub host_skills: &'a Path,
    /// Where skills go in the bottle: [`crate::GUEST_SKILLS`] unless the person says otherwise.
    pub guest_skills: GuestPath,
    /// The host folder that becomes the workspace: `--cwd`.
    pub workspace: Option<&'a Path>,
    /// Its place in the bottle: [`crate::WORKSPACE`] unless the manifest says otherwise.
    pub workspace_at: GuestPath,
    /// Names and relative paths that are left out of the workspace.
    pub workspace_exclude: &'a [String],
    /// Who the agent's commits are by.
    pub git_identity: Option<&'a GitIdentity>,
    /// The resolved `env` of the bottle, with nothing as the value of what the person has still to be asked for. It is checked
    /// here; the environment itself is built once all is known: [`Environment::build`].
    pub env: &'a [(OsString, Secret)],
    /// The programs of the host that are visible.
    pub visible: &'a Visible,
    /// The person's own, which no bottle sees.
    pub private: Private<'a>,
}

/// Everything that provisioning will do, checked against the host; nothing exists yet.
#[derive(Debug, Clone)]
pub struct ProvisionPlan {
    /// What is the agent's.
    pub(crate) own: (Tree, GuestPath),
    /// What is root's, as far as it is known before the launch.
    pub(crate) roots: Vec<Part>,
    pub(crate) skills: Vec<Skill>,
    pub(crate) guest_skills: GuestPath,
    pub(crate) workspace: Option<Workspace>,
    pub(crate) prompt_file: Option<GuestPath>,
    pub(crate) folder: GuestPath,
}

/// One reason why a bottle cannot be provisioned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A skill.
    #[error(transparent)]
    Skill(#[from] SkillError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The git identity.
    #[error(transparent)]
    GitIdentity(#[from] GitIdentityError),
    /// A variable.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// A place in the bottle.
    #[error(transparent)]
    Place(#[from] GuestPathError),
    /// Two things for one place, or one inside the other.
    #[error(
        "{inner} would be put into {outer}, which something else fills; choose another workspace.path or guest skills folder"
    )]
    Overlap {
        /// The outer place.
        outer: GuestPath,
        /// The place in it.
        inner: GuestPath,
    },
}

/// All reasons why a bottle cannot be provisioned; never empty.
#[derive(Debug)]
pub struct PlanErrors(pub Vec<PlanError>);

impl fmt::Display for PlanErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PlanErrors {}

impl ProvisionPlan {
    /// Checks everything that can be checked before a bottle exists.
    ///
    /// # Errors
    /// Every problem there is, at once.
    pub fn build(request: &Request<'_>) -> Result<Self, PlanErrors> {
        let mut errors = Vec::new();
        let skills = validate_skills(request, &mut errors);
        let workspace = validate_workspace(request, &mut errors);
        if let Some(Err(error)) = request.git_identity.map(GitIdentity::check) {
            errors.push(error.into());
        }
        errors.extend(Environment::check(request.env).err().into_iter().flatten().map(PlanError::from));
        if !errors.is_empty() {
            return Err(PlanErrors(errors));
        }
        assemble(request, skills, workspace).map_err(|error| PlanErrors(vec![error]))
    }

    /// The skills that will be copied, in order.
    pub fn skills(&self) -> &[Skill] {
        &self.skills
    }

    /// Where skills go in the bottle.
    pub fn guest_skills(&self) -> &GuestPath {
        &self.guest_skills
    }

    /// The workspace, when there is one.
    pub fn workspace(&self) -> Option<&Workspace> {
        self.workspace.as_ref()
    }

    /// The folder the agent starts in: the workspace, or `/home/node`.
    pub fn folder(&self) -> &GuestPath {
        &self.folder
    }

    /// The prompt file, when the prompt is not empty.
    pub fn prompt_file(&self) -> Option<&GuestPath> {
        self.prompt_file.as_ref()
    }
}

fn validate_skills(request: &Request<'_>, errors: &mut Vec<PlanError>) -> Vec<Skill> {
    let mut skills: Vec<Skill> = Vec::new();
    for (index, name) in request.skills.iter().enumerate() {
        if request.skills.iter().take(index).any(|earlier| earlier == name) {
            continue;
        }
        match Skill::validate(name, request.host_skills) {
            Ok(skill) => {
                errors.extend(skill.check_place(&request.guest_skills, &request.visible.tools).err());
                skills.push(skill);
            }
            Err(error) => errors.push(error.into()),
        }
    }
    skills
}

fn validate_workspace(request: &Request<'_>, errors: &mut Vec<PlanError>) -> Option<Workspace> {
    let wanted = Wanted {
        host: request.workspace?,
        at: &request.workspace_at,
        exclude: request.workspace_exclude,
        tools: &request.visible.tools,
    };
    match Workspace::validate(&wanted, request.private) {
        Ok(workspace) => Some(workspace),
        Err(error) => {
            errors.push(error.into());
            None
        }
    }
}

fn assemble(request: &Request<'_>, skills: Vec<Skill>, workspace: Option<Workspace>) -> Result<ProvisionPlan, PlanError> {
    let home = GuestPath::parse(User::Node.home())?;
    let workspace_folder = workspace.as_ref().map(|workspace| workspace.at().clone());
    let folders: Vec<GuestPath> = workspace_folder.iter().cloned().chain([home.clone()]).collect();

    let prompt = prompt::part(request.prompt)?;
    let prompt_file = (!request.prompt.trim().is_empty()).then(|| prompt.at.clone());
    let mut parts: Vec<Part> = vec![prompt];
    parts.extend(provider_files::parts(request.provider, &folders)?);
    parts.extend(git_identity::part(request.git_identity, workspace_folder.as_slice())?);
    for skill in &skills {
        parts.push(skill.part(&request.guest_skills)?);
    }
    parts.extend(provider_files::skill_parts(request.provider, &skills, &request.guest_skills)?);
    parts.extend(workspace.as_ref().map(Workspace::part));
    let (own_links, roots) = programs::parts(&request.visible.links);
    parts.extend(own_links);
    let certificates: Vec<_> = ca::places().map(GuestPath::parse).collect::<Result<_, _>>()?;
    refuse_overlap(&parts, &roots, &certificates)?;

    Ok(ProvisionPlan {
        own: one_tree(parts)?,
        roots,
        skills,
        guest_skills: request.guest_skills.clone(),
        folder: workspace_folder.unwrap_or(home),
        workspace,
        prompt_file,
    })
}

/// A member replaces what stands at its place, so one inside another would be lost or would change the other.
fn refuse_overlap(own: &[Part], roots: &[Part], certificates: &[GuestPath]) -> Result<(), PlanError> {
    let theirs: Vec<_> = roots.iter().map(|part| &part.at).chain(certificates).collect();
    for (index, part) in own.iter().enumerate() {
        let others = own.iter().skip(index + 1).map(|part| &part.at).chain(theirs.iter().copied());
        for other in others {
            for (outer, inner) in [(&part.at, other), (other, &part.at)] {
                if inner.as_path().starts_with(outer.as_path()) {
                    return Err(PlanError::Overlap { outer: outer.clone(), inner: inner.clone() });
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
