//! The project's Rust files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::tokens::Tokens;

/// One Rust file.
pub struct Source {
    /// Its path below the project's folder.
    pub path: PathBuf,
    pub text: String,
    pub tokens: Tokens,
    /// Whether all of it is test code.
    pub is_test: bool,
}

impl Source {
    /// The crate's folder name: `crates/NAME/…`.
    pub fn krate(&self) -> &str {
        self.path.iter().nth(1).and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// Lines (from 1) with code on them that is no test's, comments and strings blanked.
    pub fn code_lines(&self) -> Vec<(usize, &str)> {
        let mut lines = Vec::new();
        let mut rest = self.tokens.code.lines().enumerate();
        while let Some((at, line)) = rest.next() {
            if line.trim_start().starts_with("#[cfg(test)]") {
                skip_item(line, &mut rest);
            } else if !line.trim().is_empty() {
                lines.push((at + 1, line));
            }
        }
        lines
    }
}

/// The item under an attribute ends with the first line of the same indent that ends in `;` or is `}`: rustfmt sees to that.
fn skip_item<'a>(attribute: &str, rest: &mut impl Iterator<Item = (usize, &'a str)>) {
    let indent = |line: &str| line.len() - line.trim_start().len();
    for (_, line) in rest.by_ref() {
        let end = line.trim_end();
        if indent(line) == indent(attribute) && (end.ends_with(';') || end.ends_with('}')) {
            return;
        }
    }
}

/// Every Rust file under `crates`, in order.
pub fn all() -> Vec<Source> {
    let mut sources = Vec::new();
    collect(&project().join("crates"), &mut sources);
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(sources.len() > 20, "only {} Rust files found under crates: the check looks in the wrong place", sources.len());
    sources
}

/// The project's folder.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project's folder")
}

fn collect(folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("reading {}: {error}", folder.display())) {
        let path = entry.expect("a folder's entry").path();
        let is_folder = path.symlink_metadata().expect("a file's metadata").is_dir();
        if is_folder && !path.ends_with("target") {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(read(&path));
        }
    }
}

fn read(path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()));
    let path = path.strip_prefix(project()).expect("a path in the project").to_owned();
    let is_test = path.iter().any(|part| matches!(part.to_str(), Some("tests" | "benches" | "fuzz" | "examples")))
        || path.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| stem == "tests" || stem.ends_with("_tests"));
    Source { path, tokens: Tokens::of(&text), text, is_test }
}
