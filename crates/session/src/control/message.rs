use bottle::{ExitStatus, Signal, TerminalSize, User};
use secret::Secret;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a client asks.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    Stop,
    Reload,
    Exec(ExecRequest),
    Resize { rows: u16, columns: u16 },
    Signal(u8),
}

/// One program to run in the session's bottle.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ExecRequest {
    pub argv: Vec<Vec<u8>>,
    pub user: WireUser,
    pub env: Vec<(Vec<u8>, WireSecret)>,
    /// A terminal of this many rows and columns; without it three descriptors come along.
    pub terminal: Option<(u16, u16)>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum WireUser {
    Root,
    Node,
}

/// A value that no `Debug` shows.
#[derive(Debug)]
pub(super) struct WireSecret(pub Secret);

/// Why a session ends, for whoever has something running there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Farewell {
    /// Its agent has ended.
    Agent,
    /// `bot-bottle stop`.
    Stopped,
    /// A signal to its process.
    Signal,
    /// `limits.time` has passed.
    TimeLimit,
    /// It failed, and has said why to whoever started it.
    Failed,
}

impl Farewell {
    /// What became of the session.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "ended with its agent",
            Self::Stopped => "was stopped",
            Self::Signal => "was ended by a signal",
            Self::TimeLimit => "was ended by its limits.time",
            Self::Failed => "failed",
        }
    }
}

/// What the session answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Stopping,
    /// The policy was read anew.
    Reloaded {
        /// So many rules are in force.
        rules: usize,
        /// Keys that only the next start takes up.
        later: Vec<String>,
    },
    Started,
    EndedCode(u8),
    EndedSignal(u8),
    /// The session ends, and with it what runs there.
    Over(Farewell),
    Failed {
        message: String,
        hint: Option<String>,
    },
}

impl From<WireUser> for User {
    fn from(user: WireUser) -> Self {
        match user {
            WireUser::Root => Self::Root,
            WireUser::Node => Self::Node,
        }
    }
}

impl From<User> for WireUser {
    fn from(user: User) -> Self {
        match user {
            User::Root => Self::Root,
            User::Node => Self::Node,
        }
    }
}

impl From<ExitStatus> for Answer {
    fn from(status: ExitStatus) -> Self {
        match status {
            ExitStatus::Code(code) => Self::EndedCode(code),
            ExitStatus::Signal(signal) => Self::EndedSignal(signal),
        }
    }
}

pub(super) fn signal(number: u8) -> Option<Signal> {
    let all = [Signal::Hangup, Signal::Interrupt, Signal::Quit, Signal::Kill, Signal::Terminate];
    all.into_iter().find(|signal| signal.number() == number)
}

pub(super) fn size((rows, columns): (u16, u16)) -> TerminalSize {
    TerminalSize { rows, columns }
}

impl Serialize for WireSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.reveal().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for WireSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|bytes| Self(Secret::new(bytes)))
    }
}
