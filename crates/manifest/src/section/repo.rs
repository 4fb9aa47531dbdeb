use super::path;
use crate::read::{GoneKey, KeyDoc, Reader, Section};
use crate::yaml::Node;
use crate::{EnvName, HostKey, Repo, RepoKey, SshUrl};

const RENAMED: &str = "was renamed";

pub(crate) const SECTION: Section = Section {
    path: "git-gate.repos.NAME",
    what: "a repository",
    about: "One repository behind the gate.",
    keys: &[
        KeyDoc {
            name: "url",
            kind: "`ssh://USER@HOST[:PORT]/PATH`",
            default: "required",
            about: "Where the gate fetches from and pushes to.",
            example: "ssh://git@git.example.org/team/service.git",
        },
        KeyDoc {
            name: "key",
            kind: "map",
            default: "required",
            about: "How the gate proves who it is. The agent never sees it.",
            example: "{provider: static, path: ~/.ssh/bot_ed25519}",
        },
        KeyDoc {
            name: "host_key",
            kind: "`TYPE BASE64`",
            default: "none",
            about: "The server's public host key, as in `known_hosts`. Without it the gate does not connect: nothing is trusted on first use.",
            example: "ssh-ed25519 AAAAC3Nz…",
        },
    ],
    gone: &[
        GoneKey { name: "identity", why: "was replaced by `key`", instead: "write `key: {provider: static, path: …}`" },
        GoneKey {
            name: "provisioned_key",
            why: "was replaced by `key`",
            instead: "write `key: {provider: gitea, token_env: …}`",
        },
        GoneKey { name: "Name", why: RENAMED, instead: "the key of the map under `repos` is the name" },
        GoneKey { name: "Upstream", why: RENAMED, instead: "write `url`" },
        GoneKey { name: "IdentityFile", why: RENAMED, instead: "write `key: {provider: static, path: …}`" },
        GoneKey { name: "KnownHostKey", why: RENAMED, instead: "write `host_key`" },
    ],
};

pub(crate) const KEY: Section = Section {
    path: "git-gate.repos.NAME.key",
    what: "`key`",
    about: "A private key of yours, or a deploy key made for one launch.",
    keys: &[
        KeyDoc {
            name: "provider",
            kind: "`static` or `gitea`",
            default: "required",
            about: "`static`: a private key on the host. `gitea`: a deploy key that is made through the forge's API (Gitea, Forgejo) at launch and deleted at the end.",
            example: "static",
        },
        KeyDoc {
            name: "path",
            kind: "path",
            default: "—",
            about: "The private key's file: absolute or below `~/`. With `static`.",
            example: "~/.ssh/bot_ed25519",
        },
        KeyDoc {
            name: "token_env",
            kind: "name of a host variable",
            default: "—",
            about: "The variable that holds the API token. With `gitea`.",
            example: "FORGE_TOKEN",
        },
    ],
    gone: &[],
};

#[derive(Clone, Copy, PartialEq)]
enum KeyProvider {
    Static,
    Gitea,
}

pub(crate) fn read(reader: Reader<'_>, node: &Node) -> Option<Repo> {
    let fields = reader.map(node, &SECTION)?;
    for required in ["url", "key"] {
        // An old key beside it has been reported already and says what to write.
        let gone = fields.entries().iter().any(|(key, _)| SECTION.gone.iter().any(|gone| gone.name == key.name));
        if fields.get(required).is_none() && !gone {
            fields.missing(reader, required, &SECTION);
        }
    }
    let url = fields.get("url").and_then(|node| url(reader, node));
    let key = fields.get("key").and_then(|node| key(reader, node));
    let host_key = fields.get("host_key").and_then(|node| reader.parsed(node, "`host_key`", HostKey::parse));
    Some(Repo { url: url?, key: key?, host_key })
}

/// A URL may hold a password, which the line that is shown must not repeat.
fn url(reader: Reader<'_>, node: &Node) -> Option<SshUrl> {
    let text = reader.text(node, "`url`")?;
    match SshUrl::parse(text) {
        Ok(url) => Some(url),
        Err(error) => {
            let message = format!("bad `url`: {error}");
            if SshUrl::holds_password(text) {
                reader.report_hidden(&node.span, message);
            } else {
                reader.report(reader.error(&node.span, message));
            }
            None
        }
    }
}

fn key(reader: Reader<'_>, node: &Node) -> Option<RepoKey> {
    let fields = reader.map(node, &KEY)?;
    let Some(provider) = fields.get("provider") else {
        fields.missing(reader, "provider", &KEY);
        return None;
    };
    let provider =
        reader.word(provider, "provider of keys", &[("static", KeyProvider::Static), ("gitea", KeyProvider::Gitea)])?;
    let (wanted, unwanted) = match provider {
        KeyProvider::Static => ("path", "token_env"),
        KeyProvider::Gitea => ("token_env", "path"),
    };
    if let Some((key, _)) = fields.entry(unwanted) {
        reader.report(reader.error(&key.span, format!("`{unwanted}` means nothing with this provider")).help("remove it"));
    }
    let Some(value) = fields.get(wanted) else {
        fields.missing(reader, wanted, &KEY);
        return None;
    };
    match provider {
        KeyProvider::Static => reader.parsed(value, "`path` of the key", path::host_path).map(|path| RepoKey::Static { path }),
        KeyProvider::Gitea => {
            reader.credential_name(value, "`token_env`", variable).map(|token_env| RepoKey::Gitea { token_env })
        }
    }
}

fn variable(text: &str) -> Result<EnvName, policy::TokenRefError> {
    policy::TokenRef::parse(text)?;
    EnvName::parse(text).map_err(|_| policy::TokenRefError)
}
