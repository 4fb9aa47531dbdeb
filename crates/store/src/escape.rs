use shown::Shown;

/// `text` with every character that could steer a terminal made visible, as [`Shown`] does.
///
/// Threat: a repository or a bottle chooses names so that showing them retitles the terminal, writes the clipboard (OSC 52)
/// or makes `evil` look like `safe`.
pub fn escape(text: &str) -> String {
    Shown::text(text).to_string()
}
