//! What a template's program asks of its model's host, and nothing else of what the host offers.
//!
//! Threat: what pays for the model opens the whole account. Through other paths of the same hosts an agent could make itself a key
//! that outlives the bottle (`/api/oauth/claude_cli/create_api_key`), read the account's files and conversations, start tasks that
//! run elsewhere with what is connected there (`/v1/code/sessions`, `/backend-api/wham/tasks`), or use connected mail and drives
//! (`/backend-api/ps/mcp`). Whoever needs more of a host says so in a route of their own.

use policy::{Method, PathMatch, PathValue, RequestMatch};

/// A method, and the paths that the program asks for by it. By others it could change or delete what it is to read.
type Need = (&'static str, &'static [Path]);

enum Path {
    Exact(&'static str),
    Below(&'static str),
}

use Path::{Below, Exact};

/// Claude Code, `@anthropic-ai/claude-code` 2.1.330. What it cannot read it does without.
pub(crate) fn claude() -> Vec<RequestMatch> {
    matches(&[
        ("POST", &[Exact("/v1/messages"), Exact("/v1/messages/count_tokens")]),
        (
            "GET",
            &[
                Below("/v1/models"),
                Exact("/api/claude_code/policy_limits"),
                Exact("/api/claude_code/settings"),
                Exact("/api/oauth/usage"),
            ],
        ),
    ])
}

/// Codex with an API key. A conversation over a WebSocket begins with GET (RFC 6455 §4.1).
pub(crate) fn openai() -> Vec<RequestMatch> {
    matches(&[
        ("POST", &[Exact("/v1/responses"), Exact("/v1/responses/compact")]),
        ("GET", &[Exact("/v1/responses"), Below("/v1/models")]),
    ])
}

/// Codex with a ChatGPT account: which workspace the account is in, how commits are signed, and what is left of its allowance it
/// reads at every start.
pub(crate) fn chatgpt() -> Vec<RequestMatch> {
    matches(&[
        ("POST", &[Exact("/backend-api/codex/responses"), Exact("/backend-api/codex/responses/compact")]),
        (
            "GET",
            &[
                Exact("/backend-api/codex/responses"),
                Exact("/backend-api/codex/models"),
                Exact("/backend-api/wham/accounts/check"),
                Exact("/backend-api/wham/settings/user"),
                Exact("/backend-api/wham/usage"),
            ],
        ),
    ])
}

fn matches(needs: &[Need]) -> Vec<RequestMatch> {
    let one = |(method, own): &Need| {
        let methods = vec![Method::parse(method).ok()?];
        Some(RequestMatch { methods, paths: paths(own)?, ..RequestMatch::default() })
    };
    needs.iter().filter_map(one).collect()
}

fn paths(paths: &[Path]) -> Option<Vec<PathMatch>> {
    let path = |path: &Path| {
        Some(match path {
            Exact(path) => PathMatch::Exact(PathValue::parse(path).ok()?),
            Below(path) => PathMatch::Prefix(PathValue::parse(path).ok()?),
        })
    };
    paths.iter().map(path).collect()
}

#[cfg(test)]
mod tests {
    use policy::{PathMatch, RequestMatch};

    use super::{chatgpt, claude, openai};

    fn allows(matches: &[RequestMatch], method: &str, path: &str) -> bool {
        // Nothing is without a path or a method: that would be everything.
        assert!(matches.len() == 2 && matches.iter().all(|one| !one.paths.is_empty() && !one.methods.is_empty()), "{matches:?}");
        let fits = |one: &&RequestMatch| one.methods.iter().any(|own| own.as_str() == method);
        matches.iter().filter(fits).flat_map(|one| &one.paths).any(|own| own.is_match(path.as_bytes()))
    }

    #[test]
    fn the_model_is_asked_and_nothing_of_it_is_changed() {
        for matches in [claude(), openai(), chatgpt()] {
            for path in matches.iter().flat_map(|one| &one.paths).map(|path| match path {
                PathMatch::Exact(path) | PathMatch::Prefix(path) => path.as_str(),
                PathMatch::Regex(regex) => panic!("{regex:?}"),
            }) {
                for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "COPY", "get"] {
                    assert!(!allows(&matches, method, path), "{method} {path}");
                }
            }
        }
        assert!(!allows(&claude(), "GET", "/v1/messages") && !allows(&openai(), "GET", "/v1/responses/compact"));
    }

    #[test]
    fn a_claude_login_opens_the_model_and_not_the_account() {
        for (method, path) in [("POST", "/v1/messages"), ("POST", "/v1/messages/count_tokens"), ("GET", "/v1/models/claude")] {
            assert!(allows(&claude(), method, path), "{method} {path}");
        }
        for path in [
            "/",
            "/api/oauth/claude_cli/create_api_key",
            "/api/oauth/profile",
            "/v1/messages/batches",
            "/v1/files",
            "/v1/code/sessions",
            "/v1/sessions",
            "/v1/mcp_servers",
            "/v1/organizations/api_keys",
        ] {
            assert!(!allows(&claude(), "GET", path) && !allows(&claude(), "POST", path), "{path}");
        }
        assert!(!allows(&claude(), "POST", "/api/claude_code/settings"));
    }

    #[test]
    fn an_openai_key_opens_the_model_and_not_the_account() {
        for (method, path) in [("POST", "/v1/responses"), ("GET", "/v1/responses"), ("GET", "/v1/models")] {
            assert!(allows(&openai(), method, path), "{method} {path}");
        }
        for path in
            ["/v1/files", "/v1/responses/resp_1", "/v1/vector_stores", "/v1/organization/admin_api_keys", "/v1/fine_tuning/jobs"]
        {
            assert!(!allows(&openai(), "GET", path) && !allows(&openai(), "POST", path), "{path}");
        }
    }

    #[test]
    fn a_chatgpt_token_opens_the_model_and_not_the_account() {
        for (method, path) in [
            ("POST", "/backend-api/codex/responses"),
            ("GET", "/backend-api/codex/responses"),
            ("POST", "/backend-api/codex/responses/compact"),
            ("GET", "/backend-api/codex/models"),
            ("GET", "/backend-api/wham/accounts/check"),
            ("GET", "/backend-api/wham/settings/user"),
        ] {
            assert!(allows(&chatgpt(), method, path), "{method} {path}");
        }
        for path in ["/", "/backend-api/conversations", "/backend-api/wham/tasks", "/backend-api/ps/mcp", "/backend-api/codex"] {
            assert!(!allows(&chatgpt(), "GET", path) && !allows(&chatgpt(), "POST", path), "{path}");
        }
        for path in ["/backend-api/wham/settings/user", "/backend-api/wham/usage"] {
            assert!(!allows(&chatgpt(), "PATCH", path) && !allows(&chatgpt(), "POST", path), "{path}");
        }
    }
}
