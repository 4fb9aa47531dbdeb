use std::path::Path;

use policy::Shown;

/// A path for messages: control characters escaped, never cut.
pub(crate) fn shown_path(path: &Path) -> String {
    escape(&path.to_string_lossy())
}

/// Any text for messages: as [`Shown`], but whole.
pub(crate) fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if Shown::is_unsafe(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}
