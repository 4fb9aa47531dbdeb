use bottle::GuestPathError;

use crate::part::{Part, in_home};

/// Where the prompt of the agent's file stands, below `/home/node`.
pub const PROMPT_FILE: &str = ".bot-bottle-prompt.txt";

/// The prompt file: always written, readable by the agent's user alone.
pub(crate) fn part(prompt: &str) -> Result<Part, GuestPathError> {
    let prompt = prompt.trim();
    let content = if prompt.is_empty() { String::new() } else { format!("{prompt}\n") };
    Ok(Part::file(in_home(PROMPT_FILE)?, content, 0o600))
}
