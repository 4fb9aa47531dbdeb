//! Which request headers carry a credential by themselves.
//!
//! Where the person's credential is put in, none of the agent's own goes out beside it; to the person's model, none but those that
//! the person gave. Threat: a server that takes its key from several headers takes the attacker's, so that an allowed host becomes a
//! mailbox, and what the agent does there is done in another's name.
//!
//! Names are compared by their letters: gateways in CGI's manner (RFC 3875 §4.1.18) make one variable of `X-Api-Key` and `x_api_key`.
//! Not here: what only goes with another credential (`X-Csrf-Token`, one-time passwords, `DPoP`), and what says no more than who
//! somebody is (`X-Forwarded-User`). A header that nobody has heard of cannot be told.

use http::header::{HeaderMap, HeaderName};

/// Words that no header has in its name but one that carries such a thing, each with some that have it.
const WORDS: [&str; 6] = [
    // RFC 9110 §11.6.2; X-Authorization, X-Serverless-Authorization (Cloud Run), X-Ms-Authorization-Auxiliary (Azure)
    "authorization",
    // X-Api-Key (Anthropic), Api-Key (Azure), X-Goog-Api-Key, Xi-Api-Key, Dd-Api-Key, X-Openai-Api-Key, ApiKey (Kong, Supabase)
    "apikey",
    // X-Api-Token
    "apitoken",
    // X-Access-Token, X-Shopify-Access-Token, X-Amz-Access-Token, X-Forwarded-Access-Token
    "accesstoken",
    // X-Auth-Token (OpenStack and others)
    "authtoken",
    // X-Session-Token, X-Parse-Session-Token
    "sessiontoken",
];

/// Other names, by their letters, and who takes a credential from them.
const NAMES: [(&str, &str); 29] = [
    ("cookie", "RFC 6265 §5.4"),
    ("cookie2", "RFC 2965 §3.3.5"),
    ("privatetoken", "GitLab: a person's token"),
    ("jobtoken", "GitLab: a job's"),
    ("deploytoken", "GitLab: a deployment's"),
    ("xgitlabtoken", "GitLab: triggers and hooks"),
    ("xgithubtoken", "services that act on GitHub"),
    ("xamzsecuritytoken", "AWS: temporary credentials"),
    ("xawsec2metadatatoken", "AWS: a machine's metadata"),
    ("xgoogiapjwtassertion", "Google: IAP"),
    ("xsubjecttoken", "OpenStack: the token that is asked about"),
    ("xservicetoken", "OpenStack: a service's"),
    ("xauthkey", "Cloudflare: the account's key"),
    ("xauthuserservicekey", "Cloudflare: Origin CA"),
    ("ocpapimsubscriptionkey", "Azure: API Management, AI"),
    ("xfunctionskey", "Azure: Functions"),
    ("xzumoauth", "Azure: App Service"),
    ("ddapplicationkey", "Datadog"),
    ("xvaulttoken", "Vault"),
    ("xconsultoken", "Consul"),
    ("xnomadtoken", "Nomad"),
    ("xfigmatoken", "Figma"),
    ("xjfrogartapi", "Artifactory"),
    ("circletoken", "CircleCI"),
    ("xsubscriptiontoken", "Brave"),
    ("xauth", "custom services, by convention"),
    ("xtoken", "custom services, by convention"),
    ("token", "custom services, by convention"),
    ("xjwttoken", "custom services, by convention"),
];

/// Whether a header of this name carries a credential.
pub(super) fn is_credential(name: &HeaderName) -> bool {
    let letters: String = name.as_str().chars().filter(|letter| !matches!(letter, '-' | '_')).collect();
    WORDS.iter().any(|word| letters.contains(word)) || NAMES.iter().any(|(name, _)| letters == *name)
}

/// Removes what carries a credential.
pub(super) fn strip_credentials(headers: &mut HeaderMap) {
    let carrying: Vec<HeaderName> = headers.keys().filter(|name| is_credential(name)).cloned().collect();
    for name in carrying {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::{NAMES, WORDS, is_credential, strip_credentials};

    fn is(name: &str) -> bool {
        is_credential(&name.parse().unwrap())
    }

    #[test]
    fn a_header_that_carries_a_credential_is_known_by_its_name() {
        for name in [
            "Authorization",
            "X-Authorization",
            "Proxy-Authorization",
            "X-Serverless-Authorization",
            "Cookie",
            "X-Api-Key",
            "X_API_KEY",
            "Api-Key",
            "ApiKey",
            "X-Goog-Api-Key",
            "PRIVATE-TOKEN",
            "private_token",
            "JOB-TOKEN",
            "Deploy-Token",
            "X-Auth-Token",
            "X-GitHub-Token",
            "X-Amz-Security-Token",
            "X-Shopify-Access-Token",
            "X-Vault-Token",
            "Ocp-Apim-Subscription-Key",
        ] {
            assert!(is(name), "{name}");
        }
    }

    #[test]
    fn what_programs_say_of_themselves_is_none() {
        for name in [
            "accept",
            "host",
            "content-length",
            "user-agent",
            "anthropic-version",
            "anthropic-beta",
            "openai-beta",
            "chatgpt-account-id",
            "session_id",
            "x-app",
            "x-stainless-retry-count",
            "x-claude-code-session-id",
            "idempotency-key",
            "x-amz-client-token",
            "x-amz-date",
            "x-ms-continuation",
            "x-csrf-token",
            "x-tokens-left",
            "sec-websocket-key",
            "git-protocol",
        ] {
            assert!(!is(name), "{name}");
        }
    }

    #[test]
    fn the_list_is_of_letters_and_says_nothing_twice() {
        for (at, (name, reason)) in NAMES.iter().enumerate() {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) && !reason.is_empty(), "{name}");
            assert!(!WORDS.iter().any(|word| name.contains(word)), "{name} is one by its words");
            assert!(NAMES[at + 1..].iter().all(|(other, _)| other != name), "{name} stands twice");
        }
    }

    #[test]
    fn none_is_left_however_often_it_is_sent() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("private-token", "a"), ("private-token", "b"), ("x_auth_token", "c"), ("accept", "*/*")] {
            headers.append(name, value.parse().unwrap());
        }
        strip_credentials(&mut headers);
        assert_eq!(headers.len(), 1);
    }
}
