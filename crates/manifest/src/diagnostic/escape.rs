use std::path::Path;

use shown::Shown;

/// A path for messages: control characters escaped, never cut.
pub(crate) fn shown_path(path: &Path) -> String {
    Shown::path(path).to_string()
}
