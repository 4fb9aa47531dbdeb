use serde_json::Value;
use testkit::model_api::ModelApi;

use super::needles::Needles;
use super::pays::Pays;
use super::script::{FORBIDDEN, FOREIGN, TOOLS};

/// What the agent's tools brought back: its work, refusals that say why, and the whole policy without a value.
pub fn assert_told(pays: Pays, model: &ModelApi, secrets: &Needles) {
    let results = model.results();
    assert_eq!(results.len(), TOOLS, "{results:#?}");
    let [_, _, forbidden, foreign, account, policy] = &results[..] else { unreachable!() };
    // Claude is given a skill's text beside what its tool answers.
    assert!(model.everything().contains("canary-of-the-skill"), "{results:#?}");
    for part in ["canary-of-the-file", "canary-of-the-workspace", "403", "x-bottle-refusal: egress.host"] {
        assert!(forbidden.contains(part), "{part}: {forbidden}");
    }
    for part in ["x-bottle-refusal: egress.foreign_credential", "placeholder that stands in the environment"] {
        assert!(foreign.contains(part), "{part}: {foreign}");
    }
    assert!(account.contains("x-bottle-refusal: egress.request"), "{account}");

    let policy = plain(policy);
    let (text, json) = policy.split_once("\n----\n").unwrap();
    for told in [text, json] {
        for part in [pays.host(), "egress.host", "egress.foreign_credential", "do not try other ways"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        // Neither a value nor where it is kept, nor where the host is really.
        let address = model.address().to_string();
        for part in ["MODEL_CREDENTIAL", ".credentials.json", "auth.json", &address, FOREIGN] {
            assert!(!told.contains(part), "{part}: {told}");
        }
        secrets.assert_absent("what the agent is told", told.as_bytes());
    }
    let told: Value = serde_json::from_str(json.trim().trim_end_matches("\"}")).unwrap_or_else(|error| panic!("{error}: {json}"));
    let refused =
        told["refused"].as_array().unwrap().iter().filter(|refused| refused["asked"] == format!("CONNECT {FORBIDDEN}:443"));
    assert_eq!(refused.count(), 1, "{told}");
    let route = told["routes"].as_array().unwrap().iter().find(|route| route["host"] == pays.host()).unwrap();
    assert_eq!((&route["credential"], &route["tls"]), (&true.into(), &"intercept".into()));
}

/// Codex hands a tool's output over as JSON in a text.
fn plain(result: &str) -> String {
    let json = result.find('{').and_then(|at| serde_json::from_str::<Value>(&result[at..]).ok());
    let output = json.and_then(|json| json["output"].as_str().map(str::to_owned));
    output.unwrap_or_else(|| result.to_owned())
}
