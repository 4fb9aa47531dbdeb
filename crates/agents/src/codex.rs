//! OpenAI Codex. What it needs to start without a dialog was tried with version 0.169.0 of `@openai/codex`.

use bottle::GuestPath;
use serde_json::json;

use crate::{Headless, PromptMode, ProviderFile, Runtime};

pub(crate) const RUNTIME: Runtime = Runtime {
    program: "codex",
    bypass: &["--dangerously-bypass-approvals-and-sandbox"],
    prompt: PromptMode::ToldToRead,
    headless: Headless { leading: &["exec"], trailing: &["--skip-git-repo-check"] },
    resume: &["resume", "--last"],
    env: &[],
    placeholder: None,
};

/// Stands where a key would.
pub(crate) const PLACEHOLDER: &str = "placeholder-the-real-key-stays-outside-the-bottle";
/// Where it looks for skills, beside the folders of the workspace.
pub(crate) const SKILL_FOLDERS: &[&str] = &[".agents/skills"];

/// `config.toml` trusts the folders and switches off what would ask or update; `auth.json` has the form of a login, so that
/// the first screen is no sign-in. The real credential never enters a bottle.
pub(crate) fn files(folders: &[GuestPath]) -> Vec<ProviderFile> {
    let mut config = String::from("check_for_update_on_startup = false\n");
    for folder in folders {
        // A JSON string is a TOML basic string (TOML 1.0, "String").
        let name = json!(folder.as_path().to_string_lossy());
        config.push_str(&format!("\n[projects.{name}]\ntrust_level = \"trusted\"\n"));
    }
    let auth = json!({ "OPENAI_API_KEY": PLACEHOLDER });
    let file = |at, content: String| ProviderFile::new(at, content, 0o600);
    [file(".codex/config.toml", config), file(".codex/auth.json", format!("{auth:#}\n"))].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use bottle::GuestPath;

    use super::files;

    #[test]
    fn folders_are_trusted_by_quoted_names() {
        let files = files(&[GuestPath::parse("/home/node/a \"b\"").unwrap()]);
        let config = String::from_utf8(files[0].content.clone()).unwrap();
        assert!(config.contains("[projects.\"/home/node/a \\\"b\\\"\"]\ntrust_level = \"trusted\"\n"), "{config}");
        assert_eq!((files[1].at, files[1].mode), (".codex/auth.json", 0o600));
    }
}
