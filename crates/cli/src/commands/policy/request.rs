use policy::{
    Asked, Code, HeaderName, HeaderValue, Headers, Reach, Refusal, Rule, Table, TlsMode, Transport, UrlTarget, Verdict,
    forbidden_method, is_git_push,
};

/// A request that nobody has sent.
pub struct Request<'a> {
    pub url: &'a UrlTarget,
    pub method: &'a str,
    pub headers: &'a [(HeaderName, HeaderValue)],
}

/// What would become of it.
pub enum Outcome<'a> {
    /// It would pass, judged by this rule.
    Judged(&'a Rule),
    /// It would pass unseen: this rule looks at the host alone.
    Unopened(&'a Rule),
    /// It would be refused.
    Refused(Refusal),
}

/// What passes all the same where nobody pays. What is such a key cannot be told without a session.
const OWN_KEY: &str = "a key that the bottle's own env gives the agent passes";

impl Request<'_> {
    /// Asks the table what the egress service asks it, in the same order.
    pub fn outcome<'t>(&self, table: &'t Table) -> Outcome<'t> {
        match self.judged(table) {
            Outcome::Judged(rule) => self.unreached(rule).unwrap_or(Outcome::Judged(rule)),
            Outcome::Unopened(rule) => self.unreached(rule).unwrap_or(Outcome::Unopened(rule)),
            Outcome::Refused(refusal) => Outcome::Refused(refusal),
        }
    }

    /// What passes the table is not connected to where it names an address that no route opens.
    fn unreached<'t>(&self, rule: &Rule) -> Option<Outcome<'t>> {
        let UrlTarget { transport, host, port, .. } = self.url;
        let egress::upstream::Failure { code, message, hint } = egress::upstream::unreached(*transport, host, *port, rule)?;
        Some(Outcome::Refused(Refusal { code, message, hint, rule: Some(rule.origin.clone()) }))
    }

    fn judged<'t>(&self, table: &'t Table) -> Outcome<'t> {
        let url = self.url;
        if url.transport == Transport::Tls {
            match table.reach(&url.host, url.port) {
                Reach::Refuse(refusal) => return Outcome::Refused(refusal),
                Reach::Passthrough(rule) => return Outcome::Unopened(rule),
                Reach::Intercept(_) => {}
            }
        }
        let asked = Asked {
            transport: url.transport,
            host: &url.host,
            port: url.port,
            method: self.method,
            path: &url.path,
            headers: &Sent(self.headers),
        };
        if let Some(refusal) = forbidden_method(self.method) {
            return Outcome::Refused(refusal);
        }
        match table.judge(&asked) {
            Verdict::Refuse(refusal) => Outcome::Refused(refusal),
            Verdict::Allow(rule) if is_git_push(&asked, &url.query) => Outcome::Refused(Refusal {
                code: Code::GitPush,
                message: Code::GitPush.summary().to_owned(),
                hint: Code::GitPush.mend().to_owned(),
                rule: Some(rule.origin.clone()),
            }),
            Verdict::Allow(rule) => match rule.unpaid() {
                Some(refusal) => Outcome::Refused(Refusal { hint: format!("{}; {OWN_KEY}", refusal.hint), ..refusal }),
                None => Outcome::Judged(rule),
            },
        }
    }
}

impl Outcome<'_> {
    /// `intercept` or `passthrough`, where something passes by TLS.
    pub fn tls(&self, transport: Transport) -> Option<TlsMode> {
        match (self, transport) {
            (Self::Judged(_), Transport::Tls) => Some(TlsMode::Intercept),
            (Self::Unopened(_), Transport::Tls) => Some(TlsMode::Passthrough),
            (Self::Judged(_) | Self::Unopened(_), Transport::Plain) | (Self::Refused(_), _) => None,
        }
    }
}

struct Sent<'a>(&'a [(HeaderName, HeaderValue)]);

impl Headers for Sent<'_> {
    fn values<'a>(&'a self, name: &str) -> Box<dyn Iterator<Item = &'a [u8]> + 'a> {
        let name = name.to_owned();
        Box::new(self.0.iter().filter(move |(own, _)| own.as_str() == name).map(|(_, value)| value.as_str().as_bytes()))
    }
}
