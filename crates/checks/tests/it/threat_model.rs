//! The threat model names tests that exist, and every escape test is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::source::{self, Source};

/// Where the attacks are, one per file, named like the file.
const ESCAPES: &str = "crates/testkit/src/escape";

#[test]
fn every_test_the_threat_model_names_exists() {
    let named = named_in_the_threat_model();
    let known = functions(&source::all());
    let missing: Vec<_> = named.iter().filter(|name| !known.contains_key(*name)).collect();
    assert!(!named.is_empty(), "docs/threat-model.md has no row `| attack | defence | `test` |`");
    assert!(missing.is_empty(), "docs/threat-model.md names tests that do not exist: {missing:?}");
}

#[test]
fn every_escape_test_is_in_the_threat_model() {
    let named = named_in_the_threat_model();
    let sources = source::all();
    let attacks = sources.iter().filter(|file| file.path.starts_with(ESCAPES));
    let attacks: Vec<_> = attacks.flat_map(public_async_functions).collect();
    let missing: Vec<_> = attacks.iter().filter(|name| !named.contains(*name)).collect();
    assert!(!attacks.is_empty(), "no attack found in {ESCAPES}: the check looks in the wrong place");
    assert!(missing.is_empty(), "add these escape tests to the table in docs/threat-model.md: {missing:?}");
}

/// The names in backticks in the last column of the tables' rows, without module paths.
fn named_in_the_threat_model() -> BTreeSet<String> {
    let path = source::project().join("docs/threat-model.md");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()));
    let rows = text.lines().filter(|line| line.starts_with('|') && line.matches('|').count() >= 4);
    let last = rows.filter_map(|row| row.trim_end().trim_end_matches('|').rsplit('|').next());
    let ticked = last.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    ticked.filter_map(|name| name.rsplit("::").next()).map(|name| name.trim_end_matches("()").to_owned()).collect()
}

/// Every function's name and where it is.
fn functions(sources: &[Source]) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for file in sources {
        for line in file.tokens.code.lines() {
            if let Some(name) = function(line, "fn ") {
                names.insert(name, file.path.display().to_string());
            }
        }
    }
    names
}

/// An attack is a public async function; what attacks share in that folder is not both.
fn public_async_functions(file: &Source) -> Vec<String> {
    file.tokens.code.lines().filter(|line| line.starts_with("pub async fn ")).filter_map(|line| function(line, "fn ")).collect()
}

fn function(line: &str, keyword: &str) -> Option<String> {
    let (before, rest) = line.split_once(keyword)?;
    let first = before.is_empty() || before.ends_with([' ', '(']);
    let name: String = rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    (first && !name.is_empty()).then_some(name)
}
