use std::fmt::Write;

use crate::Code;

/// The reference of refusals as Markdown (`docs/reference/refusals.md`), made from [`Code::ALL`].
pub fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    for code in Code::ALL {
        // Formatting into a String cannot fail.
        let _ = writeln!(text, "| `{code}` | {} | {} |", cell(code.summary()), cell(code.mend()));
    }
    text
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

const INTRODUCTION: &str = "\
# Refusals

<!-- Made from crates/policy/src/code.rs. Do not edit: run `cargo test -p policy -- --ignored writes_the_reference`. -->

What does not pass is answered with a refusal: its code in the header `X-Bottle-Refusal`, and as a body this JSON, in which `rule` names
the file and line that decided, where one did:

```json
{\"code\": \"egress.host\", \"message\": \"…\", \"hint\": \"…\", \"rule\": \"…\"}
```

In HTTP/1 the status line says code and message too (`403 egress.host: …`), because that is all many programs show of a proxy's answer. git
gets the body as plain text, `CODE: MESSAGE` and `hint: HINT`, because it shows no other.

The same code stands in the audit and in what `bot-bottle logs` and `bot-bottle policy explain` print. Codes are stable. A refusal never
repeats a header's value, a query or a credential.

| code | what it says | what to do |
| --- | --- | --- |
";

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::reference;

    fn file() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/refusals.md")
    }

    #[test]
    fn the_file_is_what_the_code_says() {
        let written = std::fs::read_to_string(file()).expect("docs/reference/refusals.md");
        assert!(
            written == reference(),
            "docs/reference/refusals.md is stale: run `cargo test -p policy -- --ignored writes_the_reference`"
        );
    }

    #[test]
    #[ignore = "writes docs/reference/refusals.md"]
    #[allow(clippy::disallowed_methods, reason = "makes a documentation file on request")]
    fn writes_the_reference() {
        std::fs::write(file(), reference()).expect("docs/reference/refusals.md");
    }
}
