//! What is in the tree is finished; what is not belongs in an issue.

use crate::source;

/// Marks, as whole words in comments.
const MARKS: [&str; 6] = ["TODO", "FIXME", "XXX", "HACK", "WIP", "TBD"];
/// Phrases, in any case, in comments.
const PHRASES: [&str; 5] = ["not implemented", "not yet implemented", "for now", "will be isolated later", "fill in later"];

#[test]
fn no_comment_marks_unfinished_work() {
    let mut found = Vec::new();
    for file in source::all().iter().filter(|file| file.krate() != "checks") {
        for (at, line) in file.tokens.comments.lines().enumerate() {
            let lower = line.to_lowercase();
            let marked = MARKS.iter().any(|mark| line.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == *mark));
            if marked || PHRASES.iter().any(|phrase| lower.contains(phrase)) {
                found.push(format!("{}:{}: {}", file.path.display(), at + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "finish these, or open an issue and take the mark out:\n{}", found.join("\n"));
}
