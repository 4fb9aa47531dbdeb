use std::fmt::Display;
use std::path::Path;

use bottle::{BackendName, Dockerfile, HostPlace, ImageSupport, Recipe, RootFs};
use manifest::Image;

use super::Problem;

/// What a bottle's file system is made from: what its manifest names; otherwise what the backend has of its own, or the project's
/// image for the agent.
pub(super) fn choose(
    provider: &manifest::Provider,
    template: agents::Template,
    backend: BackendName,
    support: &ImageSupport,
    home: &Path,
) -> Result<RootFs, Problem> {
    let (key, shown, root) = match (&provider.image, &provider.dockerfile) {
        (Some(image), _) => ("image", Some(text_of(image).to_owned()), named(image, home)),
        (None, Some(file)) => ("dockerfile", Some(file.clone()), from_file(file, template, home)),
        (None, None) if support.default.is_ok() => return Ok(RootFs::Default),
        (None, None) => ("image", None, Ok(RootFs::Build(template.recipe()))),
    };
    let shown = shown.map(|shown| format!("{}: ", store::escape(&shown))).unwrap_or_default();
    let unusable = |reason: &dyn Display| Problem::Image { key, reason: format!("{shown}{reason}") };
    let root = root.map_err(|error| unusable(&error))?;
    match support.refusal(&root) {
        None => Ok(root),
        Some(reason) => Err(unusable(&format_args!("the {backend} backend cannot use it: {reason}"))),
    }
}

fn text_of(image: &Image) -> &str {
    match image {
        Image::Path(text) | Image::Engine(text) => text,
    }
}

fn named(image: &Image, home: &Path) -> std::io::Result<RootFs> {
    match image {
        Image::Engine(name) => Ok(RootFs::Image(name.clone())),
        Image::Path(text) => {
            let place = HostPlace::look(expand(text, home))?;
            Ok(if place.is_folder() { RootFs::Folder(place) } else { RootFs::Archive(place) })
        }
    }
}

fn from_file(file: &str, template: agents::Template, home: &Path) -> std::io::Result<RootFs> {
    let place = HostPlace::look(expand(file, home))?;
    if place.is_folder() {
        return Err(std::io::Error::other("it is a folder; name the Dockerfile in it"));
    }
    Ok(RootFs::Build(Recipe { name: template.name().to_owned(), dockerfile: Dockerfile::File(place) }))
}

fn expand(text: &str, home: &Path) -> std::path::PathBuf {
    match text.strip_prefix("~/") {
        Some(below) => home.join(below),
        None => text.into(),
    }
}

/// What the person is shown; `None` for the backend's own.
pub(super) fn describe(root: &RootFs) -> Option<String> {
    let path = |place: &HostPlace| store::escape(&place.path().to_string_lossy());
    match root {
        RootFs::Default => None,
        RootFs::Folder(place) => Some(format!("the folder {}", path(place))),
        RootFs::Archive(place) => Some(format!("the archive {}", path(place))),
        RootFs::Image(name) => Some(format!("the image {}", store::escape(name))),
        RootFs::Build(Recipe { dockerfile: Dockerfile::File(place), .. }) => Some(format!("built from {}", path(place))),
        RootFs::Build(Recipe { name, dockerfile: Dockerfile::Text(_) }) => Some(format!("bot-bottle's own for {name}")),
    }
}
