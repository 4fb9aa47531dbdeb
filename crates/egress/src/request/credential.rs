use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use policy::{Account, Auth, Code, Refusal, Rule};
use secret::Secret;

use super::headers;
use crate::refusal;
use crate::shared::Shared;

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
        Account::Ours => refuse_foreign(&shared.known, rule, headers)?,
        Account::Any => {}
    }
    let Some(auth) = &rule.route.auth else { return Ok(None) };
    headers::strip_credentials(headers);
    let secret = shared.credentials.current(auth.token_ref()).await.map_err(|error| Refusal {
        code: Code::NoCredential,
        message: error.message,
        hint: error.hint,
        rule: Some(rule.origin.clone()),
    })?;
    let (name, value) = header(auth, &secret).ok_or_else(|| {
        let message = format!("the credential from {} cannot stand in a header", auth.token_ref());
        Refusal { rule: Some(rule.origin.clone()), ..refusal::because(Code::NoCredential, message) }
    })?;
    headers.insert(name, value);
    Ok(Some(Injected { auth, secret }))
}

/// Threat: a key of the attacker's own turns an allowed provider into a mailbox.
fn refuse_foreign(known: &[Secret], rule: &Rule, headers: &HeaderMap) -> Result<(), Refusal> {
    let is_known = |sent: &[u8]| known.iter().any(|secret| secret.reveal() == sent);
    if headers::credentials(headers).all(is_known) {
        return Ok(());
    }
    Err(Refusal { rule: Some(rule.origin.clone()), ..refusal::plain(Code::ForeignCredential) })
}

fn header(auth: &Auth, secret: &Secret) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = match auth {
        Auth::Scheme { scheme, .. } => {
            let value = [scheme.as_str().as_bytes(), b" ", secret.reveal()].concat();
            (AUTHORIZATION, HeaderValue::from_bytes(&Secret::new(value).reveal()[..]))
        }
        Auth::Header { header, .. } => (header.as_str().parse().ok()?, HeaderValue::from_bytes(secret.reveal())),
    };
    let mut value = value.ok().filter(|_| !secret.is_empty())?;
    // HTTP/2 does not put it into the table of headers that it may repeat (RFC 7541 §7.1.3), and it is not printed.
    value.set_sensitive(true);
    Some((name, value))
}

#[cfg(test)]
mod tests {
    use policy::{Auth, HeaderName, Scheme, TokenRef};
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
        for bad in ["", "a\r\nx: y", "a\0"] {
            assert!(header(&scheme, &Secret::from(bad)).is_none());
        }
    }
}
