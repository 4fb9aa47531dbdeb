//! The egress service without a bottle: its outlet is a port on loopback. Otherwise as in a session: one thread, a policy,
//! an authority of its own, and everything recorded.

mod loopback;
mod options;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use clap::Parser;
use egress::{Authority, Config, CredentialError, Credentials, Egress, Limits, TrustRoots};
use policy::{Account, LogLevel, Origin, Route, Rule, Table, TokenRef};
use secret::Secret;
use store::{Audit, Home, Identity, Traffic};
use tokio::net::TcpListener;

use crate::loopback::Loopback;
use crate::options::Options;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let authority = Authority::new()?;
    std::fs::write(&options.authority, authority.certificate_pem()).context("writing the authority's certificate")?;
    let (service, _control) =
        Egress::new(config(&options)?, authority, TrustRoots::new(Some(Path::new(&options.roots))).context("reading the roots")?);
    // As a session runs it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let outlet = Loopback(TcpListener::bind(options.listen).await?);
        service.serve(Box::new(outlet)).await;
        Ok(())
    })
}

fn config(options: &Options) -> anyhow::Result<Config> {
    let home = Home::new(&options.state);
    let identity = Identity::random("bench")?;
    Ok(Config {
        table: Table::new(options.routes.iter().map(rule).collect())?,
        credentials: Arc::new(None),
        known: Vec::new(),
        placeholders: Vec::new(),
        log: LogLevel::Off,
        audit: Arc::new(Audit::new(home.clone(), identity.clone())),
        traffic: Arc::new(Traffic::begin(home, identity)?),
        limits: Limits::default(),
    })
}

fn rule(dialled: &options::Dialled) -> Rule {
    let route = Route { dial: Some(dialled.address), ..Route::to(dialled.host.clone()) };
    Rule { route, origin: Origin::Provider("bench"), account: Account::Any }
}

/// No route of the measurement has a credential.
struct None;

#[async_trait]
impl Credentials for None {
    async fn current(&self, _: &TokenRef) -> Result<Secret, CredentialError> {
        Err(CredentialError)
    }

    async fn rejected(&self, _: &TokenRef, _: &Secret) {}
}
