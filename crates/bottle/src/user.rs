use std::fmt;

/// Who runs something in a bottle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum User {
    /// The bottle's own root (0:0), which has no power outside it and, on namespace backends, no capability inside.
    Root,
    /// The agent's user, `node` (1000:1000).
    Node,
}

impl User {
    /// The user's name, as in the bottle's passwd and `USER`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Node => "node",
        }
    }

    /// The user's and group's number inside the bottle.
    pub fn id(self) -> u32 {
        match self {
            Self::Root => 0,
            Self::Node => 1000,
        }
    }

    /// The user's home folder, as in `HOME`.
    pub fn home(self) -> &'static str {
        match self {
            Self::Root => "/root",
            Self::Node => "/home/node",
        }
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
