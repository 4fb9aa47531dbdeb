//! Nothing above the backends asks which backend a bottle came from: what differs is data in `Capabilities`.

use crate::source;

const NAMES: [&str; 4] = ["native", "docker", "smolmachines", "kubernetes"];

#[test]
fn only_the_command_line_and_the_backends_name_backends() {
    let mut found = Vec::new();
    for file in source::all().iter().filter(|file| !file.is_test) {
        if matches!(file.krate(), "cli" | "testkit") || file.krate().starts_with("backend-") {
            continue;
        }
        let code: Vec<_> = file.code_lines().iter().map(|(at, _)| *at).collect();
        let named = file.tokens.strings.iter().filter(|(at, text)| NAMES.contains(&text.as_str()) && code.contains(at));
        found.extend(named.map(|(at, text)| format!("{}:{at} {text:?}", file.path.display())));
    }
    assert!(found.is_empty(), "ask `Capabilities` instead of naming a backend: {found:?}");
}
