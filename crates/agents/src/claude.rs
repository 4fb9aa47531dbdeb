//! Claude Code. What it needs to start without a dialog was read from, and tried with, version 2.1.197 of
//! `@anthropic-ai/claude-code`.

use bottle::GuestPath;
use serde_json::{Map, Value, json};

use crate::{Headless, Placeholder, PromptMode, ProviderFile, Runtime};

pub(crate) const RUNTIME: Runtime = Runtime {
    program: "claude",
    bypass: &["--dangerously-skip-permissions"],
    prompt: PromptMode::AppendFile("--append-system-prompt-file"),
    headless: Headless { leading: &[], trailing: &["-p"] },
    resume: &["--continue"],
    env: &[
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
        ("DISABLE_ERROR_REPORTING", "1"),
        // Its install folder is read-only in the bottle, and a bottle is thrown away.
        ("DISABLE_AUTOUPDATER", "1"),
        ("DISABLE_INSTALLATION_CHECKS", "1"),
    ],
    // The real token never enters a bottle; without any, the first screen is a login.
    placeholder: Some(Placeholder {
        variable: "CLAUDE_CODE_OAUTH_TOKEN",
        value: "placeholder-the-real-token-stays-outside-the-bottle",
        unless: &["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX"],
    }),
};

/// `~/.claude.json` answers the welcome screens and the trust dialog of every folder; `~/.claude/settings.json` the warning
/// about skipped permissions, which asks for nothing that the bottle does not already give.
pub(crate) fn files(folders: &[GuestPath]) -> Vec<ProviderFile> {
    let trusted =
        json!({ "hasTrustDialogAccepted": true, "hasCompletedProjectOnboarding": true, "projectOnboardingSeenCount": 1 });
    let projects: Map<String, Value> =
        folders.iter().map(|folder| (folder.as_path().to_string_lossy().into_owned(), trusted.clone())).collect();
    let state = json!({
        "hasCompletedOnboarding": true,
        // Any version: "seen up to here". A newer program shows at most a note of what changed.
        "lastOnboardingVersion": "2.1.197",
        "theme": "dark",
        "autoUpdates": false,
        "bypassPermissionsModeAccepted": true,
        "projects": projects,
    });
    let settings = json!({ "skipDangerousModePermissionPrompt": true });
    let file = |at, value: &Value| ProviderFile::new(at, format!("{value:#}\n"), 0o600);
    [file(".claude.json", &state), file(".claude/settings.json", &settings)].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use bottle::GuestPath;
    use serde_json::Value;

    use super::files;

    #[test]
    fn every_folder_is_trusted_and_nothing_is_secret() {
        let folders = ["/home/node/workspace", "/home/node", "/odd \"name\"\n"].map(|folder| GuestPath::parse(folder).unwrap());
        let files = files(&folders);
        let state: Value = serde_json::from_slice(&files[0].content).unwrap();
        for folder in &folders {
            assert_eq!(state["projects"][folder.as_path().to_str().unwrap()]["hasTrustDialogAccepted"], true);
        }
        assert_eq!(state["hasCompletedOnboarding"], true);
        let settings: Value = serde_json::from_slice(&files[1].content).unwrap();
        assert_eq!(settings["skipDangerousModePermissionPrompt"], true);
    }
}
