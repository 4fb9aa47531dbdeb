use std::path::Path;

use super::{path, token_ref};
use crate::read::{Fields, GoneKey, KeyDoc, Reader, Section};
use crate::yaml::Node;
use crate::{Image, Provider, ProviderAuth, Template};

/// The templates that have a model of their own to pay.
const MODELS: &[Template] = &[Template::Claude, Template::Codex];

pub(crate) const SECTION: Section = Section {
    path: "agent_provider",
    what: "`agent_provider`",
    about: "What kind of agent runs and how it is fed.",
    keys: &[
        KeyDoc {
            name: "template",
            kind: "`claude`, `codex` or `command`",
            default: "`claude`",
            about: "The kind of agent: Claude Code, Codex, or any program.",
            example: "codex",
        },
        KeyDoc {
            name: "command",
            kind: "list of texts",
            default: "—",
            about: "The program and its arguments, never read by a shell. With `template: command` required, otherwise not allowed.",
            example: "[python3, agent.py]",
        },
        KeyDoc {
            name: "image",
            kind: "path or image name",
            default: "the backend's own",
            about: "What the bottle's file system is made from: a folder or tar archive (begins with `/`, `~/`, or, seen from the manifest's folder, `./` or `../`), or the name of an engine's image. The `native` backend takes folders, `docker` takes names.",
            example: "node:22-bookworm",
        },
        KeyDoc {
            name: "dockerfile",
            kind: "path",
            default: "—",
            about: "A Dockerfile to build the image from, written like `image`'s path; for backends with an engine. Not together with `image`.",
            example: "~/images/agent/Dockerfile",
        },
        KeyDoc {
            name: "auth_token",
            kind: "credential",
            default: "—",
            about: "Claude's long-lived token (`claude setup-token`). Written as [`token_ref`](#token_ref). Claude alone.",
            example: "MY_CLAUDE_OAUTH",
        },
        KeyDoc {
            name: "api_key",
            kind: "credential",
            default: "—",
            about: "A key of the model's API. Written as [`token_ref`](#token_ref). Claude and Codex.",
            example: "{command: [op, read, \"op://dev/anthropic/key\"]}",
        },
        KeyDoc {
            name: "forward_host_credentials",
            kind: "`true` or `false`",
            default: "`false`",
            about: "Use your own login of the agent's program, outside the bottle. Claude and Codex.",
            example: "true",
        },
    ],
    gone: &[
        GoneKey { name: "provider", why: "is called `template`", instead: "write `template: claude`" },
        GoneKey { name: "args", why: "is part of `command`", instead: "write `command: [PROGRAM, ARGUMENT, …]`" },
    ],
};

pub(crate) fn read(reader: Reader<'_>, node: &Node) -> Option<Provider> {
    let fields = reader.map(node, &SECTION)?;
    let words = Template::ALL.map(|template| (template.as_str(), template));
    let template = match fields.get("template") {
        Some(node) => reader.word(node, "template", &words)?,
        None => Template::default(),
    };
    if let (Some(_), Some((key, _))) = (fields.get("image"), fields.entry("dockerfile")) {
        reader.report(
            reader
                .error(&key.span, "`dockerfile` and `image` exclude each other")
                .help("keep the one that the bottle should be made from"),
        );
    }
    Some(Provider {
        template,
        command: command(reader, fields, template),
        image: fields.get("image").and_then(|node| reader.parsed(node, "image", |text| image(reader.source.path(), text))),
        dockerfile: fields
            .get("dockerfile")
            .and_then(|node| reader.parsed(node, "dockerfile", |text| path::path_from(reader.source.path(), text))),
        auth: auth(reader, fields, template),
    })
}

