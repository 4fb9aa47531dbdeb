use std::path::Path;

use shown::Shown;

/// A path for messages: control characters escaped, never cut.
pub(crate) fn shown_path(path: &Path) -> String {
    Shown::path(path).to_string()
}

/// Any text for messages: as [`policy::Shown`], but whole.
pub(crate) fn escape(text: &str) -> String {
    Shown::text(text).to_string()
}
