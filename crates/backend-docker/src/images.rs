//! The images that containers are made from.

use std::io;

use bollard::Docker;
use bollard::query_parameters::CreateImageOptions;
use bottle::ImageSupport;
use bytes::Bytes;
use carried::programs;
use futures_core::Stream;
use http_body_util::{Either, Full};

use crate::containers::RELAY;
use crate::engine::{is_missing, text};
use crate::settings::Settings;

/// Why an image is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The engine has none of that name.
    #[error("the engine has no image {0:?}")]
    Missing(String),
    /// The engine did not take it.
    #[error("importing the relay's image: {0}")]
    Import(String),
    /// The engine does not answer.
    #[error("asking the engine for the image {name:?}: {reason}")]
    Engine {
        /// The image.
        name: String,
        /// Why not.
        reason: String,
    },
}

/// What a bottle's file system can be made from.
pub fn support(settings: &Settings) -> ImageSupport {
    let no = |what: &str, command: &str| Err(format!("{what} cannot be taken; make an image of it (`{command}`) and name that"));
    ImageSupport {
        default: settings
            .image
            .as_ref()
            .map(|_| ())
            .ok_or_else(|| "a container is made from an image, and none is named".to_owned()),
        folder: no("a folder", "tar -C FOLDER -c . | docker import - NAME"),
        archive: no("an archive", "docker import ARCHIVE NAME"),
        engine: Ok(()),
        build: Ok(()),
    }
}

/// Makes sure that the engine has the image.
pub async fn demand(api: &Docker, name: &str) -> Result<(), ImageError> {
    match api.inspect_image(name).await {
        Ok(_) => Ok(()),
        Err(error) if is_missing(&error) => Err(ImageError::Missing(name.to_owned())),
        Err(error) => Err(ImageError::Engine { name: name.to_owned(), reason: text(&error) }),
    }
}

/// The relay's image, imported once for each version: an archive of one file, made from nothing.
pub async fn relay(api: &Docker) -> Result<String, ImageError> {
    let (repository, tag) = ("bot-bottle-relay", programs::relay_version());
    let name = format!("{repository}:{tag}");
    match demand(api, &name).await {
        Err(ImageError::Missing(_)) => {}
        there => return there.map(|()| name),
    }
    let archive = archive().map_err(|error| ImageError::Import(error.to_string()))?;
    let options = CreateImageOptions {
        from_src: Some("-".to_owned()),
        repo: Some(repository.to_owned()),
        tag: Some(tag),
        ..CreateImageOptions::default()
    };
    let body = Either::Left(Full::new(Bytes::from(archive)));
    let mut progress = std::pin::pin!(api.create_image(Some(options), Some(body), None));
    while let Some(step) = std::future::poll_fn(|context| progress.as_mut().poll_next(context)).await {
        step.map_err(|error| ImageError::Import(text(&error)))?;
    }
    Ok(name)
}

fn archive() -> io::Result<Vec<u8>> {
    let mut header = tar::Header::new_gnu();
    header.set_size(carried::RELAY.len() as u64);
    header.set_mode(0o555);
    header.set_entry_type(tar::EntryType::Regular);
    let mut archive = tar::Builder::new(Vec::with_capacity(carried::RELAY.len() + 4096));
    archive.append_data(&mut header, RELAY.trim_start_matches('/'), carried::RELAY)?;
    archive.into_inner()
}
