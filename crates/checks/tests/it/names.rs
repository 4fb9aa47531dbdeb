//! Files are named after what they hold.

use crate::source;

/// Names that say nothing and collect everything.
const EMPTY: [&str; 9] = ["utils", "util", "helpers", "common", "manager", "misc", "shared", "types", "lib_utils"];

#[test]
fn no_file_has_a_name_that_says_nothing() {
    let stem = |path: &std::path::Path| path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
    let folder = |path: &std::path::Path| path.parent().map(stem).unwrap_or_default();
    let bad = |path: &std::path::Path| EMPTY.contains(&stem(path).as_str()) || EMPTY.contains(&folder(path).as_str());
    let found: Vec<_> = source::all().into_iter().map(|file| file.path).filter(|path| bad(path)).collect();
    assert!(found.is_empty(), "name these after their main item: {found:?}");
}
