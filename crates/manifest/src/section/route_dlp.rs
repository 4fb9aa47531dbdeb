use policy::{Detectors, Dlp, InboundDetector, OnMatch, OutboundDetector};

use crate::read::{KeyDoc, Reader, Section};
use crate::yaml::{Kind, Node, Scalar};

pub(crate) const SECTION: Section = Section {
    path: "egress.routes[].dlp",
    what: "`dlp`",
    about: "Scanning for secrets in what leaves, and for injected instructions in what comes in.",
    keys: &[
        KeyDoc {
            name: "outbound_detectors",
            kind: "`false`, or list of `token_patterns`, `known_secrets`, `entropy`",
            default: "`[token_patterns, known_secrets]`",
            about: "What is looked for in requests.",
            example: "[known_secrets]",
        },
        KeyDoc {
            name: "inbound_detectors",
            kind: "`false`, or list of `naive_injection_detection`",
            default: "`[naive_injection_detection]`",
            about: "What is looked for in responses.",
            example: "false",
        },
        KeyDoc {
            name: "outbound_on_match",
            kind: "`supervise`, `redact` or `block`",
            default: "`supervise`",
            about: "What a finding in a request does: ask you, replace it, or refuse.",
            example: "block",
        },
    ],
    gone: &[],
};

pub(crate) fn read(reader: Reader<'_>, node: &Node) -> Option<Dlp> {
    let fields = reader.map(node, &SECTION)?;
    let outbound = OutboundDetector::ALL.map(|detector| (detector.as_str(), detector));
    let inbound = InboundDetector::ALL.map(|detector| (detector.as_str(), detector));
    let on_match = OnMatch::ALL.map(|on_match| (on_match.as_str(), on_match));
    Some(Dlp {
        outbound: fields
            .get("outbound_detectors")
            .and_then(|node| detectors(reader, node, "`outbound_detectors`", &outbound))
            .unwrap_or_default(),
        inbound: fields
            .get("inbound_detectors")
            .and_then(|node| detectors(reader, node, "`inbound_detectors`", &inbound))
            .unwrap_or_default(),
        on_match: fields.get("outbound_on_match").and_then(|node| reader.word(node, "reaction", &on_match)).unwrap_or_default(),
    })
}

fn detectors<D: Copy + PartialEq>(
    reader: Reader<'_>,
    node: &Node,
    what: &str,
    words: &[(&'static str, D)],
) -> Option<Detectors<D>> {
    match &node.kind {
        Kind::Scalar(Scalar::Bool { value: false, .. }) => Some(Detectors::Off),
        Kind::List(items) if !items.is_empty() => {
            let mut chosen = Vec::new();
            for detector in items.iter().filter_map(|item| reader.word(item, "detector", words)) {
                if !chosen.contains(&detector) {
                    chosen.push(detector);
                }
            }
            // All items were wrong and reported: nothing that looks like a choice may come of it.
            if chosen.is_empty() { None } else { Some(Detectors::Only(chosen)) }
        }
        Kind::List(_) | Kind::Scalar(_) | Kind::Map(_) => {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            reader.wrong_type(
                node,
                what,
                "`false` or a list of detectors",
                &format!("write `false` for none, or some of [{}]", names.join(", ")),
            );
            None
        }
    }
}
