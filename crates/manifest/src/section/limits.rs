use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

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
        memory: value(reader, fields, "memory", size),
        cpus: value(reader, fields, "cpus", cpus),
        pids: value(reader, fields, "pids", pids),
        disk: value(reader, fields, "disk", size),
        time: value(reader, fields, "time", time),
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

/// The most memory that a kernel addresses: 52 bits (Intel SDM vol. 3, "MAXPHYADDR"; Arm ARM, FEAT_LPA). Far beyond it the
/// arithmetic of cgroups and tmpfs overflows, and a limit that large would be none.
const MOST_BYTES: u64 = 1 << 52;
/// The most that the kernel takes (`PID_MAX_LIMIT`, include/linux/threads.h).
const MOST_PIDS: u64 = 1 << 22;
/// A bottle that is to live longer needs no limit.
const MOST_TIME: Duration = Duration::from_secs(3650 * 86_400);

fn size(text: &str) -> Result<u64, String> {
    let bytes = parse_bytes(text).map_err(describe)?;
    within(text, bytes, 1 << 20..=MOST_BYTES, "1M", "4096T")
}

fn pids(text: &str) -> Result<u64, String> {
    within(text, whole(text)?, 8..=MOST_PIDS, "8", "4194304")
}

fn time(text: &str) -> Result<Duration, String> {
    let time = parse_time(text).map_err(describe)?;
    within(text, time, Duration::from_secs(1)..=MOST_TIME, "1s", "3650d")
}

fn describe(error: impl Display) -> String {
    error.to_string()
}

fn within<T: PartialOrd>(text: &str, value: T, range: RangeInclusive<T>, least: &str, most: &str) -> Result<T, String> {
    if value < *range.start() {
        return Err(format!("nothing could run with so little: at least {least}"));
    }
    if value > *range.end() {
        return Err(format!(
            "`{}` is more than a kernel can hold anything to: at most {most}, or no limit at all",
            policy::Shown(text)
        ));
    }
    Ok(value)
}

fn whole(text: &str) -> Result<u64, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // A number with more digits than fit is no misspelt one: it is told to be too large.
    digits
        .then(|| text.parse().unwrap_or(u64::MAX))
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
