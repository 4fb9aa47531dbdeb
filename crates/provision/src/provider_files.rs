use agents::Provider;
use bottle::tree::Source;
use bottle::{GuestPath, GuestPathError};

use crate::part::{Part, in_home};
use crate::skill::Skill;

/// The files that the agent's program needs in order to start without a question.
pub(crate) fn parts(provider: &Provider, folders: &[GuestPath]) -> Result<Vec<Part>, GuestPathError> {
    let files = provider.files(folders).into_iter();
    files
        .map(|file| Ok(Part { at: in_home(file.at)?, source: Source::File { content: file.content, mode: file.mode } }))
        .collect()
}

/// The skills once more, where a program looks that knows nothing of the guest skills folder.
pub(crate) fn skill_parts(provider: &Provider, skills: &[Skill], guest_skills: &GuestPath) -> Result<Vec<Part>, GuestPathError> {
    let mut parts = Vec::new();
    for folder in provider.skill_folders() {
        let folder = in_home(folder)?;
        if folder != *guest_skills {
            for skill in skills {
                parts.push(skill.part(&folder)?);
            }
        }
    }
    Ok(parts)
}
