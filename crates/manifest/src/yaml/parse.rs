use std::collections::BTreeMap;
use std::ops::Range;

use serde_saphyr::granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::{Key, Kind, Node, Scalar};
use crate::Diagnostic;
use crate::diagnostic::Problems;
use crate::source::SourceFile;

/// How deep maps and lists may stand in each other. The deepest manifest needs seven.
const MAX_DEPTH: usize = 16;
const TOO_DEEP: &str = "the front matter is nested too deeply: at most 16 levels are read";
/// How many values a front matter may hold.
const MAX_NODES: usize = 20_000;
const TOO_MUCH: &str = "the front matter holds too much: at most 20000 values are read";

/// Parses the YAML at `yaml` of `source`. `None` when its syntax is broken, which `problems` then tells.
///
/// Of YAML 1.2 (§) the subset that can be read at a glance is taken: no anchors and aliases (bombs), no tags (types chosen by
/// the file), no merge keys, no directives, no second document, plain keys alone. All of those are reported, each at its place.
///
/// This is the one file that knows the YAML library.
pub(crate) fn parse(source: &SourceFile, yaml: Range<usize>, problems: &Problems) -> Option<Node> {
    let text = source.text().get(yaml.clone())?;
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.disallow_directives = true;
    options.emit_anchor_events = true;
    options.emit_unresolved_aliases = true;
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    let mut builder =
        Builder { parser: Parser::new_from_str_with_options(text, options), source, base: yaml.start, problems, nodes: 0 };
    match builder.document() {
        Ok(node) => Some(node),
        Err(Stop::Syntax(error)) => {
            problems.push(builder.syntax(&error));
            None
        }
        Err(Stop::Told) => None,
    }
}

struct Builder<'a> {
    parser: Parser<'a, StrInput<'a>>,
    source: &'a SourceFile,
    /// Where the YAML begins in the file.
    base: usize,
    problems: &'a Problems,
    nodes: usize,
}

/// Why parsing cannot go on.
enum Stop {
    Syntax(Box<ScanError>),
    /// A diagnostic says it already.
    Told,
}

