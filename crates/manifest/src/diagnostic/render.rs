use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, shown_path};

/// How a problem is drawn. The caller decides: nothing here looks at the environment or the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Plain text.
    Plain,
    /// With ANSI colours.
    Coloured,
}

pub(super) fn render(diagnostic: &Diagnostic, style: Style) -> String {
    let mut group = Level::ERROR.primary_title(diagnostic.message.as_str()).elements(std::iter::empty::<Origin<'_>>());
    let path = diagnostic.file.as_deref().map(shown_path);
    match (&path, &diagnostic.place) {
        (Some(path), Some(place)) => {
            let mut annotation = AnnotationKind::Primary.span(place.excerpt.caret.clone());
            if let Some(label) = &diagnostic.label {
                annotation = annotation.label(label.as_str());
            }
            group = group.element(
                Snippet::source(place.excerpt.text.as_str()).line_start(place.line).path(path.as_str()).annotation(annotation),
            );
        }
        (Some(path), None) => group = group.element(Origin::path(path.as_str())),
        (None, _) => {}
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    renderer.decor_style(DecorStyle::Ascii).term_width(200).render(&[group])
}
