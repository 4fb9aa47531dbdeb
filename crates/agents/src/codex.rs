//! OpenAI Codex. What it needs to start without a dialog was tried with version 0.169.0 of `@openai/codex`.

mod unsigned_token;

use bottle::GuestPath;
use serde_json::{Value, json};
use unsigned_token::unsigned_token;

use crate::{ChatGptAccount, Credential, Headless, Placeholder, PlaceholderPlace, PromptMode, ProviderFile, Runtime};

pub(crate) const RUNTIME: Runtime = Runtime {
    program: "codex",
    bypass: &["--dangerously-bypass-approvals-and-sandbox"],
    prompt: PromptMode::ToldToRead,
    headless: Headless { leading: &["exec"], trailing: &["--skip-git-repo-check"] },
    resume: &["resume", "--last"],
    env: &[],
};

/// Where it looks for skills, beside the folders of the workspace.
pub(crate) const SKILL_FOLDERS: &[&str] = &[".agents/skills"];

const KEY: &str = "placeholder-the-real-key-stays-outside-the-bottle";
const REFRESH: &str = "placeholder-logins-are-refreshed-outside-the-bottle";

/// Nothing that asks or updates, and nothing of the account beside the model: apps, plugins, tips, and the list of models for an API key
/// (which `chatgpt.com` has) are asked for where the bottle does not reach, again and again, and the first answer waits for that.
/// No daemon that outlives its terminal: the bottle does not. Bodies are not compressed: what leaves is to be read before it does.
const SETTINGS: &str = r#"check_for_update_on_startup = false

[analytics]
enabled = false

[otel]
metrics_exporter = "none"

[tui]
show_tooltips = false

[features]
api_key_model_discovery = false
apps = false
daemon_auto_start = false
enable_request_compression = false
plugins = false
remote_plugin = false
"#;

/// When the stand-in for an access token ends, in seconds since 1970: in the year 2100.
///
/// Codex refreshes a token five minutes before its end, and asks the person to log in when it cannot. The real token is
/// refreshed outside, where its end is known; inside there must never be a reason to.
const NEVER: i64 = 4_102_444_800;

/// The claims that tell Codex about the account.
const AUTH: &str = "https://api.openai.com/auth";

/// `config.toml` trusts the folders and switches off what would ask or update; `auth.json` has the form of the login, so that
/// the first screen is no sign-in. The real credential never enters a bottle.
pub(crate) fn files(folders: &[GuestPath], credential: &Credential) -> Vec<ProviderFile> {
    let mut config = SETTINGS.to_owned();
    for folder in folders {
        // A JSON string is a TOML basic string (TOML 1.0, "String").
        let name = json!(folder.as_path().to_string_lossy());
        config.push_str(&format!("\n[projects.{name}]\ntrust_level = \"trusted\"\n"));
    }
    let auth = match credential {
        Credential::ChatGptLogin(account) => account_login(account),
        Credential::None | Credential::ApiKey(_) | Credential::CodexKeyLogin | Credential::Token(_) | Credential::ClaudeLogin => {
            json!({ "auth_mode": "apikey", "OPENAI_API_KEY": KEY })
        }
    };
    let file = |at, content: String| ProviderFile::new(at, content, 0o600);
    [file(".codex/config.toml", config), file(".codex/auth.json", format!("{auth:#}\n"))].into_iter().collect()
}

/// What stands in for the credential, in the `auth.json` of [`files`].
pub(crate) fn placeholders(credential: &Credential) -> Vec<Placeholder> {
    let values = match credential {
        Credential::ChatGptLogin(account) => vec![access_token(account), id_token(account), REFRESH.to_owned()],
        Credential::None | Credential::ApiKey(_) | Credential::CodexKeyLogin | Credential::Token(_) | Credential::ClaudeLogin => {
            vec![KEY.to_owned()]
        }
    };
    values.into_iter().map(|value| Placeholder { value, place: PlaceholderPlace::File }).collect()
}

fn account_login(account: &ChatGptAccount) -> Value {
    json!({
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": null,
        "tokens": {
            "id_token": id_token(account),
            "access_token": access_token(account),
            "refresh_token": REFRESH,
            "account_id": account.account_id,
        },
        // It counts for tokens alone that do not say when they end, but it has to be there.
        "last_refresh": "2026-01-01T00:00:00Z",
    })
}

fn id_token(account: &ChatGptAccount) -> String {
    unsigned_token(&json!({ "exp": NEVER, AUTH: claims(account) }))
}

fn access_token(account: &ChatGptAccount) -> String {
    let stands_for = "the real token stays outside the bottle";
    unsigned_token(&json!({ "exp": NEVER, "placeholder": stands_for, AUTH: claims(account) }))
}

fn claims(account: &ChatGptAccount) -> Value {
    json!({
        "chatgpt_account_id": account.account_id,
        "chatgpt_user_id": account.user_id,
        "chatgpt_plan_type": account.plan,
        "chatgpt_account_is_fedramp": account.fedramp,
    })
}

#[cfg(test)]
mod tests {
    use bottle::GuestPath;

    use serde_json::Value;

    use super::{files, placeholders};
    use crate::{ChatGptAccount, Credential};

    #[test]
    fn folders_are_trusted_by_quoted_names() {
        let files = files(&[GuestPath::parse("/home/node/a \"b\"").unwrap()], &Credential::None);
        let config = String::from_utf8(files[0].content.clone()).unwrap();
        assert!(config.contains("[projects.\"/home/node/a \\\"b\\\"\"]\ntrust_level = \"trusted\"\n"), "{config}");
        // Tables come after what belongs to none.
        assert!(config.starts_with("check_for_update_on_startup = false\n\n["), "{config}");
        assert_eq!((files[1].at, files[1].mode), (".codex/auth.json", 0o600));
    }

    #[test]
    fn the_login_has_the_form_of_the_hosts_and_holds_placeholders_alone() {
        let account = ChatGptAccount {
            account_id: "acct-1".into(),
            user_id: Some("user-1".into()),
            plan: Some("plus".into()),
            fedramp: false,
        };
        let credential = Credential::ChatGptLogin(account);
        let auth: Value = serde_json::from_slice(&files(&[], &credential)[1].content).unwrap();
        assert_eq!((&auth["auth_mode"], &auth["tokens"]["account_id"]), (&"chatgpt".into(), &"acct-1".into()));
        let known: Vec<String> = placeholders(&credential).into_iter().map(|placeholder| placeholder.value).collect();
        for token in ["id_token", "access_token", "refresh_token"] {
            assert!(known.contains(&auth["tokens"][token].as_str().unwrap().to_owned()), "{token}");
        }

        let auth: Value = serde_json::from_slice(&files(&[], &Credential::CodexKeyLogin)[1].content).unwrap();
        assert_eq!(auth["auth_mode"], "apikey");
        assert_eq!(placeholders(&Credential::CodexKeyLogin)[0].value, auth["OPENAI_API_KEY"].as_str().unwrap());
    }
}
