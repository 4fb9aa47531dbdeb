//! What a template's program asks of its model's host, and nothing else of what the host offers.
//!
//! Threat: what pays for the model opens the whole account. Through other paths of the same hosts an agent could make itself a key
//! that outlives the bottle (`/api/oauth/claude_cli/create_api_key`), read the account's files and conversations, start tasks that
//! run elsewhere with what is connected there (`/v1/code/sessions`, `/backend-api/wham/tasks`), or use connected mail and drives
//! (`/backend-api/ps/mcp`). Whoever needs more of a host says so in a route of their own.

use policy::{Method, PathMatch, PathValue, RequestMatch};

/// Paths that may be asked in any way, and paths that may be read.
struct Needs {
    any: &'static [Path],
    read: &'static [Path],
}

enum Path {
    Exact(&'static str),
    Below(&'static str),
}

/// Claude Code, `@anthropic-ai/claude-code` 2.1.330. What it cannot read it does without.
pub(crate) fn claude() -> Vec<RequestMatch> {
    Needs {
        any: &[Path::Exact("/v1/messages"), Path::Exact("/v1/messages/count_tokens")],
        read: &[
            Path::Below("/v1/models"),
            Path::Exact("/api/claude_code/policy_limits"),
            Path::Exact("/api/claude_code/settings"),
            Path::Exact("/api/oauth/usage"),
        ],
    }
    .matches()
}

/// Codex with an API key.
pub(crate) fn openai() -> Vec<RequestMatch> {
    Needs { any: &[Path::Exact("/v1/responses"), Path::Exact("/v1/responses/compact")], read: &[Path::Below("/v1/models")] }
        .matches()
}

/// Codex with a ChatGPT account: which workspace the account is in, how commits are signed, and what is left of its allowance it
/// reads at every start.
pub(crate) fn chatgpt() -> Vec<RequestMatch> {
    Needs {
        any: &[Path::Exact("/backend-api/codex/responses"), Path::Exact("/backend-api/codex/responses/compact")],
        read: &[
            Path::Exact("/backend-api/codex/models"),
            Path::Exact("/backend-api/wham/accounts/check"),
            Path::Exact("/backend-api/wham/settings/user"),
            Path::Exact("/backend-api/wham/usage"),
        ],
    }
    .matches()
}

impl Needs {
    fn matches(&self) -> Vec<RequestMatch> {
        let any = || Some(RequestMatch { paths: paths(self.any)?, ..RequestMatch::default() });
        let read = || {
            let methods = vec![Method::parse("GET").ok()?];
            Some(RequestMatch { paths: paths(self.read)?, methods, ..RequestMatch::default() })
        };
        [any(), read()].into_iter().flatten().collect()
    }
}

fn paths(paths: &[Path]) -> Option<Vec<PathMatch>> {
    let path = |path: &Path| {
        Some(match path {
            Path::Exact(path) => PathMatch::Exact(PathValue::parse(path).ok()?),
            Path::Below(path) => PathMatch::Prefix(PathValue::parse(path).ok()?),
        })
    };
    paths.iter().map(path).collect()
}

#[cfg(test)]
mod tests {
    use policy::RequestMatch;

    use super::{chatgpt, claude, openai};

    fn allows(matches: &[RequestMatch], method: &str, path: &str) -> bool {
        // Nothing is without a path: that would be everything.
        assert!(matches.len() == 2 && matches.iter().all(|one| !one.paths.is_empty()), "{matches:?}");
        let fits = |one: &&RequestMatch| one.methods.is_empty() || one.methods.iter().any(|own| own.as_str() == method);
        matches.iter().filter(fits).flat_map(|one| &one.paths).any(|own| own.is_match(path.as_bytes()))
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
