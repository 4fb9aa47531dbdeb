use std::collections::BTreeMap;

use super::{Catalogue, load};
use crate::diagnostic::nearest;
use crate::merge::Layer;
use crate::section::NameRef;
use crate::source::SourceFile;
use crate::{Diagnostic, ManifestName};

/// Reads bottles with all their parents, each file once, however many ways lead to it.
pub(super) struct Chain<'a> {
    catalogue: &'a Catalogue,
    told: &'a mut Vec<Diagnostic>,
    /// What each bottle came to with its parents; `None`: broken, and told.
    done: BTreeMap<ManifestName, Option<Layer>>,
    /// The way from the selected bottle to the one that is being read.
    way: Vec<ManifestName>,
}

impl<'a> Chain<'a> {
    /// Longest way from a bottle to its furthest parent.
    const MAX: usize = 32;

    pub fn new(catalogue: &'a Catalogue, told: &'a mut Vec<Diagnostic>) -> Self {
        Self { catalogue, told, done: BTreeMap::new(), way: Vec::new() }
    }

    /// The bottle `name` with all its parents; `None` when something is wrong with any of them, which is then told.
    pub fn layer(&mut self, name: &ManifestName) -> Option<Layer> {
        if let Some(done) = self.done.get(name) {
            return done.clone();
        }
        let layer = self.read(name);
        self.done.insert(name.clone(), layer.clone());
        layer
    }

    fn read(&mut self, name: &ManifestName) -> Option<Layer> {
        let known = self.catalogue.bottles.get(name)?;
        let loaded = load::bottle(known, self.told)?;
        self.way.push(name.clone());
        let mut parents = Some(Layer::default());
        for parent in &loaded.content.extends {
            let layer = if self.fits(parent, &loaded.source) { self.layer(&parent.name) } else { None };
            parents = parents.zip(layer).map(|(earlier, next)| earlier.beside(next));
        }
        self.way.pop();
        parents.map(|parents| parents.overlaid(loaded.content.layer))
    }

    /// Whether a parent can be gone to from here.
    fn fits(&mut self, parent: &NameRef, source: &SourceFile) -> bool {
        let diagnostic = if let Some(start) = self.way.iter().position(|own| *own == parent.name) {
            let circle: Vec<&str> = self.way[start..].iter().chain([&parent.name]).map(ManifestName::as_str).collect();
            let message = match circle.len() {
                2 => format!("the bottle `{}` extends itself", parent.name),
                _ => format!("bottles extend each other in a circle: {}", circle.join(" -> ")),
            };
            source.diagnostic(parent.span.clone(), message).help("remove one of these steps")
        } else if !self.catalogue.bottles.contains_key(&parent.name) {
            unknown_bottle(self.catalogue, parent.name.as_str()).at(source, parent.span.clone())
        } else if self.way.len() >= Self::MAX {
            source.diagnostic(parent.span.clone(), format!("more than {} bottles extend one another", Self::MAX))
        } else {
            return true;
        };
        self.told.push(diagnostic);
        false
    }
}

/// There is no such bottle; the caller adds where it is named.
pub(super) fn unknown_bottle(catalogue: &Catalogue, name: &str) -> Diagnostic {
    let names: Vec<&str> = catalogue.bottles.keys().map(ManifestName::as_str).collect();
    let help = match (nearest(name, names.iter().copied()), names.is_empty()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, true) => {
            format!("there are no bottles yet; write {}", crate::diagnostic::shown_path(&catalogue.home.join("bottles/NAME.md")))
        }
        (None, false) => format!("the bottles are {}", listed(&names)),
    };
    Diagnostic::new(format!("there is no bottle `{}`", policy::Shown(name))).help(help)
}

/// Names for a sentence; not more than fit on a line.
pub(super) fn listed(names: &[&str]) -> String {
    const MOST: usize = 12;
    let mut shown = names.iter().take(MOST).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        shown.push_str(&format!(" and {} more", names.len() - MOST));
    }
    shown
}
