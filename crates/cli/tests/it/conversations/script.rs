use testkit::model_api::{Script, Turn};

use super::pays::Pays;

/// A host that no route names.
pub const FORBIDDEN: &str = "forbidden.example";
/// Somebody else's key.
pub const FOREIGN: &str = "sk-of-somebody-else-0123456789";
/// How many turns are answered by tools.
pub const TOOLS: usize = 6;

/// What the model has the agent do: a file, the skill, the network, what it is told of it, and a word at the end.
pub fn script(pays: Pays) -> Script {
    let forbidden = format!("cat made notes; curl -sS -i https://{FORBIDDEN}/ 2>&1");
    let foreign = format!("curl -sS -i -H 'authorization: Bearer {FOREIGN}' -d x https://{}{} 2>&1", pays.host(), pays.path());
    let account = format!("curl -sS -i -X POST https://{}{} 2>&1", pays.host(), pays.account());
    let told = "curl -sS http://policy.bottle.internal/; echo; echo ----; curl -sS https://policy.bottle.internal/policy.json";
    Script::new([
        Turn::Write { path: "/home/node/workspace/made".to_owned(), line: "canary-of-the-file".to_owned() },
        Turn::Skill("greet".to_owned()),
        Turn::Shell(forbidden),
        Turn::Shell(foreign),
        Turn::Shell(account),
        Turn::Shell(told.to_owned()),
        Turn::Say("canary-of-the-answer".to_owned()),
    ])
}