impl<'a> Builder<'a> {
    fn document(&mut self) -> Result<Node, Stop> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(..) if root.is_some() => {
                    self.problems.push(
                        self.at(&span, "a second YAML document in the front matter").help("remove what follows the line `...`"),
                    );
                    return Err(Stop::Told);
                }
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd | Event::Anchor(..) => {}
                first => root = Some(self.node(first, span, 0)?),
            }
        }
        let empty = self.base..self.base;
        Ok(root.unwrap_or(Node { span: empty, kind: Kind::Scalar(Scalar::Null) }))
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Stop> {
        self.nodes += 1;
        if self.nodes > MAX_NODES || depth > MAX_DEPTH {
            self.problems.push(self.at(&span, if depth > MAX_DEPTH { TOO_DEEP } else { TOO_MUCH }));
            return Err(Stop::Told);
        }
        self.refuse_tag(event.tag(), &span);
        match event {
            Event::Scalar(text, style, _, _) => {
                let scalar = match style {
                    ScalarStyle::Plain => Scalar::plain(text.into_owned()),
                    _quoted_or_block => Scalar::Text(text.into_owned()),
                };
                Ok(Node { span: self.range(&span), kind: Kind::Scalar(scalar) })
            }
            Event::SequenceStart(..) => self.list(span, depth),
            Event::MappingStart(..) => self.map(span, depth),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.problems
                    .push(self.at(&span, "YAML aliases are not allowed in manifests").label("alias").help("write the value out"));
                Ok(Node { span: self.range(&span), kind: Kind::Scalar(Scalar::Null) })
            }
            // No other event begins a value; the parser would have to contradict itself.
            _never_a_value => Err(Stop::Told),
        }
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Node, Stop> {
        let mut items = Vec::new();
        let mut end = self.range(&start);
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::Anchor(..) => {}
                Event::SequenceEnd => return Ok(Node { span: self.extent(&start, &end, &span), kind: Kind::List(items) }),
                first => {
                    let item = self.node(first, span, depth + 1)?;
                    end = item.span.clone();
                    items.push(item);
                }
            }
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<Node, Stop> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut lines = BTreeMap::new();
        let mut end = self.range(&start);
        loop {
            let (event, span) = self.next()?;
            let key = match event {
                Event::Anchor(..) => continue,
                Event::MappingEnd => return Ok(Node { span: self.extent(&start, &end, &span), kind: Kind::Map(entries) }),
                first => self.node(first, span, depth + 1)?,
            };
            let (event, span) = self.value()?;
            let value = self.node(event, span, depth + 1)?;
            end = value.span.clone();
            if let Some(key) = self.key(key)
                && self.unique(&key, &mut lines)
            {
                entries.push((key, value));
            }
        }
    }

    fn key(&self, node: Node) -> Option<Key> {
        let diagnostic = |message| self.source.diagnostic(node.span.clone(), message);
        match &node.kind {
            Kind::Scalar(Scalar::Text(name)) if name == "<<" => {
                self.problems.push(
                    diagnostic("YAML merge keys are not allowed in manifests").help("a bottle takes over another with `extends`"),
                );
                None
            }
            Kind::Scalar(scalar) => match scalar.text() {
                Some(name) => Some(Key { name: name.to_owned(), span: node.span.clone() }),
                None => {
                    self.problems.push(diagnostic("a key is missing here").help("write `key: value`"));
                    None
                }
            },
            Kind::List(_) | Kind::Map(_) => {
                self.problems.push(diagnostic("a key must be a single word, not a list or map"));
                None
            }
        }
    }

    fn unique(&self, key: &Key, lines: &mut BTreeMap<String, usize>) -> bool {
        let line = self.source.line(key.span.start);
        let Some(first) = lines.get(&key.name) else {
            lines.insert(key.name.clone(), line);
            return true;
        };
        let message = format!("the key `{}` is written twice", policy::Shown(&key.name));
        self.problems.push(
            self.source
                .diagnostic(key.span.clone(), message)
                .label("second time")
                .help(format!("it was first written in line {first}; keep one")),
        );
        false
    }

    fn refuse_tag(&self, tag: Option<&Tag>, span: &Span) {
        if let Some(tag) = tag {
            let place = span.tag_span().unwrap_or(*span);
            let message = format!("YAML tags are not allowed in manifests: `{}`", policy::Shown(&tag.original()));
            self.problems.push(self.at(&place, message).help("remove the tag; quotes make a text of anything"));
        }
    }

    fn value(&mut self) -> Result<(Event<'a>, Span), Stop> {
        loop {
            let next = self.next()?;
            if !matches!(next.0, Event::Anchor(..)) {
                return Ok(next);
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Stop> {
        let (event, span) = self.parser.next_event().ok_or(Stop::Told)?.map_err(|error| Stop::Syntax(Box::new(error)))?;
        if let Event::Anchor(..) = &event {
            self.problems.push(
                self.at(&span, "YAML anchors are not allowed in manifests")
                    .label("anchor")
                    .help("write the value out where it is needed"),
            );
        }
        Ok((event, span))
    }

    fn syntax(&self, error: &ScanError) -> Diagnostic {
        let at = self.base + error.marker().byte_offset().unwrap_or(0);
        let line = self.source.line_range(self.source.line(at));
        let text = &self.source.text()[line.clone()];
        let indent = text.len() - text.trim_start().len();
        if let Some(tab) = text[..indent].find('\t') {
            let place = line.start + tab..line.start + tab + 1;
            return self
                .source
                .diagnostic(place, "a tab where YAML wants spaces")
                .label("tab")
                .help("indent with spaces, two for each level");
        }
        // The parser may stop behind the last line; the place to look at is then its end.
        let at = at.min(self.source.text().len());
        if *error.kind() == ErrorKind::RecursionLimitExceeded {
            return self.source.diagnostic(at..at + 1, TOO_DEEP);
        }
        let message = format!("this is not valid YAML: {}", policy::Shown(&error.info()));
        let diagnostic = self.source.diagnostic(at..at + 1, message);
        let value = text.trim_start().strip_prefix("- ").unwrap_or(text);
        let needs_quotes = value
            .split_once(": ")
            .is_some_and(|(_, value)| value.contains(": ") || value.starts_with(['%', '@', '`', '*', '&', '!', '|', '>']));
        diagnostic.help_if(needs_quotes.then(|| "put the value into quotes".to_owned()))
    }

    fn at(&self, span: &Span, message: impl Into<String>) -> Diagnostic {
        self.source.diagnostic(self.range(span), message)
    }

    fn range(&self, span: &Span) -> Range<usize> {
        let range = span.byte_range().unwrap_or(0..0);
        self.base + range.start..self.base + range.end.max(range.start)
    }

    /// From the start of a collection to its end. Block collections end where their last value does; their end event stands at
    /// the next token, lines below.
    fn extent(&self, start: &Span, last: &Range<usize>, end: &Span) -> Range<usize> {
        let start = self.range(start).start;
        let end = self.range(end);
        let end = if end.is_empty() { last.end } else { end.end };
        start..end.max(start)
    }
}
