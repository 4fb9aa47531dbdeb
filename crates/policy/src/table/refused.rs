//! The refusals of a table. What a request holds is not repeated, but for its host, port and method: a refusal is recorded, and
//! a path may hold a secret.

use crate::{Asked, Code, Host, Refusal, Rule, Shown};

const ASK: &str = "http://policy.bottle.internal/ lists what is allowed; ask the person for more, and do not try other ways";

pub(super) fn host(host: &Host) -> Refusal {
    Refusal {
        code: Code::HostNotAllowed,
        message: format!("{host} is not a host that this bottle may reach"),
        hint: ASK.to_owned(),
        rule: None,
    }
}

pub(super) fn port<'a>(host: &Host, port: u16, rules: impl Iterator<Item = &'a Rule>) -> Refusal {
    let rules: Vec<&Rule> = rules.collect();
    let mut allowed: Vec<String> = Vec::new();
    for rule in &rules {
        let own: Vec<String> = match rule.route.ports.as_slice() {
            // A credential never travels without TLS, so 80 would be refused as well.
            [] if rule.route.auth.is_some() => vec!["443 with TLS".to_owned()],
            [] => vec!["443 with TLS".to_owned(), "80 without".to_owned()],
            ports => ports.iter().map(ToString::to_string).collect(),
        };
        allowed.extend(own.into_iter().filter(|port| !allowed.contains(port)).collect::<Vec<_>>());
    }
    Refusal {
        code: Code::PortNotAllowed,
        message: format!("port {port} of {host} is not one that this bottle may reach in this way"),
        hint: format!("allowed for {host}: {}; {ASK}", allowed.join(", ")),
        rule: only(&rules),
    }
}

pub(super) fn request<'a>(asked: &Asked<'_>, rules: impl Iterator<Item = &'a Rule>) -> Refusal {
    let rules: Vec<&Rule> = rules.collect();
    Refusal {
        code: Code::RequestNotAllowed,
        message: format!("this {} request to {} is not one that this bottle may send", Shown(asked.method), asked.host),
        hint: format!("allowed for {}: {}; {ASK}", asked.host, allowed(asked, &rules)),
        rule: only(&rules),
    }
}

pub(super) fn path<'a>(asked: &Asked<'_>, rules: impl Iterator<Item = &'a Rule>) -> Refusal {
    let rules: Vec<&Rule> = rules.collect();
    Refusal {
        code: Code::AmbiguousPath,
        message: format!(
            "the path of this {} request to {} means different things to different servers, and not all of them are allowed",
            Shown(asked.method),
            asked.host
        ),
        hint: format!(
            "send the path in its plain form, without `..`, `//`, `;`, `\\` and needless percent-encoding; allowed for {}: {}",
            asked.host,
            allowed(asked, &rules)
        ),
        rule: only(&rules),
    }
}

pub(super) fn plaintext(asked: &Asked<'_>, rule: &Rule) -> Refusal {
    Refusal {
        code: Code::PlaintextCredential,
        message: format!("requests to {} carry a credential, which must not travel without TLS", asked.host),
        hint: format!("use https://{}", asked.host),
        rule: Some(rule.origin.clone()),
    }
}

/// What the rules allow on the request's port, in short.
fn allowed(asked: &Asked<'_>, rules: &[&Rule]) -> String {
    const SHOWN: usize = 8;
    let rules = rules.iter().filter(|rule| rule.route.allows_port(asked.transport, asked.port));
    let all: Vec<String> = rules.flat_map(|rule| &rule.route.matches).map(ToString::to_string).collect();
    let more = all.len().saturating_sub(SHOWN);
    let shown = all.into_iter().take(SHOWN).collect::<Vec<_>>().join("; ");
    if more == 0 { shown } else { format!("{shown}; and {more} more") }
}

/// The rule to name where no single one decided: the only one there is.
fn only(rules: &[&Rule]) -> Option<crate::Origin> {
    match rules {
        [rule] => Some(rule.origin.clone()),
        [] | [_, ..] => None,
    }
}
