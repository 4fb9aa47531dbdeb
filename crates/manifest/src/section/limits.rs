use std::fmt::Display;

use crate::Limits;
use crate::model::{parse_bytes, parse_time};
use crate::read::{Fields, KeyDoc, Reader, Section};
use crate::yaml::{Kind, Node, Scalar};

pub(crate) const SECTION: Section = Section {
    path: "limits",
    what: "`limits`",
    about: "What the bottle may use at most. Nothing is limited unless it is named here, and a limit that the machine cannot enforce stops the launch: it is never silently weaker.",
    keys: &[
        KeyDoc {
            name: "memory",
            kind: "size",
            default: "none",
            about: "Memory of everything in the bottle. A number of bytes, or one with K, M, G, T or KiB, MiB, GiB, TiB, all powers of 1024.",
            example: "4GiB",
        },
        KeyDoc { name: "cpus", kind: "number", default: "none", about: "Processor time, in cores.", example: "1.5" },
        KeyDoc { name: "pids", kind: "whole number", default: "none", about: "Processes and threads.", example: "512" },
        KeyDoc {
            name: "disk",
            kind: "size",
            default: "none",
            about: "What may be written to the bottle's own layer.",
            example: "10GiB",
        },
        KeyDoc {
            name: "time",
            kind: "span of time",
            default: "none",
            about: "How long the bottle may live: numbers with s, m, h or d.",
            example: "1h30m",
        },
    ],
    gone: &[],
};

pub(crate) fn read(reader: Reader<'_>, node: &Node) -> Option<Limits> {
    let fields = reader.map(node, &SECTION)?;
    Some(Limits {
        memory: value(reader, fields, "memory", |text| {
            parse_bytes(text).map_err(describe).and_then(|bytes| at_least(bytes, 1 << 20, "1M"))
        }),
        cpus: value(reader, fields, "cpus", cpus),
        pids: value(reader, fields, "pids", |text| whole(text).and_then(|pids| at_least(pids, 8, "8"))),
        disk: value(reader, fields, "disk", |text| {
            parse_bytes(text).map_err(describe).and_then(|bytes| at_least(bytes, 1 << 20, "1M"))
        }),
        time: value(reader, fields, "time", |text| parse_time(text).map_err(describe)),
    })
}

/// A number or text, by what is written: `4096`, `1.5`, `4GiB`.
fn value<T>(reader: Reader<'_>, fields: Fields<'_>, key: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
    let node = fields.get(key)?;
    let text = match &node.kind {
        Kind::Scalar(Scalar::Int { text, .. } | Scalar::Float { text, .. } | Scalar::Text(text)) => text,
        Kind::Scalar(Scalar::Null | Scalar::Bool { .. }) | Kind::List(_) | Kind::Map(_) => {
            let example = SECTION.keys.iter().find(|doc| doc.name == key).map_or("", |doc| doc.example);
            reader.wrong_type(
                node,
                &format!("`limits.{key}`"),
                "a single value",
                &format!("write it such as `{key}: {example}`, or remove the key for no limit"),
            );
            return None;
        }
    };
    parse(text).map_err(|why| reader.report(reader.error(&node.span, format!("bad `limits.{key}`: {why}")))).ok()
}

fn describe(error: impl Display) -> String {
    error.to_string()
}

fn at_least(value: u64, least: u64, shown: &str) -> Result<u64, String> {
    if value < least { Err(format!("nothing could run with so little: at least {shown}")) } else { Ok(value) }
}

fn whole(text: &str) -> Result<u64, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits
        .then(|| text.parse().ok())
        .flatten()
        .ok_or_else(|| format!("`{}` is not a whole number such as 512", policy::Shown(text)))
}

fn cpus(text: &str) -> Result<f64, String> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let number = plain.then(|| text.parse::<f64>().ok()).flatten();
    // The kernel's shortest quota is 1 ms in a period of 100 ms (Documentation/admin-guide/cgroup-v2, cpu.max).
    number
        .filter(|cores| (0.01..=4096.0).contains(cores))
        .ok_or_else(|| format!("`{}` is not a number of cores from 0.01 to 4096, such as 1.5", policy::Shown(text)))
}
