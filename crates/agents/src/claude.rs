//! Claude Code. What it needs to start without a dialog was read from, and tried with, version 2.1.330 of
//! `@anthropic-ai/claude-code`.

use bottle::GuestPath;
use serde_json::{Map, Value, json};

use crate::{Credential, Headless, Placeholder, PlaceholderPlace, PromptMode, ProviderFile, Runtime};

pub(crate) const RUNTIME: Runtime = Runtime {
    program: "claude",
    bypass: &["--dangerously-skip-permissions"],
    prompt: PromptMode::AppendFile("--append-system-prompt-file"),
    headless: Headless { leading: &[], trailing: &["-p"] },
    resume: &["--continue"],
    env: &[
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
        ("DISABLE_ERROR_REPORTING", "1"),
        // The list of plugins comes from hosts that a bottle does not reach: every start would be refused twice or more.
        ("CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL", "1"),
        // Its install folder is read-only in the bottle, and a bottle is thrown away.
        ("DISABLE_AUTOUPDATER", "1"),
        ("DISABLE_INSTALLATION_CHECKS", "1"),
    ],
};

const TOKEN: &str = "placeholder-the-real-token-stays-outside-the-bottle";
const KEY: &str = "placeholder-the-real-key-stays-outside-the-bottle";

/// Other ways to log in, all of which the program prefers to the placeholder's.
const OTHER_LOGINS: &[&str] = &[
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
];

/// What stands in for the credential: it decides how the program asks, with `Authorization` or with `x-api-key`. Without any,
/// its first screen is a login.
pub(crate) fn placeholder(credential: &Credential) -> Placeholder {
    let (name, value) = if is_key(credential) { ("ANTHROPIC_API_KEY", KEY) } else { ("CLAUDE_CODE_OAUTH_TOKEN", TOKEN) };
    Placeholder { value: value.to_owned(), place: PlaceholderPlace::Variable { name, unless: OTHER_LOGINS } }
}

fn is_key(credential: &Credential) -> bool {
    match credential {
        Credential::ApiKey(_) => true,
        Credential::None
        | Credential::Token(_)
        | Credential::ClaudeLogin
        | Credential::CodexKeyLogin
        | Credential::ChatGptLogin(_) => false,
    }
}

/// By what the program knows a key that it has asked about: its last twenty characters.
fn known_by(key: &str) -> &str {
    key.get(key.len().saturating_sub(20)..).unwrap_or(key)
}

/// `~/.claude.json` answers the welcome screens and the trust dialog of every folder; `~/.claude/settings.json` the warning
/// about skipped permissions, which asks for nothing that the bottle does not already give.
pub(crate) fn files(folders: &[GuestPath], credential: &Credential) -> Vec<ProviderFile> {
    let trusted =
        json!({ "hasTrustDialogAccepted": true, "hasCompletedProjectOnboarding": true, "projectOnboardingSeenCount": 1 });
    let projects: Map<String, Value> =
        folders.iter().map(|folder| (folder.as_path().to_string_lossy().into_owned(), trusted.clone())).collect();
    let mut state = json!({
        "hasCompletedOnboarding": true,
        // Any version: "seen up to here". A newer program shows at most a note of what changed.
        "lastOnboardingVersion": "2.1.330",
        "theme": "dark",
        "autoUpdates": false,
        "bypassPermissionsModeAccepted": true,
        "projects": projects,
    });
    if is_key(credential) {
        // Otherwise it asks whether the key of its environment is to be used.
        state["customApiKeyResponses"] = json!({ "approved": [known_by(KEY)], "rejected": [] });
    }
    let settings = json!({ "skipDangerousModePermissionPrompt": true });
    let file = |at, value: &Value| ProviderFile::new(at, format!("{value:#}\n"), 0o600);
    [file(".claude.json", &state), file(".claude/settings.json", &settings)].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use bottle::GuestPath;
    use serde_json::Value;

    use super::{files, placeholder};
    use crate::{Credential, PlaceholderPlace};

    #[test]
    fn every_folder_is_trusted_and_nothing_is_secret() {
        let folders = ["/home/node/workspace", "/home/node", "/odd \"name\"\n"].map(|folder| GuestPath::parse(folder).unwrap());
        let files = files(&folders, &Credential::None);
        let state: Value = serde_json::from_slice(&files[0].content).unwrap();
        for folder in &folders {
            assert_eq!(state["projects"][folder.as_path().to_str().unwrap()]["hasTrustDialogAccepted"], true);
        }
        assert_eq!(state["hasCompletedOnboarding"], true);
        let settings: Value = serde_json::from_slice(&files[1].content).unwrap();
        assert_eq!(settings["skipDangerousModePermissionPrompt"], true);
    }

    #[test]
    fn a_key_is_approved_by_its_end_and_nothing_else_is() {
        let key = Credential::ApiKey(policy::TokenRef::parse("KEY").unwrap());
        let state: Value = serde_json::from_slice(&files(&[], &key)[0].content).unwrap();
        let approved = state["customApiKeyResponses"]["approved"][0].as_str().unwrap();
        assert!(approved.len() == 20 && placeholder(&key).value.ends_with(approved), "{approved}");
        let state: Value = serde_json::from_slice(&files(&[], &Credential::ClaudeLogin)[0].content).unwrap();
        assert!(state.get("customApiKeyResponses").is_none());
    }

    #[test]
    fn the_placeholder_has_the_kind_of_the_credential() {
        let of = policy::TokenRef::parse("TOKEN").unwrap();
        for (credential, variable) in [
            (Credential::None, "CLAUDE_CODE_OAUTH_TOKEN"),
            (Credential::Token(of.clone()), "CLAUDE_CODE_OAUTH_TOKEN"),
            (Credential::ClaudeLogin, "CLAUDE_CODE_OAUTH_TOKEN"),
            (Credential::ApiKey(of), "ANTHROPIC_API_KEY"),
        ] {
            let placeholder = placeholder(&credential);
            assert!(matches!(placeholder.place, PlaceholderPlace::Variable { name, .. } if name == variable), "{placeholder:?}");
            assert!(placeholder.value.starts_with("placeholder-"));
        }
    }
}
