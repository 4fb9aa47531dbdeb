use std::fmt;

use crate::{Asked, HeaderMatch, Method, PathMatch};

/// One kind of request that a route allows. A request must meet every list that is not empty; within paths and methods
/// one is enough, headers must all be there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestMatch {
    /// Paths; empty: any.
    pub paths: Vec<PathMatch>,
    /// Methods; empty: any.
    pub methods: Vec<Method>,
    /// Headers, each name once; empty: any.
    pub headers: Vec<HeaderMatch>,
}

/// Whether a request is of some kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It would be by its method and headers, but nobody can tell what its path means.
    Unsure,
}

impl RequestMatch {
    /// Whether `asked` is of this kind, its path read as `path`; `None`: a path that means too many things.
    pub(crate) fn fit(&self, asked: &Asked<'_>, path: Option<&[u8]>) -> Fit {
        if !self.fits_method(asked.method) || !self.headers.iter().all(|header| header.fits(asked.headers)) {
            return Fit::No;
        }
        match path {
            _ if self.paths.is_empty() => Fit::Yes,
            Some(path) if self.paths.iter().any(|own| own.is_match(path)) => Fit::Yes,
            Some(_) => Fit::No,
            None => Fit::Unsure,
        }
    }

    /// Methods are compared as they were sent: `get` is another method than `GET` (RFC 9110 §9.1), and a server that takes
    /// it for the same must not be reached by it.
    fn fits_method(&self, method: &str) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|own| own.as_str() == method)
    }
}

impl fmt::Display for RequestMatch {
    /// `GET, HEAD /v1 and below, with x-version`; of headers the names alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |f: &mut fmt::Formatter<'_>, items: &[&dyn fmt::Display], separator: &str| {
            items.iter().enumerate().try_for_each(|(index, item)| {
                if index > 0 {
                    f.write_str(separator)?;
                }
                write!(f, "{item}")
            })
        };
        match self.methods.as_slice() {
            [] => f.write_str("any method")?,
            methods => listed(f, &methods.iter().map(|method| method as &dyn fmt::Display).collect::<Vec<_>>(), ", ")?,
        }
        f.write_str(" ")?;
        match self.paths.as_slice() {
            [] => f.write_str("any path")?,
            paths => listed(f, &paths.iter().map(|path| path as &dyn fmt::Display).collect::<Vec<_>>(), " or ")?,
        }
        if !self.headers.is_empty() {
            f.write_str(", with ")?;
            listed(f, &self.headers.iter().map(|header| &header.name as &dyn fmt::Display).collect::<Vec<_>>(), " and ")?;
        }
        Ok(())
    }
}
