use policy::{HeaderName, HeaderValue, Method, Rule, Table, TlsMode, UrlTarget};
use serde::Serialize;
use store::escape;

use super::request::{Outcome, Request};
use super::{NOT_SO, rules};
use crate::args;
use crate::failure::Failure;
use crate::host_env::HostEnvironment;
use crate::preflight::Lines;
use crate::talk;

/// What would become of a request. Names, never values; every text is safe to show.
#[derive(Serialize)]
struct Explanation {
    /// `allow` or `refuse`.
    verdict: &'static str,
    method: String,
    /// Without its query.
    url: String,
    agent: String,
    bottles: Vec<String>,
    /// The file and line that decided.
    rule: Option<String>,
    /// The hosts that the rule is for.
    host: Option<String>,
    code: Option<&'static str>,
    message: Option<String>,
    hint: Option<String>,
    tls: Option<&'static str>,
    /// `Authorization: Bearer` and the like, and where the host finds the credential.
    credential: Option<Credential>,
    /// Where it would be connected to, where the rule says so.
    dial: Option<String>,
    /// Rules for the host that do not count, because a more specific one decides alone.
    outranked: Vec<String>,
}

#[derive(Serialize)]
struct Credential {
    header: String,
    from: String,
}

/// `policy explain AGENT URL`
pub fn run(args: &args::Explain, host: &HostEnvironment) -> Result<u8, Failure> {
    let url = UrlTarget::parse(&args.url).map_err(|error| Failure::usage(format!("cannot judge the URL: {error}")))?;
    Method::parse(&args.method).map_err(|error| Failure::usage(error.to_string()))?;
    let headers = args.headers.iter().map(|text| header(text)).collect::<Result<Vec<_>, _>>()?;
    let (resolved, table) = rules(&args.agent, &args.bottles, host)?;
    talk::notes(&resolved.notes);
    let outcome = Request { url: &url, method: &args.method, headers: &headers }.outcome(&table);
    let mut explanation = explain(&outcome, &url, &table);
    explanation.method = escape(&args.method);
    explanation.agent = resolved.agent.name.to_string();
    explanation.bottles = resolved.bottles.iter().map(ToString::to_string).collect();
    if args.json {
        talk::json(&explanation)?;
    } else {
        talk::data(&render(&explanation))?;
    }
    Ok(match outcome {
        Outcome::Judged(_) | Outcome::Unopened(_) => 0,
        Outcome::Refused(_) => NOT_SO,
    })
}

/// `NAME: VALUE`. The value is not repeated in an error: it may be a credential.
fn header(text: &str) -> Result<(HeaderName, HeaderValue), Failure> {
    let (name, value) = text.split_once(':').ok_or_else(|| Failure::usage("a header is written `NAME: VALUE`"))?;
    let name = HeaderName::parse(name).map_err(|error| Failure::usage(error.to_string()))?;
    let value = HeaderValue::parse(value.trim()).map_err(|error| Failure::usage(format!("the header `{name}`: {error}")))?;
    Ok((name, value))
}

fn explain(outcome: &Outcome<'_>, url: &UrlTarget, table: &Table) -> Explanation {
    let (rule, refusal) = match outcome {
        Outcome::Judged(rule) | Outcome::Unopened(rule) => (Some(*rule), None),
        Outcome::Refused(refusal) => (None, Some(refusal)),
    };
    Explanation {
        verdict: if refusal.is_some() { "refuse" } else { "allow" },
        method: String::new(),
        url: shown(url),
        agent: String::new(),
        bottles: Vec::new(),
        rule: rule.map(|rule| rule.origin.to_string()).or_else(|| refusal?.rule.as_ref().map(ToString::to_string)),
        host: rule.map(|rule| rule.route.host.to_string()),
        code: refusal.map(|refusal| refusal.code.as_str()),
        message: refusal.map(|refusal| refusal.message.clone()),
        hint: refusal.map(|refusal| refusal.hint.clone()),
        tls: outcome.tls(url.transport).map(TlsMode::as_str),
        credential: rule.and_then(|rule| rule.route.auth.as_ref()).map(|auth| Credential {
            header: match auth {
                policy::Auth::Scheme { scheme, .. } => format!("authorization: {}", scheme.as_str()),
                policy::Auth::Basic { user, .. } => format!("authorization: Basic, as {}", user.as_str()),
                policy::Auth::Header { header, .. } => header.to_string(),
            },
            from: auth.token_ref().to_string(),
        }),
        dial: rule.and_then(|rule| rule.route.dial).map(|dial| dial.to_string()),
        outranked: outranked(url, table),
    }
}

/// The URL as it was judged, without its query, which may hold a token.
fn shown(url: &UrlTarget) -> String {
    let port = if url.port == url.transport.default_port() { String::new() } else { format!(":{}", url.port) };
    let host = match &url.host {
        policy::Host::Address(address) if address.is_ipv6() => format!("[{address}]"),
        host @ (policy::Host::Name(_) | policy::Host::Address(_)) => host.to_string(),
    };
    format!("{}://{host}{port}{}", url.transport, escape(&url.path))
}

fn outranked(url: &UrlTarget, table: &Table) -> Vec<String> {
    let deciding = table.deciding(&url.host).map(|rule| &rule.route.host);
    let others = table.rules().iter().filter(|rule| rule.route.host.is_for(&url.host) && Some(&rule.route.host) != deciding);
    others.map(|rule: &Rule| format!("{} of {}", rule.route.host, rule.origin)).collect()
}

fn render(explanation: &Explanation) -> String {
    let mut lines = Lines::default();
    let what = match (explanation.verdict, explanation.code) {
        (_, Some(code)) => format!("refused, {code}"),
        (_, None) => "allowed".to_owned(),
    };
    lines.one("request", &format!("{} {}", explanation.method, explanation.url));
    lines.one("agent", &format!("{} in {}", explanation.agent, explanation.bottles.join(" + ")));
    lines.one("verdict", &what);
    lines.one("because", explanation.message.as_deref().unwrap_or_default());
    lines.one("hint", explanation.hint.as_deref().unwrap_or_default());
    let host = explanation.host.as_ref().map(|host| format!(", for {host}")).unwrap_or_default();
    lines.one("rule", &explanation.rule.as_ref().map(|rule| format!("{rule}{host}")).unwrap_or_default());
    lines.one(
        "tls",
        match explanation.tls {
            Some("passthrough") => "passed on unopened: the host's name alone is checked, not the request",
            Some(_) => "opened, so that each request is judged",
            None => "",
        },
    );
    if let Some(credential) = &explanation.credential {
        lines.one("credential", &format!("{} from {}, put in outside the bottle", credential.header, credential.from));
    }
    if let Some(dial) = &explanation.dial {
        lines.one("connects", &format!("to {dial}, without looking the host up"));
    }
    lines.many("outranked", &explanation.outranked);
    lines.into_text()
}
