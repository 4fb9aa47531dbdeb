use std::fmt::Write;

use crate::read::Section;
use crate::section;

/// The manifest's reference as Markdown (`docs/reference/manifest.md`), made from the very tables that find unknown keys.
pub fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("\n## Bottles\n");
    text.extend(section::BOTTLE.iter().map(|section| table(section)));
    text.push_str(VALUES);
    text.push_str("\n## Agents\n");
    text.extend(section::AGENT.iter().map(|section| table(section)));
    text.push_str(MERGING);
    text.push_str("\n## Keys of older manifests\n\nEach of these is an error that names its replacement.\n\n| key | where | what became of it | what to write |\n| --- | --- | --- | --- |\n");
    for (kind, sections) in [("bottle", section::BOTTLE), ("agent", section::AGENT)] {
        for section in sections {
            for gone in section.gone {
                let place = if section.path.is_empty() { kind.to_owned() } else { format!("{kind}, `{}`", section.path) };
                // Formatting into a String cannot fail.
                let _ = writeln!(text, "| `{}` | {place} | {} | {} |", gone.name, gone.why, cell(gone.instead));
            }
        }
    }
    text.push_str(FILES);
    text.push_str(EXPECTATIONS);
    text.extend(section::EXPECTATIONS.iter().map(|section| table(section)));
    text
}

fn table(section: &Section) -> String {
    let heading = if section.path.is_empty() { "Top level".to_owned() } else { format!("`{}`", section.path) };
    let mut text = format!(
        "\n### {heading}\n\n{}\n\n| key | type | default | meaning | example |\n| --- | --- | --- | --- | --- |\n",
        section.about
    );
    for key in section.keys {
        let _ = writeln!(
            text,
            "| `{0}` | {1} | {2} | {3} | `{0}: {4}` |",
            key.name,
            cell(key.kind),
            key.default,
            cell(key.about),
            cell(key.example)
        );
    }
    text
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

const INTRODUCTION: &str = "\
# Manifests

<!-- Made from the tables in crates/manifest/src/section. Do not edit: run `cargo test -p manifest -- --ignored writes_the_reference`. -->

A manifest is a Markdown file: a line `---`, YAML, another line `---`, then text. Its name without `.md` is the name of what
it defines: 1 to 57 of a-z, 0-9 and `-`, beginning with a letter.

| file | defines |
| --- | --- |
| `~/.bot-bottle/bottles/NAME.md` | a bottle: what an agent may use and reach |
| `~/.bot-bottle/agents/NAME.md` | an agent of yours |
| `.bot-bottle/agents/NAME.md` in a repository | an agent that the repository ships |

A repository's `.bot-bottle/bottles` is ignored, with a note: a repository must not be able to grant itself anything. When you and
a repository both define an agent, yours is taken, with a note. `BOT_BOTTLE_HOME` names another folder than `~/.bot-bottle`.

Only the files that a launch needs are read, so a broken one is in nobody else's way.
";

const VALUES: &str = "
### Environment values

| value | meaning |
| --- | --- |
| `\"?\"` | you are asked at launch; the question is the variable's name |
| `\"?question\"` | you are asked this |
| `\"${NAME}\"` | the host's variable NAME; the launch stops when it is not set |
| anything else | the text as it is written: `8080`, `1.10` and `no` reach the agent just so |

`${NAME}` is the whole value or an error: there is no putting together of texts. `$${` stands for a literal `${`. An empty value is
`\"\"`; a key without a value is an error. What stands in a manifest is no secret: for secrets use `?` or `${NAME}`, or better
`auth` of a route, which never enters the bottle.

Everywhere else types are strict: numbers, `true` and `false` are not taken for texts (`\"1.10\"` needs its quotes), and only `true`
and `false` are booleans; `yes`, `no`, `on` and `off` are texts, as YAML 1.2 has it.
";

const MERGING: &str = "
## How bottles merge

`extends` names one or several parents, and `--bottle A --bottle B` chooses several bottles for one launch. Each parent is
first resolved with its own parents; several stand beside each other, the later one winning; then the child goes over them.

| key | child over parents | bottles beside each other |
| --- | --- | --- |
| `env` | joined, the child wins for each variable | joined, the later wins for each variable |
| `git-gate.user` | by field, the child wins | by field, the later wins |
| `git-gate.repos` | the child's, if it has the key | joined by name; the later wins by field |
| `egress.routes` | the child's, if it has `egress` | one after the other, each route once |
| `egress.log` | the child's, if it has `egress` | the later wins |
| `agent_provider`, `supervise` | the child's, if it has the key | the later wins |
| `limits` | the child's, if it has the key | by field, the later wins |
| `tools` | the child's, if it has the key | one after the other, each once |
| `workspace` | the child's, if it has the key | the later wins; `exclude` one after the other, each once |

An empty value (`egress: {}`) is the child's own too and clears what parents say. A bottle that several ways lead to is read once.
Circles, unknown parents and more than 32 generations are errors.

The agent's `git-gate.user` wins over the merged bottle's, by field; both are shown with `(agent)` or `(bottle)` before launch.
";

const FILES: &str = "
## What files may hold

At most 1 MiB of UTF-8 without byte order mark, carriage returns and control characters; of that at most 256 KiB front matter, 16
levels deep, 20000 values. Of YAML 1.2: plain maps, lists and scalars. Anchors, aliases, tags, merge keys, directives, duplicate
keys and second documents are errors. A repository's file that is a link out of the repository is refused; links inside it, and
links in your own folder, are followed.
";

const EXPECTATIONS: &str = "
## Expectations

A file for `bot-bottle policy test FILE`: what an agent in its bottles must and must not be able to ask for. YAML alone, without `---`
lines; it may lie anywhere and is read with the same strictness.
";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::reference;

    fn file() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/manifest.md")
    }

    #[test]
    fn the_file_is_what_the_code_says() {
        let written = std::fs::read_to_string(file()).expect("docs/reference/manifest.md");
        assert!(
            written == reference(),
            "docs/reference/manifest.md is stale: run `cargo test -p manifest -- --ignored writes_the_reference`"
        );
    }

    #[test]
    #[ignore = "writes docs/reference/manifest.md"]
    #[allow(clippy::disallowed_methods, reason = "makes a documentation file on request")]
    fn writes_the_reference() {
        std::fs::create_dir_all(file().parent().expect("a folder")).expect("docs/reference");
        std::fs::write(file(), reference()).expect("docs/reference/manifest.md");
    }
}
