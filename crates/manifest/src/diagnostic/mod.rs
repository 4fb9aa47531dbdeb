//! Problems in manifests: what is wrong, where, why, and what to write instead.

mod escape;
mod excerpt;
mod problems;
mod render;
mod suggest;

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

pub(crate) use escape::shown_path;
use excerpt::Excerpt;
pub(crate) use problems::Problems;
pub use render::Style;
pub(crate) use suggest::nearest;

use crate::source::SourceFile;

/// One problem. It carries the line that it is about, so it can be shown long after the file has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    message: String,
    label: Option<String>,
    help: Vec<String>,
    file: Option<PathBuf>,
    place: Option<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    line: usize,
    column: usize,
    span: Range<usize>,
    excerpt: Excerpt,
}

impl Diagnostic {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), label: None, help: Vec::new(), file: None, place: None }
    }

    pub(crate) fn at(mut self, source: &SourceFile, span: Range<usize>) -> Self {
        let line = source.line(span.start);
        let line_range = source.line_range(line);
        let column = source.text().get(line_range.start..span.start).map_or(1, |before| before.chars().count() + 1);
        let excerpt = Excerpt::of(source.text().get(line_range.clone()).unwrap_or_default(), line_range.start, &span, false);
        self.file = Some(source.path().to_owned());
        self.place = Some(Place { line, column, span, excerpt });
        self
    }

    /// Shows stars instead of what stands at `hidden` places: credentials that somebody pasted.
    pub(super) fn hiding(mut self, source: &SourceFile, hidden: &[Range<usize>]) -> Self {
        let Some(place) = &mut self.place else { return self };
        let line = source.line_range(place.line);
        if !hidden.iter().any(|hidden| hidden.start < line.end && line.start < hidden.end) {
            return self;
        }
        // As many bytes as before, so that every other place stays where it is.
        let text = source.text().get(line.clone()).unwrap_or_default();
        let is_hidden = |at: usize| hidden.iter().any(|hidden| hidden.contains(&(line.start + at)));
        let stars = |(at, c): (usize, char)| if is_hidden(at) { "*".repeat(c.len_utf8()) } else { c.to_string() };
        let starred: String = text.char_indices().map(stars).collect();
        // What is itself hidden does not tell its length.
        let masked = hidden.contains(&place.span);
        place.excerpt = Excerpt::of(&starred, line.start, &place.span, masked);
        self
    }

    pub(crate) fn in_file(mut self, file: PathBuf) -> Self {
        self.file = Some(file);
        self
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    pub(crate) fn help_if(self, help: Option<String>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What stands beside the caret.
    pub fn label_text(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// What to do about it, one line each.
    pub fn help_lines(&self) -> &[String] {
        &self.help
    }

    /// The file, unless the problem is in none.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The line, from 1.
    pub fn line(&self) -> Option<usize> {
        self.place.as_ref().map(|place| place.line)
    }

    /// The column, from 1, in characters.
    pub fn column(&self) -> Option<usize> {
        self.place.as_ref().map(|place| place.column)
    }

    /// The bytes of the file that it is about.
    pub fn span(&self) -> Option<Range<usize>> {
        self.place.as_ref().map(|place| place.span.clone())
    }

    /// The problem with its line, a caret and all help, for people.
    pub fn render(&self, style: Style) -> String {
        render::render(self, style)
    }
}

impl fmt::Display for Diagnostic {
    /// One line: `file:line:column: message`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}:", shown_path(file))?;
            if let Some(place) = &self.place {
                write!(f, "{}:{}:", place.line, place.column)?;
            }
            f.write_str(" ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}
