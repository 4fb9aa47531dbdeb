use std::cell::{Cell, RefCell};
use std::ops::Range;

use crate::Diagnostic;
use crate::source::SourceFile;

/// Collects the problems of one file. Readers share it, so that each reports what it finds and goes on.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    list: RefCell<Vec<Diagnostic>>,
    omitted: Cell<usize>,
    /// Places that may hold a credential.
    hidden: RefCell<Vec<Range<usize>>>,
}

impl Problems {
    /// Most problems of one file that are kept: a hostile file cannot flood the terminal.
    const MAX: usize = 50;

    pub fn push(&self, diagnostic: Diagnostic) {
        let mut list = self.list.borrow_mut();
        if list.len() < Self::MAX { list.push(diagnostic) } else { self.omitted.set(self.omitted.get() + 1) }
    }

    /// Shows stars instead of what stands at `place`, in every problem: a line is also shown for what else is wrong on it.
    pub fn hide(&self, place: Range<usize>) {
        self.hidden.borrow_mut().push(place);
    }

    /// All problems of `source` in the order of the file, and a last word about those that were left out.
    pub fn into_diagnostics(self, source: &SourceFile) -> Vec<Diagnostic> {
        let hidden = self.hidden.into_inner();
        let mut list: Vec<_> = self.list.into_inner().into_iter().map(|problem| problem.hiding(source, &hidden)).collect();
        list.sort_by_key(|diagnostic| diagnostic.span().map(|span| span.start));
        match (self.omitted.get(), list.first().and_then(|first| first.file().map(ToOwned::to_owned))) {
            (0, _) | (_, None) => {}
            (omitted, Some(file)) => {
                list.push(Diagnostic::new(format!("and {omitted} more problems in this file")).in_file(file))
            }
        }
        list
    }
}
