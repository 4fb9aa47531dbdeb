//! Getting the text of a manifest file: opened without being led astray, read within bounds, cut into front matter and body.

mod folder;
mod front_matter;
mod source_file;
mod text;

pub(crate) use folder::{Folder, FolderError};
pub(crate) use front_matter::{Parts, split};
pub(crate) use source_file::SourceFile;
pub(crate) use text::{own_it, read, read_named};
