use std::ffi::{OsStr, OsString};
use std::path::Path;

use agents::{Provider, Template, Visible};
use secret::Secret;

use super::{Environment, EnvironmentError};

fn provider(template: Template) -> Provider {
    let command = if template == Template::Command { vec!["x".into()] } else { vec![] };
    Provider::new(template, command, Path::new("/home/me")).unwrap()
}

fn bottle(variables: &[(&str, &str)]) -> Vec<(OsString, Secret)> {
    variables.iter().map(|(name, value)| (name.into(), Secret::from(*value))).collect()
}

fn value(environment: &Environment, name: &str) -> Option<String> {
    let mut values = environment.variables().iter().filter(|(known, _)| known == name).map(|(_, value)| value.reveal());
    let value = values.next().map(|value| String::from_utf8(value.to_vec()).unwrap());
    assert_eq!(values.next(), None, "{name} stands once");
    value
}

#[test]
fn the_bottles_variables_win_over_the_providers_and_later_over_earlier() {
    let own = bottle(&[("A", "1"), ("DISABLE_ERROR_REPORTING", "0"), ("A", "2")]);
    let environment = Environment::build(&provider(Template::Claude), &Visible::default(), &own).unwrap();
    assert_eq!(value(&environment, "A").as_deref(), Some("2"));
    assert_eq!(value(&environment, "DISABLE_ERROR_REPORTING").as_deref(), Some("0"));
    assert_eq!(value(&environment, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC").as_deref(), Some("1"));
    assert_eq!(value(&environment, "PATH"), None);
    assert_eq!(environment.names().filter(|name| *name == OsStr::new("A")).count(), 1);
}

#[test]
fn a_placeholder_login_gives_way_to_the_persons_own() {
    let build =
        |own: &[(&str, &str)]| Environment::build(&provider(Template::Claude), &Visible::default(), &bottle(own)).unwrap();
    assert!(value(&build(&[]), "CLAUDE_CODE_OAUTH_TOKEN").unwrap().starts_with("placeholder-"));
    assert_eq!(value(&build(&[("ANTHROPIC_API_KEY", "k")]), "CLAUDE_CODE_OAUTH_TOKEN"), None);
    assert_eq!(value(&build(&[("CLAUDE_CODE_OAUTH_TOKEN", "mine")]), "CLAUDE_CODE_OAUTH_TOKEN").as_deref(), Some("mine"));
}

#[test]
fn path_begins_with_our_links_and_ends_with_the_bottles_own() {
    let visible = Visible { path_entries: vec!["/home/me/sdk/bin".into(), "/home/me/a:b/bin".into()], ..Visible::default() };
    let build = |visible, own: &[(&str, &str)]| Environment::build(&provider(Template::Command), visible, &bottle(own)).unwrap();
    let path = value(&build(&visible, &[]), "PATH").unwrap();
    assert_eq!(path, "/opt/bot-bottle/bin:/home/me/sdk/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    let path = value(&build(&Visible::default(), &[("PATH", "/only")]), "PATH").unwrap();
    assert_eq!(path, "/opt/bot-bottle/bin:/only");
}

#[test]
fn bad_names_and_values_are_all_named_and_no_value_is_shown() {
    let own = bottle(&[
        ("", "canary-1"),
        ("A=B", "canary-2"),
        ("1A", "x"),
        ("A B", "x"),
        ("\x1b[31m", "x"),
        ("OK", "canary-3\0"),
        ("_a1", "x"),
    ]);
    let errors = Environment::build(&provider(Template::Command), &Visible::default(), &own).unwrap_err();
    assert_eq!(errors.len(), 6);
    assert_eq!(errors[5], EnvironmentError::Value("OK".into()));
    let text = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(!text.contains("canary") && !text.contains('\x1b'), "{text}");
    assert!(!format!("{errors:?} {own:?}").contains("canary"));
}

#[test]
fn certificates_are_named_and_the_bottles_own_variables_win() {
    let own = bottle(&[("SSL_CERT_FILE", "/mine.pem")]);
    let environment = Environment::build(&provider(Template::Command), &Visible::default(), &own).unwrap();
    assert_eq!(value(&environment, "SSL_CERT_FILE").as_deref(), Some("/mine.pem"));
    assert_eq!(value(&environment, "REQUESTS_CA_BUNDLE").as_deref(), Some("/etc/ssl/certs/ca-certificates.crt"));
}
