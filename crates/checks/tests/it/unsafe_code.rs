//! `unsafe` stands where a reviewer expects it and nowhere else.

use std::path::Path;

use crate::source;

/// The files that may hold `unsafe`, tests included.
const ALLOWED: [&str; 3] = ["crates/backend-native/src/sys.rs", "crates/helper/src/sys.rs", "crates/relay/src/sys.rs"];

#[test]
fn unsafe_stands_in_the_syscall_files_alone() {
    let mut found = Vec::new();
    for file in source::all() {
        if ALLOWED.iter().any(|allowed| file.path == Path::new(allowed)) {
            continue;
        }
        let lines = file.tokens.code.lines().enumerate().filter(|(_, line)| has_word(line, "unsafe"));
        found.extend(lines.map(|(at, _)| format!("{}:{}", file.path.display(), at + 1)));
    }
    assert!(found.is_empty(), "move this into {}, or do without: {found:?}", ALLOWED[0]);
}

#[test]
fn every_unsafe_block_says_why_it_is_sound() {
    let mut found = Vec::new();
    for file in source::all() {
        let text: Vec<_> = file.text.lines().collect();
        for (at, _) in file.tokens.code.lines().enumerate().filter(|(_, line)| line.contains("unsafe {")) {
            let above = text[..at].iter().rev().take(6).any(|line| line.contains("SAFETY:"));
            if !above && !text[at].contains("SAFETY:") {
                found.push(format!("{}:{}", file.path.display(), at + 1));
            }
        }
    }
    assert!(found.is_empty(), "write `// SAFETY: …` above each of these blocks: {found:?}");
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|part| part == word)
}
