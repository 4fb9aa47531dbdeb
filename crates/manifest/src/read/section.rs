/// One map of the manifest: its keys, in the order of the documentation. The same table finds unknown keys, suggests near
/// ones and makes the reference.
#[derive(Debug)]
pub(crate) struct Section {
    /// Where it stands, such as `egress.routes[]`; empty for the top level.
    pub path: &'static str,
    /// What it is, for messages: `a bottle`, `egress`.
    pub what: &'static str,
    /// What it is for, for the reference.
    pub about: &'static str,
    pub keys: &'static [KeyDoc],
    pub gone: &'static [GoneKey],
}

/// A key and what the reference says about it.
#[derive(Debug)]
pub(crate) struct KeyDoc {
    pub name: &'static str,
    /// The type, for people.
    pub kind: &'static str,
    /// The default, as it would be written; `—`: none.
    pub default: &'static str,
    pub about: &'static str,
    /// A value as it would be written on the key's line.
    pub example: &'static str,
}

/// A key that older manifests or other programs have here.
#[derive(Debug)]
pub(crate) struct GoneKey {
    pub name: &'static str,
    /// What became of it: "the key `x` …".
    pub why: &'static str,
    /// What to write instead.
    pub instead: &'static str,
}
