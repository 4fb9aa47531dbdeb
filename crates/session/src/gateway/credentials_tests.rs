use std::sync::Arc;

use credentials::{Host, LoginFolder, LoginUrls, Variables};
use egress::{CredentialError, TrustRoots};
use policy::TokenRef;
use store::{Audit, Home, Identity, Journal};

use super::{Lacking, for_requests, sources};

/// The agent is told that there is none; which one and why stands in the person's record, once.
#[tokio::test]
async fn the_person_alone_is_told_why_there_is_no_credential() {
    let home = tempfile::tempdir().unwrap();
    let (state, identity) = (Home::new(home.path().join("state")), Identity::parse("s").unwrap());
    let host = Host {
        variables: Variables::by(|_| None),
        home: home.path().to_owned(),
        state: state.clone(),
        claude: LoginFolder::Usual,
        codex: LoginFolder::Usual,
        urls: LoginUrls::default(),
    };
    let audit = Arc::new(Audit::new(state.clone(), identity.clone()));
    audit.begin().unwrap();
    let lacking = Lacking::told_in(Arc::clone(&audit));
    let credentials = for_requests(sources(host, &TrustRoots::new(None).unwrap()), Arc::clone(&lacking));
    let (variable, file) = (TokenRef::parse("PRIVATE_NAME").unwrap(), TokenRef::File(home.path().join("private")));
    for of in [&variable, &file, &variable] {
        assert_eq!(credentials.current(of).await.map(drop), Err(CredentialError));
    }
    let lines = lacking.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("variable PRIVATE_NAME is not set: set it"), "{lines:?}");
    let entries = Journal::open(state, identity).unwrap().news().unwrap();
    let told: Vec<_> = entries.iter().map(|entry| entry.value["hint"].as_str().unwrap()).collect();
    assert_eq!(told, lines);
    assert!(entries.iter().all(|entry| entry.value["code"] == "credential.missing"), "{entries:?}");
    assert_eq!(audit.count(), 0);
}
