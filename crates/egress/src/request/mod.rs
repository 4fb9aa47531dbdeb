//! From a request to its answer: whom it names, whether it may pass, what is taken out of it and put in, and what comes back.

mod answer;
mod change;
mod credential;
mod credential_headers;
mod forward;
pub(crate) mod headers;
mod wanted;

pub(crate) use answer::answer;
