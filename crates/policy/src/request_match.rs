use crate::{HeaderMatch, Method, PathMatch};

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