/// At most one of the three ways to pay for the model, and one that the template knows.
fn auth(reader: Reader<'_>, fields: Fields<'_>, template: Template) -> Option<ProviderAuth> {
    only_with(reader, fields, "auth_token", template, &[Template::Claude]);
    only_with(reader, fields, "api_key", template, MODELS);
    only_with(reader, fields, "forward_host_credentials", template, MODELS);
    let login =
        fields.get("forward_host_credentials").and_then(|node| reader.bool(node, "`forward_host_credentials`")).unwrap_or(false);
    let ways = [("auth_token", true), ("api_key", true), ("forward_host_credentials", login)];
    let mut chosen = ways.into_iter().filter(|(_, counts)| *counts).filter_map(|(key, _)| fields.entry(key));
    if let (Some((first, _)), Some((second, _))) = (chosen.next(), chosen.next()) {
        let message = format!("`{}` and `{}` exclude each other", first.name, second.name);
        reader.report(reader.error(&second.span, message).help("keep the one that the model should be paid with"));
    }
    let token = |key, what| fields.get(key).and_then(|node| token_ref::read(reader, node, what));
    let long_lived = token("auth_token", "`auth_token`").map(ProviderAuth::LongLivedToken);
    let api_key = token("api_key", "`api_key`").map(ProviderAuth::ApiKey);
    long_lived.or(api_key).or(login.then_some(ProviderAuth::HostLogin))
}

fn only_with(reader: Reader<'_>, fields: Fields<'_>, key: &str, template: Template, wanted: &[Template]) {
    if let Some((key, _)) = fields.entry(key).filter(|_| !wanted.contains(&template)) {
        let names: Vec<String> = wanted.iter().map(|wanted| format!("`template: {wanted}`")).collect();
        let alone = if names.len() == 1 { " alone" } else { "" };
        let message = format!("`{}` is for {}{alone}, and this is `{template}`", key.name, names.join(" and "));
        reader.report(reader.error(&key.span, message).help(format!("remove it, or write {}", names.join(" or "))));
    }
}

fn command(reader: Reader<'_>, fields: Fields<'_>, template: Template) -> Vec<String> {
    let Some((key, node)) = fields.entry("command") else {
        if template == Template::Command {
            fields.missing(reader, "command", &SECTION);
        }
        return Vec::new();
    };
    if template != Template::Command {
        only_with(reader, fields, "command", template, &[Template::Command]);
        return Vec::new();
    }
    let command = reader.each(node, "`command`", |item| reader.parsed(item, "word of `command`", word)).unwrap_or_default();
    if reader.list_is_empty(node) || command.first().is_some_and(String::is_empty) {
        reader.report(reader.error(&key.span, "`command` names no program").help("write `command: [PROGRAM, ARGUMENT, …]`"));
    }
    command
}

fn word(text: &str) -> Result<String, &'static str> {
    if text.contains('\0') { Err("it holds a NUL character") } else { Ok(text.to_owned()) }
}

fn image(manifest: &Path, text: &str) -> Result<Image, String> {
    if text.starts_with(['/', '~', '.']) {
        return path::path_from(manifest, text).map(Image::Path);
    }
    // `[registry[:port]/]name[:tag][@digest]` (OCI distribution specification); never an option.
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"._-/:@".contains(&b);
    let ok = (1..=512).contains(&text.len())
        && text.bytes().all(legal)
        && text.as_bytes()[0].is_ascii_alphanumeric()
        && !text.contains("..");
    if ok {
        Ok(Image::Engine(text.to_owned()))
    } else {
        Err(format!("`{}` is neither a path nor the name of an image", policy::Shown(text)))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::Image;

    fn image(text: &str) -> Result<Image, String> {
        super::image(Path::new("/bottles/b.md"), text)
    }

    #[test]
    fn paths_and_names() {
        assert_eq!(image("~/rootfs"), Ok(Image::Path("~/rootfs".into())));
        assert_eq!(image("./rootfs"), Ok(Image::Path("/bottles/rootfs".into())));
        for name in ["debian", "node:22", "registry.example.org:5000/team/agent@sha256:00ff"] {
            assert_eq!(image(name), Ok(Image::Engine(name.into())));
        }
        for bad in ["", ".", "..", "--privileged", "-v", "a b", "a;b", "/", "~root/x", "a/../b"] {
            assert!(image(bad).is_err(), "{bad}");
        }
    }
}
