use std::collections::BTreeSet;

use policy::LogLevel;

use super::route;
use crate::merge::EgressLayer;
use crate::read::{GoneKey, KeyDoc, Reader, Section};
use crate::yaml::{Kind, Node, Scalar};

pub(crate) const SECTION: Section = Section {
    path: "egress",
    what: "`egress`",
    about: "The way out. What no route names is refused.",
    keys: &[
        KeyDoc {
            name: "routes",
            kind: "list of maps",
            default: "`[]`",
            about: "What may be reached, one entry for each host.",
            example: "[{host: api.example.org}]",
        },
        KeyDoc {
            name: "log",
            kind: "`0`, `1` or `2`",
            default: "`0`",
            about: "Whose paths are recorded (`bot-bottle logs`): nobody's, those of what was refused, or of what passed too. Time, method, host, status and bytes always are; queries, headers and bodies never.",
            example: "1",
        },
    ],
    gone: &[GoneKey { name: "allowlist", why: "was replaced by `routes`", instead: "write `routes: [{host: …}]`" }],
};

pub(crate) fn read(reader: Reader<'_>, node: &Node) -> Option<EgressLayer> {
    let fields = reader.map(node, &SECTION)?;
    let mut hosts = BTreeSet::new();
    let mut routes = Vec::new();
    for item in fields.get("routes").and_then(|node| reader.list(node, "`egress.routes`")).unwrap_or_default() {
        let Some(route) = route::read(reader, item) else { continue };
        if !hosts.insert(route.route.host.clone()) {
            let message = format!("the host `{}` has two routes in this file", route.route.host);
            reader.report(
                reader
                    .error(&route::host_place(item), message)
                    .help("write one route and put both kinds of requests into its `matches`"),
            );
        }
        routes.push(route);
    }
    Some(EgressLayer { routes, log: fields.get("log").and_then(|node| log(reader, node)) })
}

fn log(reader: Reader<'_>, node: &Node) -> Option<LogLevel> {
    let Kind::Scalar(Scalar::Int { value: Some(value), .. }) = &node.kind else {
        reader.wrong_type(node, "`egress.log`", "0, 1 or 2", "write 0 (nothing), 1 (refusals) or 2 (everything)");
        return None;
    };
    LogLevel::try_from(*value).map_err(|error| reader.report(reader.error(&node.span, error.to_string()))).ok()
}
