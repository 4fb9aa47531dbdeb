//! The maps of a manifest, one file each: the table of its keys, and what turns it into data.

mod agent;
mod agent_provider;
mod bottle;
mod egress;
mod env;
pub(crate) mod expectations;
mod git_gate;
mod git_user;
mod limits;
mod names;
mod path;
mod repo;
mod route;
mod route_auth;
mod route_dlp;
mod route_match;
mod token_ref;
mod workspace;

pub(crate) use agent::{AgentFile, OwnBottle, read as read_agent};
pub(crate) use bottle::{BottleFile, read as read_bottle};
pub(crate) use names::NameRef;

use crate::read::Section;

/// Every section in the order of the reference; those of bottles first.
pub(crate) const BOTTLE: &[&Section] = &[
    &bottle::SECTION,
    &agent_provider::SECTION,
    &git_gate::SECTION,
    &git_user::SECTION,
    &repo::SECTION,
    &repo::KEY,
    &egress::SECTION,
    &route::SECTION,
    &route_match::SECTION,
    &route_match::PATH,
    &route_match::HEADER,
    &route_auth::SECTION,
    &token_ref::SECTION,
    &route_dlp::SECTION,
    &limits::SECTION,
    &workspace::SECTION,
];

/// The sections of agents.
pub(crate) const AGENT: &[&Section] = &[&agent::SECTION, &agent::GIT_GATE];

/// The sections of files of expectations.
pub(crate) const EXPECTATIONS: &[&Section] = &[&expectations::SECTION, &expectations::CASE];
