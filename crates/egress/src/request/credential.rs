use data_encoding::BASE64;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use policy::{Account, Auth, Code, Refusal, Rule};
use secret::Secret;

use super::credential_headers::strip_credentials;
use super::headers;
use crate::CredentialError;
use crate::refusal;
use crate::state::Shared;

/// What was put into a request.
pub(super) struct Injected<'a> {
    pub(super) auth: &'a Auth,
    pub(super) secret: Secret,
}

/// Refuses somebody else's credential, removes what the agent sent as one, and puts the rule's own in.
///
/// # Errors
/// [`Code::ForeignCredential`]; [`Code::NoCredential`] when the rule's cannot be had: without it nothing is sent.
pub(super) async fn settle<'a>(
    shared: &Shared,
    rule: &'a Rule,
    headers: &mut HeaderMap,
) -> Result<Option<Injected<'a>>, Refusal> {
    match rule.account {
        Account::Ours => judge(shared, rule, headers)?,
        Account::Any => {}
    }
    let Some(auth) = &rule.route.auth else { return Ok(None) };
    strip_credentials(headers);
    let missing = || Refusal { rule: Some(rule.origin.clone()), ..refusal::plain(Code::NoCredential) };
    let secret = shared.credentials.current(auth.token_ref()).await.map_err(|CredentialError| missing())?;
    let (name, value) = header(auth, &secret).ok_or_else(missing)?;
    headers.insert(name, value);
    Ok(Some(Injected { auth, secret }))
}

/// Threat: a key of the attacker's own turns an allowed provider into a mailbox.
fn judge(shared: &Shared, rule: &Rule, headers: &HeaderMap) -> Result<(), Refusal> {
    let is_one_of = |all: &[Secret], sent: &[u8]| all.iter().any(|secret| secret.reveal() == sent);
    let (mut ours, mut stand_in) = (false, false);
    for sent in headers::credentials(headers) {
        match (is_one_of(&shared.placeholders, sent), is_one_of(&shared.known, sent)) {
            (true, _) => stand_in = true,
            (false, true) => ours = true,
            (false, false) => {
                return Err(Refusal { rule: Some(rule.origin.clone()), ..refusal::plain(Code::ForeignCredential) });
            }
        }
    }
    match rule.unpaid() {
        // Nobody pays for the request: a placeholder is nothing to send.
        Some(refusal) if !ours || stand_in => Err(refusal),
        // A key that the bottle's own environment gives is the agent's.
        Some(_) | None => Ok(()),
    }
}

fn header(auth: &Auth, secret: &Secret) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = match auth {
        Auth::Scheme { scheme, .. } => {
            let value = [scheme.as_str().as_bytes(), b" ", secret.reveal()].concat();
            (AUTHORIZATION, HeaderValue::from_bytes(Secret::new(value).reveal()))
        }
        // An empty password would be sent as one.
        Auth::Basic { user, .. } if !secret.is_empty() => {
            let pair = Secret::new([user.as_str().as_bytes(), b":", secret.reveal()].concat());
            let mut value = b"Basic ".to_vec();
            value.resize(value.len() + BASE64.encode_len(pair.reveal().len()), 0);
            BASE64.encode_mut(pair.reveal(), &mut value[b"Basic ".len()..]);
            (AUTHORIZATION, HeaderValue::from_bytes(Secret::new(value).reveal()))
        }
        Auth::Basic { .. } => return None,
        Auth::Header { header, .. } => (header.as_str().parse().ok()?, HeaderValue::from_bytes(secret.reveal())),
    };
    let mut value = value.ok().filter(|_| !secret.is_empty())?;
    // HTTP/2 does not put it into the table of headers that it may repeat (RFC 7541 §7.1.3), and it is not printed.
    value.set_sensitive(true);
    Some((name, value))
}

#[cfg(test)]
mod tests {
    use policy::{Auth, HeaderName, Scheme, TokenRef, UserName};
    use secret::Secret;

    use super::header;

    #[test]
    fn credentials_stand_where_the_route_says_and_are_not_printed() {
        let token_ref = TokenRef::parse("T").unwrap();
        let scheme = Auth::Scheme { scheme: Scheme::Bearer, token_ref: token_ref.clone() };
        let own = Auth::Header { header: HeaderName::parse("X-Api-Key").unwrap(), token_ref };
        let secret = Secret::from("canary");
        let (name, value) = header(&scheme, &secret).unwrap();
        assert_eq!((name.as_str(), value.as_bytes()), ("authorization", &b"Bearer canary"[..]));
        assert!(!format!("{value:?}").contains("canary"));
        let (name, value) = header(&own, &secret).unwrap();
        assert_eq!((name.as_str(), value.as_bytes()), ("x-api-key", &b"canary"[..]));
        let basic = Auth::Basic { user: UserName::parse("me").unwrap(), token_ref: scheme.token_ref().clone() };
        let (name, value) = header(&basic, &secret).unwrap();
        assert_eq!((name.as_str(), value.as_bytes()), ("authorization", &b"Basic bWU6Y2FuYXJ5"[..]));
        assert!(!format!("{value:?}").contains("bWU6"));
        assert!(header(&basic, &Secret::from("")).is_none());
        for bad in ["", "a\r\nx: y", "a\0"] {
            assert!(header(&scheme, &Secret::from(bad)).is_none());
        }
    }
}
