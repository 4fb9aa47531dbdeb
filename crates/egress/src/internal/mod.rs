//! The bottle's own names: services that answer inside and never lead out.

mod page;
mod policy_service;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use policy::Code;

use crate::answer::{AnswerBody, BodyError};
use crate::refusal::{self, After};
use crate::shared::Shared;

/// The body of an answer of a service inside.
pub type InternalBody = UnsyncBoxBody<Bytes, BodyError>;

/// A service that answers under one of the bottle's own names, such as `git.bottle.internal`.
#[async_trait]
pub trait Internal: Send + Sync {
    /// Its name, in lower case: below `bottle.internal`.
    fn name(&self) -> &'static str;

    /// Answers one request; `Host` is its own name. Requests come over HTTP and HTTPS alike.
    async fn answer(&self, request: Request<Incoming>) -> Response<InternalBody>;
}

/// The services of one bottle by name.
#[derive(Default)]
pub(crate) struct Internals(RwLock<HashMap<&'static str, Arc<dyn Internal>>>);

impl Internals {
    pub(crate) fn put(&self, internal: Arc<dyn Internal>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(internal.name(), internal);
    }

    /// The answer of the service with this name; of nobody, that it is no part of this bottle.
    pub(crate) async fn answer(&self, name: &str, shared: &Shared, request: Request<Incoming>) -> Response<AnswerBody> {
        if name == policy_service::NAME {
            return policy_service::answer(shared, &request);
        }
        let internal = self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        match internal {
            Some(internal) => internal.answer(request).await.map(AnswerBody::Internal),
            None => absent(name),
        }
    }
}

fn absent(name: &str) -> Response<AnswerBody> {
    let refusal = policy::Refusal {
        code: Code::HostNotAllowed,
        message: format!("{name} is not part of this bottle"),
        hint: "work without it; http://policy.bottle.internal/ lists what is allowed".to_owned(),
        rule: None,
    };
    refusal::answer(&refusal, StatusCode::SERVICE_UNAVAILABLE, After::Open)
}
