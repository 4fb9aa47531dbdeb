//! Files stay small.

use crate::source;

/// Code lines a file may have: no blank lines, no comments, no tests.
const MOST: usize = 500;
/// Code lines that the middle file may have; the aim is about 120.
const MEDIAN: usize = 150;

#[test]
fn no_file_is_longer_than_500_code_lines() {
    let mut sizes: Vec<_> = source::all()
        .iter()
        .filter(|file| !file.is_test)
        .map(|file| (file.code_lines().len(), file.path.display().to_string()))
        .collect();
    sizes.sort();
    let median = sizes[sizes.len() / 2].0;
    println!("{} files, median {median} code lines, longest: {:?}", sizes.len(), sizes.last());
    let long: Vec<_> = sizes.iter().filter(|(lines, _)| *lines > MOST).collect();
    assert!(long.is_empty(), "split these files, each along what its parts are for: {long:?} (code lines; the most is {MOST})");
    assert!(median <= MEDIAN, "the middle file has {median} code lines, more than {MEDIAN}: split the longest ones");
}
