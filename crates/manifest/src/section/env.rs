use std::collections::BTreeMap;

use crate::read::Reader;
use crate::yaml::{Kind, Node};
use crate::{EnvName, EnvSource};

pub(crate) fn read(reader: Reader<'_>, node: &Node) -> BTreeMap<EnvName, EnvSource> {
    let mut env = BTreeMap::new();
    let Some(fields) = reader.free_map(node, "`env`", "LANG: C.UTF-8") else { return env };
    for (key, value) in fields.entries() {
        let name = EnvName::parse(&key.name).map_err(|error| reader.report(reader.error(&key.span, error.to_string()))).ok();
        if let (Some(name), Some(source)) = (name, source(reader, &key.name, value)) {
            env.insert(name, source);
        }
    }
    env
}

/// Any single value is taken as the text that is written there: `8080`, `1.10` and `no` reach the agent just so.
fn source(reader: Reader<'_>, name: &str, node: &Node) -> Option<EnvSource> {
    let text = match &node.kind {
        Kind::Scalar(scalar) => scalar.text(),
        Kind::List(_) | Kind::Map(_) => {
            reader.wrong_type(
                node,
                &format!("the variable `{}`", policy::Shown(name)),
                "a single value",
                "write a text in quotes",
            );
            return None;
        }
    };
    let Some(text) = text else {
        let message = format!("the variable `{}` has no value", policy::Shown(name));
        reader.report(
            reader
                .error(&node.span, message)
                .help("write \"\" for an empty one, \"?\" to be asked at launch, or \"${NAME}\" for the host's"),
        );
        return None;
    };
    match parse(text) {
        Ok(source) => Some(source),
        Err((message, help)) => {
            reader.report(reader.error(&node.span, message).help(help));
            None
        }
    }
}

/// `?`, `?message`, `${HOST}` (the whole value) or a literal, in which `$${` stands for `${`.
fn parse(text: &str) -> Result<EnvSource, (String, &'static str)> {
    const WHOLE: &str = "a value is either wholly `${NAME}` or wholly text; write `$${` for a literal `${`";
    if text.contains('\0') {
        return Err(("a variable's value cannot hold a NUL character".to_owned(), "remove it"));
    }
    if let Some(message) = text.strip_prefix('?') {
        let message = message.trim();
        return Ok(EnvSource::Ask { message: (!message.is_empty()).then(|| message.to_owned()) });
    }
    if let Some(name) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'))
        && !name.contains(['$', '{', '}'])
    {
        let var = EnvName::parse(name).map_err(|error| (format!("bad host variable: {error}"), WHOLE))?;
        return Ok(EnvSource::Host { var });
    }
    let literal = text.split("$${").collect::<Vec<_>>();
    if literal.iter().any(|part| part.contains("${")) {
        return Err(("host variables cannot be put into a longer text".to_owned(), WHOLE));
    }
    Ok(EnvSource::Literal(literal.join("${")))
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::{EnvName, EnvSource};

    #[test]
    fn four_kinds() {
        let host = |name| Ok(EnvSource::Host { var: EnvName::parse(name).unwrap() });
        let ask = |message: Option<&str>| Ok(EnvSource::Ask { message: message.map(ToOwned::to_owned) });
        let literal = |text: &str| Ok(EnvSource::Literal(text.to_owned()));
        assert_eq!(parse("?"), ask(None));
        assert_eq!(parse("? your token "), ask(Some("your token")));
        assert_eq!(parse("${TZ}"), host("TZ"));
        for text in ["", "C.UTF-8", "$HOME", "a?", "$", "{}", "$5", "a}"] {
            assert_eq!(parse(text), literal(text), "{text}");
        }
        assert_eq!(parse("$${TZ}"), literal("${TZ}"));
        assert_eq!(parse("x$${A}y$${B}"), literal("x${A}y${B}"));
    }

    #[test]
    fn nothing_half_interpolated() {
        for bad in ["a${B}", "${A}b", "${A}${B}", "${}", "${A-b}", "${1}", "$${A}${B}", "${", "a\0"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
