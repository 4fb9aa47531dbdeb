use manifest::Origin;
use serde::Serialize;
use store::{Home, Liveness, escape};

use super::catalogue;
use crate::args::{List, Listing};
use crate::failure::Failure;
use crate::host_env::HostEnvironment;
use crate::table::table;
use crate::talk;

#[derive(Serialize)]
struct Manifest {
    name: String,
    origin: String,
    file: String,
}

#[derive(Serialize)]
struct Active {
    identity: String,
    agent: String,
    bottles: Vec<String>,
    backend: String,
    started_at: String,
    pid: Option<u32>,
}

/// `list [agents|bottles|active]`: names alone are read, so a broken file hides nothing.
pub fn run(args: &List, host: &HostEnvironment) -> Result<u8, Failure> {
    match args.what {
        Listing::Agents | Listing::Bottles => manifests(args, host)?,
        Listing::Active => active(args, host)?,
    }
    Ok(0)
}

fn manifests(args: &List, host: &HostEnvironment) -> Result<(), Failure> {
    let catalogue = catalogue(host)?;
    talk::notes(catalogue.notes());
    let row = |name: String, origin: Origin, file: &std::path::Path| Manifest {
        name,
        origin: origin.to_string(),
        file: escape(&file.to_string_lossy()),
    };
    let rows: Vec<Manifest> = match args.what {
        Listing::Bottles => catalogue.bottles().map(|entry| row(entry.name.to_string(), Origin::Home, &entry.file)).collect(),
        Listing::Agents | Listing::Active => {
            catalogue.agents().map(|entry| row(entry.name.to_string(), entry.origin, &entry.file)).collect()
        }
    };
    if args.json {
        talk::json(&rows)?;
        return Ok(());
    }
    let rows: Vec<_> = rows.into_iter().map(|row| vec![row.name, row.origin, row.file]).collect();
    show(&["NAME", "ORIGIN", "FILE"], &rows)
}

fn active(args: &List, host: &HostEnvironment) -> Result<(), Failure> {
    let sessions = Home::new(host.bot_bottle_home()?).sessions()?;
    let live = sessions.into_iter().filter(|session| session.liveness == Liveness::Live);
    let rows: Vec<Active> = live
        .map(|session| match session.metadata {
            Ok(metadata) => Active {
                identity: session.identity.to_string(),
                agent: escape(&metadata.agent),
                bottles: metadata.bottles.iter().map(|name| escape(name)).collect(),
                backend: escape(&metadata.backend),
                started_at: metadata.started_at.to_string(),
                pid: Some(metadata.process.pid),
            },
            // It has just begun, or its file is broken; it runs all the same.
            Err(_) => Active {
                identity: session.identity.to_string(),
                agent: "?".to_owned(),
                bottles: Vec::new(),
                backend: "?".to_owned(),
                started_at: "?".to_owned(),
                pid: None,
            },
        })
        .collect();
    if args.json {
        talk::json(&rows)?;
        return Ok(());
    }
    let cells = |row: Active| {
        let pid = row.pid.map_or("?".to_owned(), |pid| pid.to_string());
        vec![row.identity, row.agent, row.bottles.join("+"), row.backend, row.started_at, pid]
    };
    let rows: Vec<_> = rows.into_iter().map(cells).collect();
    show(&["IDENTITY", "AGENT", "BOTTLES", "BACKEND", "STARTED", "PID"], &rows)
}

/// A head without rows would look like data to `wc -l`.
fn show(head: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    if !rows.is_empty() {
        talk::data(&table(head, rows))?;
    }
    Ok(())
}
