use crate::{Asked, Code, Host, HostPattern, Refusal, Rule, TlsMode};

/// The rules of one bottle, ready to judge by. Immutable; a change of policy is a new table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    rules: Vec<Rule>,
}

/// What happens to a connection to a host and port, before any request is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach<'a> {
    /// TLS is ended here and requests are judged one by one.
    Intercept(&'a Rule),
    /// TLS is passed on unopened, by this rule.
    Passthrough(&'a Rule),
    /// Nothing passes.
    Refuse(Refusal),
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// It passes by this rule.
    Allow(&'a Rule),
    /// It does not.
    Refuse(Refusal),
}

impl Table {
    /// A table of `rules`, in the order in which they were declared.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules }
    }

    /// The rules, in order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether any rule is for `host`: what the resolver in the bottle answers by.
    pub fn knows(&self, host: &Host) -> bool {
        self.candidates(host).next().is_some()
    }

    /// What happens to a connection to `host` and `port`.
    pub fn reach(&self, host: &Host, _port: u16) -> Reach<'_> {
        match self.candidates(host).next() {
            None => Reach::Refuse(refusal(host)),
            Some(rule) => match rule.route.tls {
                TlsMode::Intercept => Reach::Intercept(rule),
                TlsMode::Passthrough => Reach::Passthrough(rule),
            },
        }
    }

    /// Judges one request.
    pub fn judge(&self, asked: &Asked<'_>) -> Verdict<'_> {
        match self.candidates(asked.host).next() {
            None => Verdict::Refuse(refusal(asked.host)),
            Some(rule) => Verdict::Allow(rule),
        }
    }

    fn candidates<'rules, 'host>(&'rules self, host: &'host Host) -> impl Iterator<Item = &'rules Rule> + use<'rules, 'host> {
        self.rules.iter().filter(move |rule| match (&rule.route.host, host) {
            (HostPattern::Exact(exact), host) => exact == host,
            (HostPattern::Below(suffix), Host::Name(name)) => {
                name.strip_suffix(suffix.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            (HostPattern::Below(_), Host::Address(_)) => false,
        })
    }
}

fn refusal(host: &Host) -> Refusal {
    Refusal {
        code: Code::HostNotAllowed,
        message: format!("{host} is not a host that this bottle may reach"),
        hint: "http://policy.bottle.internal/ lists what is allowed; ask the person for more".to_owned(),
        rule: None,
    }
}
