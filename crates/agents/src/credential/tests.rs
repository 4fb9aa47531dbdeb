use policy::TokenRef;

use super::{ChatGptAccount, Credential};
use crate::Template;

fn token() -> TokenRef {
    TokenRef::parse("TOKEN").unwrap()
}

fn account() -> ChatGptAccount {
    ChatGptAccount { account_id: "acct-1".into(), user_id: None, plan: None, fedramp: false }
}

/// Host and how the credential is put in: `api.example.com Bearer variable TOKEN`.
fn hosts(template: Template, credential: &Credential) -> Vec<String> {
    let told = |host: policy::ProviderHost| match &host.auth {
        Some(auth) => format!("{} {auth} {}", host.host, auth.token_ref()),
        None => host.host.to_string(),
    };
    credential.hosts(template).into_iter().map(told).collect()
}

#[test]
fn each_kind_is_put_in_where_and_how_its_provider_takes_it() {
    use Template::{Claude, Codex};
    const LOGIN: [&str; 2] = ["api.openai.com Bearer your Codex login", "chatgpt.com Bearer your Codex login"];
    for (template, credential, told) in [
        (Claude, Credential::None, &["api.anthropic.com"][..]),
        (Claude, Credential::Token(token()), &["api.anthropic.com Bearer variable TOKEN"]),
        (Claude, Credential::ApiKey(token()), &["api.anthropic.com x-api-key variable TOKEN"]),
        (Claude, Credential::ClaudeLogin, &["api.anthropic.com Bearer your Claude login"]),
        (Codex, Credential::None, &["api.openai.com", "chatgpt.com"]),
        (Codex, Credential::ApiKey(token()), &["api.openai.com Bearer variable TOKEN"]),
        (Codex, Credential::CodexKeyLogin, &LOGIN),
        (Codex, Credential::ChatGptLogin(account()), &LOGIN),
    ] {
        assert!(credential.is_for(template));
        assert_eq!(hosts(template, &credential), told);
    }
    assert!(hosts(Template::Command, &Credential::None).is_empty());
}

#[test]
fn a_credential_of_another_program_is_not_taken() {
    for (template, credential) in [
        (Template::Codex, Credential::Token(token())),
        (Template::Codex, Credential::ClaudeLogin),
        (Template::Claude, Credential::CodexKeyLogin),
        (Template::Claude, Credential::ChatGptLogin(account())),
        (Template::Command, Credential::ApiKey(token())),
    ] {
        assert!(!credential.is_for(template), "{template} {credential:?}");
    }
}
