use manifest::{Case, Expectations, Expected};
use policy::Table;
use store::escape;

use super::request::{Outcome, Request};
use super::{NOT_SO, rules};
use crate::args;
use crate::failure::Failure;
use crate::host_env::HostEnvironment;
use crate::talk;

/// `policy test FILE`: one line for each case that is not as expected, and a last line with the count.
pub fn run(args: &args::PolicyTest, host: &HostEnvironment) -> Result<u8, Failure> {
    let expectations = Expectations::read(&args.file).map_err(|told| {
        let all: Vec<String> = told.iter().map(|diagnostic| diagnostic.render(talk::style())).collect();
        Failure::rendered(all.join("\n\n")).for_usage()
    })?;
    let (resolved, table) = rules(&expectations.agent, &expectations.bottles, host)?;
    talk::notes(&resolved.notes);
    let file = escape(&args.file.to_string_lossy());
    let broken: Vec<String> = expectations
        .cases
        .iter()
        .filter_map(|case| {
            let wrong = surprise(case, &table)?;
            let (method, url) = (escape(&case.method), escape(&case.text));
            Some(format!("{file}:{}:{}: {method} {url}: {wrong}\n", case.line, case.column))
        })
        .collect();
    let (all, wrong) = (expectations.cases.len(), broken.len());
    let cases = if all == 1 { "case" } else { "cases" };
    let summary = match wrong {
        0 => format!("{all} {cases} as expected\n"),
        wrong => format!("{wrong} of {all} {cases} not as expected\n"),
    };
    talk::data(&(broken.concat() + &summary))?;
    Ok(if wrong == 0 { 0 } else { NOT_SO })
}

/// What is not as expected; `None`: nothing.
fn surprise(case: &Case, table: &Table) -> Option<String> {
    let request = Request { url: &case.url, method: &case.method, headers: &case.headers };
    match (case.expected, request.outcome(table)) {
        (Expected::Allow, Outcome::Judged(_) | Outcome::Unopened(_)) | (Expected::Refuse(None), Outcome::Refused(_)) => None,
        (Expected::Allow, Outcome::Refused(refusal)) => {
            Some(format!("expected allow, but it is refused, {}: {}", refusal.code, refusal.message))
        }
        (Expected::Refuse(_), Outcome::Judged(rule) | Outcome::Unopened(rule)) => {
            Some(format!("expected refuse, but it is allowed by {}", rule.origin))
        }
        (Expected::Refuse(Some(code)), Outcome::Refused(refusal)) => {
            (code != refusal.code).then(|| format!("expected {code}, but it is {}: {}", refusal.code, refusal.message))
        }
    }
}
